import { Paper, Stack, Text, Title, VisuallyHidden } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { playsQuery } from "../../api/queries";
import { since, weekly } from "../../lib/weeks";
import { Loading } from "../../parts/loading";
import { Trouble } from "../../parts/trouble";

const WEEKS = 52;

const Bars = lazy(() => import("./bars"));

/** Views per week of the last twelve months, as Trakt has them. */
export function Chart() {
  const { t } = useTranslation("home");
  const [now] = useState(() => new Date());
  const from = useMemo(() => since(now, WEEKS), [now]);
  const films = useQuery(playsQuery("movies", from));
  const episodes = useQuery(playsQuery("episodes", from));
  const weeks = useMemo(
    () => films.data && episodes.data && weekly([...films.data, ...episodes.data], now, WEEKS),
    [films.data, episodes.data, now],
  );
  const total = (films.data?.length ?? 0) + (episodes.data?.length ?? 0);
  const error = films.error ?? episodes.error;
  return (
    <Paper withBorder p="lg" miw={0} component="section" aria-labelledby="chart">
      <Stack gap="sm">
        <Title order={2} size="h4" id="chart">
          {t("chart.title")}
        </Title>
        {error && !weeks ? (
          <Trouble error={error} onRetry={() => void Promise.all([films.refetch(), episodes.refetch()])} />
        ) : !weeks ? (
          <Loading what={t("chart.loading")} lines={2} />
        ) : total === 0 ? (
          <Text c="dimmed">{t("chart.none")}</Text>
        ) : (
          <>
            <VisuallyHidden>
              {t("chart.says", { films: films.data?.length ?? 0, episodes: episodes.data?.length ?? 0 })}
            </VisuallyHidden>
            <div aria-hidden="true">
              <Suspense fallback={<Loading what={t("chart.loading")} lines={2} />}>
                <Bars weeks={weeks} />
              </Suspense>
            </div>
          </>
        )}
      </Stack>
    </Paper>
  );
}
