import { Group, Paper, Progress, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import type { Run } from "../../api/queries";
import { Button } from "../../parts/button";
import { Check } from "../../parts/icons";
import { Trouble } from "../../parts/trouble";
import styles from "./run.module.css";

const PHASES = ["collecting", "mapping", "sending"] as const;

/** What it does at the moment: “Collecting 140/412 · Matching · Sending”. */
export function Working({ run }: { run: Run }) {
  const { t } = useTranslation("run");
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => api.POST("/sync/runs/{run_id}/cancel", { params: { path: { run_id: run.id } } }),
    onSettled: () => client.invalidateQueries({ queryKey: ["run", run.id] }),
  });
  const { done, total } = run.phase_progress;
  const at = PHASES.indexOf(run.status as (typeof PHASES)[number]);
  const shown = run.mode === "preview" ? PHASES.slice(0, at === 2 ? 3 : 2) : PHASES;
  const undoes = run.mode === "undo";
  return (
    <Paper withBorder p="lg">
      <Stack>
        <Text role="status" fw={600}>
          {at < 0
            ? t("queued")
            : undoes
              ? t("undoing", { done, total })
              : t(`phase.${PHASES[at] ?? "sending"}`, { done, total })}
        </Text>
        <Progress.Root size="lg">
          <Progress.Section
            value={total ? (100 * done) / total : 0}
            aria-label={t("progress")}
            color="sea"
            animated={total === 0}
          />
        </Progress.Root>
        {!undoes && (
          <ol className={styles.phases}>
            {shown.map((phase, index) => (
              <li key={phase} aria-current={index === at ? "step" : undefined}>
                {index < at && <Check />}
                {t(`short.${phase}`)}
              </li>
            ))}
          </ol>
        )}
        {cancel.error ? <Trouble error={cancel.error} /> : null}
        <Group justify="space-between">
          <Text size="sm" c="dimmed">
            {t("mayClose")}
          </Text>
          <Button variant="default" onClick={() => cancel.mutate()} loading={cancel.isPending || cancel.isSuccess}>
            {t("cancel")}
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}
