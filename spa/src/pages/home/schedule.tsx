import { Paper, Stack, Switch, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { runsQuery, type State, settingsQuery, stateQuery } from "../../api/queries";
import { lastSuccess } from "../../lib/runs";
import { Loading } from "../../parts/loading";
import { Trouble } from "../../parts/trouble";
import { useNow } from "../../parts/use-now";
import { Ago } from "../../parts/when";
import { useChangeEnabled } from "./use-change-enabled";

/** The switch, the last success, the next run. */
export function Schedule({ complete }: { complete: boolean }) {
  const { t } = useTranslation("home");
  const state = useQuery(stateQuery());
  const settings = useQuery(settingsQuery());
  const runs = useInfiniteQuery(runsQuery());
  const change = useChangeEnabled();
  const latest = lastSuccess(runs.data?.pages[0]?.items);
  return (
    <Paper withBorder p="lg" component="section" aria-labelledby="schedule">
      <Stack gap="sm">
        <Title order={2} size="h4" id="schedule">
          {t("schedule.title")}
        </Title>
        {!settings.data || !state.data ? (
          settings.error || state.error ? (
            <Trouble
              error={settings.error ?? state.error}
              onRetry={() => void Promise.all([settings.refetch(), state.refetch()])}
            />
          ) : (
            <Loading what={t("loading")} lines={3} />
          )
        ) : (
          <>
            <Switch
              label={t("schedule.switch")}
              checked={settings.data.enabled}
              onChange={(event) => change.mutate(event.currentTarget.checked)}
            />
            {change.error ? <Trouble error={change.error} /> : null}
            <Text>
              {state.data.last_success_at ? (
                <>
                  {t("schedule.last")} <Ago time={state.data.last_success_at} />
                  {latest &&
                    `: ${latest.counts.sent ? t("schedule.sent", { count: latest.counts.sent }) : t("schedule.nothing")}`}
                </>
              ) : (
                t("schedule.never")
              )}
            </Text>
            <Text aria-live="polite">
              <Next state={state.data} enabled={settings.data.enabled} complete={complete} />
            </Text>
          </>
        )}
      </Stack>
    </Paper>
  );
}

function Next({ state, enabled, complete }: { state: State; enabled: boolean; complete: boolean }) {
  const { t } = useTranslation("home");
  const now = useNow(15_000);
  if (!enabled) return t("schedule.off");
  if (!complete) return t("schedule.incomplete");
  if (state.paused_reason || state.app_refused) return t("schedule.paused");
  // The schedule's tick is not to the second, and a run begins a little after it.
  if (!state.next_run_at || Date.parse(state.next_run_at) < now.getTime() + 60_000) return t("schedule.soon");
  return (
    <>
      {t("schedule.next")} <Ago time={state.next_run_at} />
    </>
  );
}
