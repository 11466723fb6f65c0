import { useTranslation } from "react-i18next";
import type { Event, Run } from "../../api/queries";
import styles from "./run.module.css";
import type { Chosen } from "./run-view";

type Reason = NonNullable<Event["reason"]>;

/** Everything in one bar: what is or was sent, then each reason for what was not. A part of it chooses the table's rows. */
export function Reasons({ run, chosen, onChoose }: { run: Run; chosen: Chosen; onChoose: (chosen: Chosen) => void }) {
  const { t } = useTranslation(["run", "common"]);
  const sent = run.status === "awaiting_confirmation" ? run.counts.planned : run.counts.sent;
  const outcome = run.status === "awaiting_confirmation" ? "planned" : run.mode === "undo" ? "removed" : "sent";
  const parts = [
    { key: outcome, count: sent, name: t(`common:outcome.${outcome}`), chosen: { outcome, reason: null } },
    ...(Object.entries(run.counts.skipped) as [Reason, number][]).map(([reason, count]) => ({
      key: reason,
      count,
      name: t(`common:reason.${reason}`),
      chosen: { outcome: "skipped", reason },
    })),
  ].filter(({ count }) => count > 0);
  if (parts.length === 0) return null;
  return (
    <div className={styles.reasons} role="group" aria-label={t("reasons")}>
      {parts.map((part, index) => {
        const on = chosen.outcome === part.chosen.outcome && chosen.reason === part.chosen.reason;
        return (
          <button
            key={part.key}
            type="button"
            className={styles.reason}
            data-kind={index === 0 && part.key === outcome ? "sent" : part.key}
            style={{ flexGrow: part.count }}
            aria-pressed={on}
            onClick={() => onChoose(on ? { outcome: null, reason: null } : part.chosen)}
          >
            <strong>{part.count}</strong> {part.name}
          </button>
        );
      })}
    </div>
  );
}
