import { Alert, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, body } from "../../api/client";
import { forgetEvents, type Run, stateQuery } from "../../api/queries";
import { isNote, needingYou, undoable, waitsForPerson } from "../../lib/runs";
import { Button } from "../../parts/button";
import { TextLink } from "../../parts/links";
import { StatusBadge } from "../../parts/run-row";
import { At } from "../../parts/when";
import styles from "./run.module.css";
import type { Events } from "./use-events";

const Sure = lazy(() => import("../../parts/sure").then(({ Sure }) => ({ default: Sure })));

/** What came of it, and the way to take it back. */
export function Ended({ run, removed, gone, known }: { run: Run } & Pick<Events, "removed" | "gone" | "known">) {
  const { t, i18n } = useTranslation("run");
  const navigate = useNavigate();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const undo = useMutation({
    mutationFn: () => body(api.POST("/sync/runs/{run_id}/undo", { params: { path: { run_id: run.id } } })),
    onSuccess: ({ run_id }) => {
      forgetEvents(client, run.id); // even if nobody stays to see the end of it
      void client.invalidateQueries({ queryKey: stateQuery().queryKey });
      return navigate({ to: "/runs/$id", params: { id: run_id } });
    },
    // Perhaps it was undone elsewhere.
    onError: () => client.invalidateQueries({ queryKey: ["events", run.id] }),
  });
  const { sent } = run.counts;
  const takenBack = removed + gone;
  const left = sent - takenBack;
  const needs = needingYou(run);
  return (
    <Paper withBorder p="lg">
      <Stack>
        <Group justify="space-between">
          <Title order={2} size="h3">
            {run.mode === "undo"
              ? t("ended.removed", { count: run.counts.removed })
              : run.mode === "preview" && run.status === "cancelled" && sent === 0
                ? t("ended.discarded")
                : sent > 0
                  ? t(left > 0 ? "ended.sent" : "ended.undone", { count: sent })
                  : t("ended.nothing")}
          </Title>
          <StatusBadge status={run.status} />
        </Group>
        {run.error && (
          <Alert
            color={run.status === "cancelled" ? "gray" : isNote(run) ? "orange" : "red"}
            title={t(
              isNote(run)
                ? run.error.code === "not_all_read"
                  ? "error.unread"
                  : "error.noted"
                : waitsForPerson(run.error.code)
                  ? "error.stopped"
                  : `error.${run.status}`,
              t("error.failed"),
            )}
          >
            {i18n.exists(`run:why.${run.error.code}`) && (
              <Text size="sm">{t(`why.${run.error.code}` as "why.not_sent")}</Text>
            )}
            <Text size="sm" c="dimmed">
              {run.error.detail} · {run.error.code} · {run.id}
            </Text>
          </Alert>
        )}
        {takenBack > 0 && known && <Text>{left > 0 ? t("undo.partly", { count: takenBack }) : t("undo.done")}</Text>}
        {run.mode === "undo" && run.counts.already_removed > 0 && (
          <Text>{t("undo.gone", { count: run.counts.already_removed })}</Text>
        )}
        <Text c="dimmed" size="sm">
          {run.mode !== "undo" &&
            run.status !== "failed" &&
            `${t("looked", { history: run.counts.history, completed: run.counts.completed })} `}
          {run.finished_at && (
            <>
              {t("finished")} <At time={run.finished_at} />.{" "}
            </>
          )}
          {t("calls", run.upstream_calls)}
        </Text>
        {needs > 0 && run.mode !== "undo" && <TextLink to="/needs-you">{t("needs", { count: needs })}</TextLink>}
        {known && undoable(run, takenBack) && (
          <Group>
            <Button
              variant="light"
              color="red"
              classNames={{ root: styles.long, label: styles.longLabel }}
              onClick={() => setAsking(true)}
            >
              {t("undo.offer", { count: left })}
            </Button>
          </Group>
        )}
      </Stack>
      {asking && left > 0 && (
        <Suspense>
          <Sure
            opened
            onClose={() => {
              setAsking(false);
              undo.reset();
            }}
            title={t("undo.title")}
            yes={t("undo.yes", { count: left })}
            onYes={() => undo.mutate()}
            pending={undo.isPending}
            error={undo.error}
          >
            {t("undo.what", { count: left })}
          </Sure>
        </Suspense>
      )}
    </Paper>
  );
}
