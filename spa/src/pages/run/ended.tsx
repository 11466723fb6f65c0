import { Alert, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, body } from "../../api/client";
import { forgetEvents, type Run } from "../../api/queries";
import { needingYou, undoable, waitsForPerson } from "../../lib/runs";
import { TextLink } from "../../parts/links";
import { StatusBadge } from "../../parts/run-row";
import { At } from "../../parts/when";
import styles from "./run.module.css";

const Sure = lazy(() => import("../../parts/sure").then(({ Sure }) => ({ default: Sure })));

/** What came of it, and the way to take it back. */
export function Ended({ run }: { run: Run }) {
  const { t, i18n } = useTranslation("run");
  const navigate = useNavigate();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const undo = useMutation({
    mutationFn: () => body(api.POST("/sync/runs/{run_id}/undo", { params: { path: { run_id: run.id } } })),
    onSuccess: ({ run_id }) => {
      forgetEvents(client, run.id); // even if nobody stays to see the end of it
      return navigate({ to: "/runs/$id", params: { id: run_id } });
    },
  });
  const { sent } = run.counts;
  const needs = needingYou(run);
  return (
    <Paper withBorder p="lg">
      <Stack>
        <Group justify="space-between">
          <Title order={2} size="h3">
            {run.mode === "undo"
              ? t("ended.removed", { count: sent })
              : run.mode === "preview" && run.status === "cancelled" && sent === 0
                ? t("ended.discarded")
                : sent > 0
                  ? t("ended.sent", { count: sent })
                  : t("ended.nothing")}
          </Title>
          <StatusBadge status={run.status} />
        </Group>
        {run.error && (
          <Alert
            color={run.status === "cancelled" ? "gray" : "red"}
            title={t(waitsForPerson(run.error.code) ? "error.stopped" : `error.${run.status}`, t("error.failed"))}
          >
            {i18n.exists(`run:why.${run.error.code}`) && (
              <Text size="sm">{t(`why.${run.error.code}` as "why.not_sent")}</Text>
            )}
            <Text size="sm" c="dimmed">
              {run.error.detail} · {run.error.code} · {run.id}
            </Text>
          </Alert>
        )}
        <Text c="dimmed" size="sm">
          {run.mode !== "undo" && `${t("looked", { history: run.counts.history, completed: run.counts.completed })} `}
          {run.finished_at && (
            <>
              {t("finished")} <At time={run.finished_at} />.{" "}
            </>
          )}
          {t("calls", run.upstream_calls)}
        </Text>
        {needs > 0 && run.mode !== "undo" && <TextLink to="/needs-you">{t("needs", { count: needs })}</TextLink>}
        {undoable(run) && (
          <Group>
            <Button
              variant="light"
              color="red"
              classNames={{ root: styles.long, label: styles.longLabel }}
              onClick={() => setAsking(true)}
            >
              {t("undo.offer", { count: sent })}
            </Button>
          </Group>
        )}
      </Stack>
      {asking && (
        <Suspense>
          <Sure
            opened
            onClose={() => {
              setAsking(false);
              undo.reset();
            }}
            title={t("undo.title")}
            yes={t("undo.yes", { count: sent })}
            onYes={() => undo.mutate()}
            pending={undo.isPending}
            error={undo.error}
          >
            {t("undo.what", { count: sent })}
          </Sure>
        </Suspense>
      )}
    </Paper>
  );
}
