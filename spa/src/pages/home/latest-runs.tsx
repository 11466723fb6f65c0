import { Group, Paper, Stack, Title } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { isActive, runsQuery } from "../../api/queries";
import { TextLink } from "../../parts/links";
import { Loading } from "../../parts/loading";
import { Nothing } from "../../parts/nothing";
import { RunRow } from "../../parts/run-row";
import { Trouble } from "../../parts/trouble";

const SHOWN = 5;

export function LatestRuns() {
  const { t } = useTranslation("home");
  const runs = useInfiniteQuery({
    ...runsQuery(),
    refetchInterval: (query) => (query.state.data?.pages[0]?.items.some(isActive) ? 3_000 : 60_000),
  });
  const items = runs.data?.pages[0]?.items.slice(0, SHOWN);
  return (
    <Stack gap="sm" component="section" aria-labelledby="latest">
      <Group justify="space-between">
        <Title order={2} size="h4" id="latest">
          {t("latest.title")}
        </Title>
        <TextLink to="/runs">{t("latest.all")}</TextLink>
      </Group>
      {!items && runs.error ? <Trouble error={runs.error} onRetry={() => void runs.refetch()} /> : null}
      {runs.isPending && <Loading what={t("loading")} />}
      {items?.length === 0 && <Nothing title={t("latest.none")} hint={t("latest.hint")} />}
      {items && items.length > 0 && (
        <Paper withBorder>
          {items.map((run) => (
            <RunRow key={run.id} run={run} />
          ))}
        </Paper>
      )}
    </Stack>
  );
}
