import type { Session } from "../api/queries";

/** However they are just now: locked, or to be connected again. */
export const bothConnected = ({ trakt, kinopub }: Pick<Session, "trakt" | "kinopub">): boolean =>
  trakt.connected && kinopub.connected;

/** Whether it can be asked for something. */
export const isUsable = (account: Pick<Session["kinopub"], "connected" | "status">): boolean =>
  account.connected && account.status === "ok";
