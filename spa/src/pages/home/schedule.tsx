import { Paper, Stack, Switch, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, body } from "../../api/client";
import { runsQuery, type Settings, settingsQuery, stateQuery } from "../../api/queries";
import { Loading } from "../../parts/loading";
import { Trouble } from "../../parts/trouble";
import { Ago } from "../../parts/when";

/** The switch, the last success, the next run. */
export function Schedule() {
  const { t } = useTranslation("home");
  const client = useQueryClient();
  const state = useQuery(stateQuery());
  const settings = useQuery(settingsQuery());
  const runs = useInfiniteQuery(runsQuery());
  const change = useMutation({
    mutationFn: (enabled: boolean) => body(api.PUT("/sync/settings", { body: { enabled } })),
    onMutate: (enabled) => {
      client.setQueryData<Settings>(["settings"], (known) => known && { ...known, enabled });
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["settings"] });
      void client.invalidateQueries({ queryKey: ["state"] });
    },
  });
  const latest = runs.data?.pages[0]?.items.find((run) => run.status === "succeeded" && run.mode !== "undo");
  return (
    <Paper withBorder p="lg" component="section" aria-labelledby="schedule">
      <Stack gap="sm">
        <Title order={2} size="h4" id="schedule">
          {t("schedule.title")}
        </Title>
        {!settings.data || !state.data ? (
          settings.error || state.error ? (
            <Trouble error={settings.error ?? state.error} onRetry={() => void settings.refetch()} />
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
                  {latest && `: ${t("schedule.sent", { count: latest.counts.sent })}`}
                </>
              ) : (
                t("schedule.never")
              )}
            </Text>
            <Text>
              {state.data.next_run_at ? (
                <>
                  {t("schedule.next")} <Ago time={state.data.next_run_at} />
                </>
              ) : (
                t(settings.data.enabled ? "schedule.soon" : "schedule.off")
              )}
            </Text>
          </>
        )}
      </Stack>
    </Paper>
  );
}
