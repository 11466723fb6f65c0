import { Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { ApiError, api, body } from "../../api/client";
import { isActive, runsQuery } from "../../api/queries";
import { Button } from "../../parts/button";
import { TextLink } from "../../parts/links";
import { Loading } from "../../parts/loading";
import { Nothing } from "../../parts/nothing";
import { RunRow } from "../../parts/run-row";
import { Trouble } from "../../parts/trouble";

/** Every run, newest first, and the two ways to begin one. */
export function Runs() {
  const { t } = useTranslation(["run", "common"]);
  const runs = useInfiniteQuery({
    ...runsQuery(),
    refetchInterval: (query) => (query.state.data?.pages[0]?.items.some(isActive) ? 3_000 : false),
  });
  const items = runs.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Stack>
      <Group justify="space-between">
        <Title order={1}>{t("runs.title")}</Title>
        <StartRun />
      </Group>
      {runs.isPending && <Loading what={t("loading")} lines={6} />}
      {runs.error ? <Trouble error={runs.error} onRetry={() => void runs.refetch()} /> : null}
      {runs.data && items.length === 0 && <Nothing title={t("runs.none")} hint={t("runs.noneHint")} />}
      {items.length > 0 && (
        <Paper withBorder>
          {items.map((run) => (
            <RunRow key={run.id} run={run} />
          ))}
        </Paper>
      )}
      {runs.hasNextPage && (
        <Group justify="center">
          <Button variant="default" onClick={() => void runs.fetchNextPage()} loading={runs.isFetchingNextPage}>
            {t("common:more")}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

function StartRun() {
  const { t } = useTranslation("run");
  const navigate = useNavigate();
  const start = useMutation({
    mutationFn: (mode: "sync" | "preview") => body(api.POST("/sync/runs", { body: { mode, full: false } })),
    onSuccess: ({ run_id }) => navigate({ to: "/runs/$id", params: { id: run_id } }),
  });
  const error = start.error instanceof ApiError ? start.error : null;
  const active = error?.code === "run_active" ? String(error.body.run_id) : null;
  return (
    <Stack gap="xs" align="end">
      <Group gap="sm">
        <Button
          variant="default"
          onClick={() => start.mutate("preview")}
          loading={start.isPending && start.variables === "preview"}
        >
          {t("runs.preview")}
        </Button>
        <Button onClick={() => start.mutate("sync")} loading={start.isPending && start.variables === "sync"}>
          {t("runs.now")}
        </Button>
      </Group>
      {active && (
        <Text size="sm">
          {t("runs.active")}{" "}
          <TextLink to="/runs/$id" params={{ id: active }}>
            {t("runs.lookAtIt")}
          </TextLink>
        </Text>
      )}
      {error?.code === "not_connected" && <TextLink to="/connect">{t("runs.connect")}</TextLink>}
      {start.error && !active ? <Trouble error={start.error} /> : null}
    </Stack>
  );
}
