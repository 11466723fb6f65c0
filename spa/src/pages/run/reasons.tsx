import { useTranslation } from "react-i18next";
import type { Event, Run } from "../../api/queries";
import styles from "./run.module.css";
import type { Chosen } from "./run-view";

type Reason = NonNullable<Event["reason"]>;

interface Bar {
  run: Run;
  /** How many of the views that it sent an undo has taken back. */
  removed: number;
  /** Of how many an undo found that they were gone already. */
  gone: number;
  chosen: Chosen;
  onChoose: (chosen: Chosen) => void;
}

/** What is or was sent, what of it was taken back, then each reason for what was not: a bar to scale, below it the names of its parts, each of which
 * chooses the table's rows. A reason of five among thousands is too narrow a part to be pressed. */
export function Reasons({ run, removed, gone, chosen, onChoose }: Bar) {
  const { t } = useTranslation(["run", "common"]);
  const { planned, sent } = run.counts;
  const [outcome, count] =
    run.mode === "undo"
      ? ["removed" as const, run.counts.removed]
      : run.status === "awaiting_confirmation"
        ? ["planned" as const, planned]
        : ["sent" as const, sent - removed - gone];
  const skipped = Object.entries(run.counts.skipped) as [Reason, number][];
  const reasons: [Reason, number][] = gone > 0 ? [...skipped, ["already_removed", gone]] : skipped;
  const parts = [
    { key: "sent", count, name: t(`common:outcome.${outcome}`), chosen: { outcome, reason: null } },
    {
      key: "removed",
      count: removed,
      name: t("common:outcome.removed"),
      chosen: { outcome: "removed", reason: null },
    },
    ...reasons.map(([reason, number]) => ({
      key: reason,
      count: number,
      name: t(`common:reason.${reason}`),
      chosen: { outcome: "skipped", reason },
    })),
  ].filter((part) => part.count > 0);
  if (parts.length === 0) return null;
  const chosenOf = (part: (typeof parts)[number]) =>
    chosen.outcome === part.chosen.outcome && chosen.reason === part.chosen.reason;
  return (
    <div className={styles.reasons} role="group" aria-label={t("reasons")}>
      <div className={styles.scale} aria-hidden="true">
        {parts.map((part) => (
          <span key={part.key} data-kind={part.key} data-on={chosenOf(part)} style={{ flexGrow: part.count }} />
        ))}
      </div>
      {parts.map((part) => {
        const on = chosenOf(part);
        return (
          <button
            key={part.key}
            type="button"
            className={styles.reason}
            data-kind={part.key}
            aria-pressed={on}
            onClick={() => onChoose(on ? { outcome: null, reason: null } : part.chosen)}
          >
            <i aria-hidden="true" data-kind={part.key} />
            <strong>{part.count}</strong> {part.name}
          </button>
        );
      })}
    </div>
  );
}
