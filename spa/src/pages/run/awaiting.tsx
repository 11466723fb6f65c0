import { Alert, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import type { Run } from "../../api/queries";
import { needingYou } from "../../lib/runs";
import { Warning } from "../../parts/icons";
import { Trouble } from "../../parts/trouble";

/** A plan that waits for its user's word. Nothing was written yet. */
export function Awaiting({ run }: { run: Run }) {
  const { t } = useTranslation("run");
  const client = useQueryClient();
  const refresh = () => {
    for (const key of [["run", run.id], ["runs"], ["state"], ["settings"]]) {
      void client.invalidateQueries({ queryKey: key });
    }
  };
  const path = { params: { path: { run_id: run.id } } };
  const confirm = useMutation({
    mutationFn: () => api.POST("/sync/runs/{run_id}/confirm", path),
    onSettled: refresh,
  });
  const discard = useMutation({
    mutationFn: () => api.POST("/sync/runs/{run_id}/cancel", path),
    onSettled: refresh,
  });
  const { planned, completed, skipped } = run.counts;
  const already = skipped.duplicate ?? 0;
  const needs = needingYou(run);
  const parts = [
    t("summary.views", { count: completed }),
    t("summary.planned", { count: planned }),
    already > 0 && t("summary.already", { count: already }),
    needs > 0 && t("summary.needs", { count: needs }),
  ];
  return (
    <Paper withBorder p="lg">
      <Stack>
        <Title order={2} size="h3">
          {parts.filter(Boolean).join(" · ")}
        </Title>
        {run.error && (
          <Alert color="yellow" icon={<Warning />} title={t("braked")}>
            <Text size="sm">{run.error.detail}</Text>
          </Alert>
        )}
        <Text c="dimmed">{t("nothingYet")}</Text>
        {confirm.error || discard.error ? <Trouble error={confirm.error ?? discard.error} /> : null}
        <Group>
          <Button size="md" onClick={() => confirm.mutate()} loading={confirm.isPending}>
            {t("confirm", { count: planned })}
          </Button>
          <Button variant="default" onClick={() => discard.mutate()} loading={discard.isPending}>
            {t("discard")}
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}
