import { lazy } from "react";

/** The dialog is loaded when somebody is asked for the first time. */
export const Sure = lazy(() => import("../../parts/sure").then(({ Sure }) => ({ default: Sure })));
