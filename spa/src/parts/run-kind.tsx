import { useTranslation } from "react-i18next";
import type { Run } from "../api/queries";

/** What a run is, in words: a preview, one by hand or by schedule, an undo. */
export function RunKind({ run }: { run: Run }) {
  const { t } = useTranslation("run");
  if (run.mode === "preview") return run.counts.sent > 0 ? t("kind.confirmed") : t("kind.preview");
  if (run.mode === "undo") return t("kind.undo");
  return run.trigger === "schedule" ? t("kind.schedule") : t("kind.manual");
}
