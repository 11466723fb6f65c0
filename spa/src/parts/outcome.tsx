import { Badge } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Outcome } from "../api/queries";

const COLORS: Record<Outcome, string> = { planned: "sea", sent: "teal", skipped: "gray", removed: "orange" };

/** What became of a view, as a word on a colour. */
export function OutcomeBadge({ outcome }: { outcome: Outcome }) {
  const { t } = useTranslation();
  return (
    <Badge variant="light" color={COLORS[outcome]}>
      {t(`outcome.${outcome}`)}
    </Badge>
  );
}
