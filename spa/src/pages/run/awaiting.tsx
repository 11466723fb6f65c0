import { Alert, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { type Run, settingsQuery } from "../../api/queries";
import { needingYou } from "../../lib/runs";
import { Button } from "../../parts/button";
import { Warning } from "../../parts/icons";
import { Trouble } from "../../parts/trouble";
import styles from "./run.module.css";

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
  // Whose limit it was, only the detail says, in English.
  const limit = useQuery({ ...settingsQuery(), enabled: run.error !== null }).data?.confirm_above;
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
          <Alert color="yellow" icon={<Warning />} title={limit ? t("limited", { limit }) : t("braked")}>
            <Text size="sm" lang="en">
              {run.error.detail}
            </Text>
          </Alert>
        )}
        <Text c="dimmed">{t("nothingYet")}</Text>
        {confirm.error || discard.error ? <Trouble error={confirm.error ?? discard.error} /> : null}
        <Group>
          <Button
            size="md"
            classNames={{ root: styles.long, label: styles.longLabel }}
            onClick={() => confirm.mutate()}
            loading={confirm.isPending}
          >
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
