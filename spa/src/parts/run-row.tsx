import { Badge, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Run } from "../api/queries";
import { skippedOf } from "../lib/runs";
import { RunKind } from "./run-kind";
import styles from "./run-row.module.css";
import { Ago } from "./when";

const COLORS: Partial<Record<Run["status"], string>> = {
  succeeded: "teal",
  partial: "orange",
  failed: "red",
  awaiting_confirmation: "yellow",
  cancelled: "gray",
};

export function StatusBadge({ status }: Pick<Run, "status">) {
  const { t } = useTranslation();
  return (
    <Badge variant="light" color={COLORS[status] ?? "sea"}>
      {t(`status.${status}`)}
    </Badge>
  );
}

/** A run in one line: when, what, how it went, and a small bar of what was sent and skipped. */
export function RunRow({ run }: { run: Run }) {
  const { t } = useTranslation("run");
  const skipped = skippedOf(run);
  const word = run.mode === "undo" ? "removed" : run.status === "awaiting_confirmation" ? "planned" : "sent";
  const done = run.counts[word];
  const all = done + skipped;
  const takenBack = run.mode === "undo" ? 0 : run.counts.removed + run.counts.already_removed;
  return (
    <Link to="/runs/$id" params={{ id: run.id }} className={styles.row}>
      <span className={styles.what}>
        <Text span fw={600}>
          <RunKind run={run} />
        </Text>
        <Text span size="sm" c="dimmed">
          <Ago time={run.started_at} />
        </Text>
      </span>
      <StatusBadge status={run.status} />
      <span className={styles.numbers}>
        <Text span size="sm">
          {t(`numbers.${word}`, { count: done })}
          {takenBack > 0 && ` · ${t("numbers.takenBack", { count: takenBack })}`}
          {skipped > 0 && ` · ${t("numbers.skipped", { count: skipped })}`}
        </Text>
        {all > 0 && (
          <span className={styles.bar} aria-hidden="true">
            <span style={{ width: `${(100 * done) / all}%` }} />
          </span>
        )}
      </span>
    </Link>
  );
}
