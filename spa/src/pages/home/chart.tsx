import { Paper, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useEffectEvent, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { playsQuery, runsQuery } from "../../api/queries";
import { lastChange } from "../../lib/runs";
import { since, weekly } from "../../lib/weeks";
import { Loading } from "../../parts/loading";
import { Trouble } from "../../parts/trouble";

const WEEKS = 53;

// Nothing of it is needed before there is something to draw.
const Drawn = lazy(() => import("./drawn"));

/** Views per week of the last twelve months, as Trakt has them. */
export function Chart({ connected }: { connected: boolean }) {
  const { t } = useTranslation("home");
  const [now] = useState(() => new Date());
  const from = useMemo(() => since(now, WEEKS), [now]);
  const films = useQuery({ ...playsQuery("movies", from), enabled: connected });
  // One after the other: it is somebody else's server.
  const episodes = useQuery({ ...playsQuery("episodes", from), enabled: connected && !films.isPending });
  const refetch = () => void Promise.all([films.refetch(), episodes.refetch()]);
  useAfterRuns(Math.min(films.dataUpdatedAt, episodes.dataUpdatedAt), refetch);
  const weeks = useMemo(
    () => films.data && episodes.data && weekly([...films.data.plays, ...episodes.data.plays], now, WEEKS),
    [films.data, episodes.data, now],
  );
  const error = films.error ?? episodes.error;
  return (
    <Paper withBorder p="lg" miw={0} component="section" aria-labelledby="chart">
      <Stack gap="sm">
        <Title order={2} size="h4" id="chart">
          {t("chart.title")}
        </Title>
        {weeks ? (
          <Suspense fallback={<Loading what={t("chart.loading")} lines={2} />}>
            <Drawn weeks={weeks} cut={Boolean(films.data?.cut || episodes.data?.cut)} />
          </Suspense>
        ) : !connected ? (
          <Text c="dimmed">{t("chart.noTrakt")}</Text>
        ) : error ? (
          <Trouble error={error} onRetry={refetch} />
        ) : (
          <Loading what={t("chart.loading")} lines={2} />
        )}
      </Stack>
    </Paper>
  );
}

/** Calls once for each run that changed Trakt's history after it was asked for. */
function useAfterRuns(asked: number, call: () => void) {
  const runs = useInfiniteQuery(runsQuery());
  const changed = lastChange(runs.data?.pages[0]?.items);
  const check = useEffectEvent(() => asked > 0 && changed > asked && call());
  useEffect(() => {
    // Not with every answer: the clocks of browser and server may differ.
    if (changed > 0) check();
  }, [changed]);
}
