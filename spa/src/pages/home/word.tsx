import { Alert, Button, Group, Paper, Progress, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { ApiError, api, body } from "../../api/client";
import { isActive, runQuery, runsQuery, settingsQuery, stateQuery, unmatchedQuery } from "../../api/queries";
import { needsOf } from "../../lib/needs";
import { Warning } from "../../parts/icons";
import { ButtonLink, TextLink } from "../../parts/links";
import { Trouble } from "../../parts/trouble";

/** What wants a word of its user, or goes on right now; nothing when all is well. */
export function Word() {
  const { t } = useTranslation("home");
  const state = useQuery(stateQuery());
  const runs = useInfiniteQuery(runsQuery());
  const unmatched = useInfiniteQuery(unmatchedQuery());
  const newest = runs.data?.pages[0]?.items[0];
  const active = state.data?.active_run_id;
  const [first] = unmatched.data?.pages ?? [];
  const needs = needsOf(first?.items ?? []).length;
  return (
    <Stack gap="sm">
      {state.data?.paused_reason && state.data.paused_reason !== "awaiting_confirmation" && (
        <Alert color="orange" icon={<Warning />} title={t(`paused.${state.data.paused_reason}.title`)}>
          <Group justify="space-between">
            <Text size="sm">{t(`paused.${state.data.paused_reason}.hint`)}</Text>
            {state.data.paused_reason === "reauth_required" && <TextLink to="/connect">{t("account.again")}</TextLink>}
          </Group>
        </Alert>
      )}
      {active && <AtWork id={active} />}
      {!active && newest?.status === "awaiting_confirmation" && (
        <Alert color="yellow" icon={<Warning />} title={t("waits", { count: newest.counts.planned })}>
          <ButtonLink to="/runs/$id" params={{ id: newest.id }} size="xs">
            {t("look")}
          </ButtonLink>
        </Alert>
      )}
      {needs > 0 && (
        <Alert
          color="yellow"
          icon={<Warning />}
          title={t("needs", { count: needs, more: first?.next_cursor ? "+" : "" })}
        >
          <TextLink to="/needs-you">{t("choose")}</TextLink>
        </Alert>
      )}
      <FirstLook started={runs.data === undefined || newest !== undefined} />
    </Stack>
  );
}

function AtWork({ id }: { id: string }) {
  const { t } = useTranslation(["home", "common"]);
  const { data: run } = useQuery(runQuery(id));
  if (!run || !isActive(run)) return null;
  const { done, total } = run.phase_progress;
  return (
    <Paper withBorder p="md">
      <Stack gap="xs">
        <Group justify="space-between">
          <Text fw={600}>
            {t("atWork")} · {t(`common:status.${run.status}`)}
          </Text>
          <TextLink to="/runs/$id" params={{ id }}>
            {t("watch")}
          </TextLink>
        </Group>
        <Progress.Root>
          <Progress.Section value={total ? (100 * done) / total : 0} aria-label={t("atWork")} />
        </Progress.Root>
      </Stack>
    </Paper>
  );
}

/** For who has connected both accounts and not begun yet. */
function FirstLook({ started }: { started: boolean }) {
  const { t } = useTranslation("home");
  const navigate = useNavigate();
  const settings = useQuery(settingsQuery());
  const preview = useMutation({
    mutationFn: async () => {
      try {
        return (await body(api.POST("/sync/runs", { body: { mode: "preview", full: false } }))).run_id;
      } catch (error) {
        if (error instanceof ApiError && error.code === "run_active") return String(error.body.run_id);
        throw error;
      }
    },
    onSuccess: (id) => navigate({ to: "/runs/$id", params: { id } }),
  });
  if (started || !settings.data || settings.data.enabled) return null;
  return (
    <Paper withBorder p="lg">
      <Stack>
        <Title order={2} size="h3">
          {t("first.title")}
        </Title>
        <Text>{t("first.why")}</Text>
        {preview.error ? <Trouble error={preview.error} /> : null}
        <Group>
          <Button onClick={() => preview.mutate()} loading={preview.isPending}>
            {t("first.begin")}
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}
