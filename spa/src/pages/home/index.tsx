import { Group, SimpleGrid, Stack, Title } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Navigate } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { runsQuery, sessionQuery } from "../../api/queries";
import { useSignedIn } from "../../api/session";
import { bothConnected, isUsable } from "../../lib/accounts";
import { Loading } from "../../parts/loading";
import { Trouble } from "../../parts/trouble";
import { Accounts } from "./accounts";
import { Word } from "./word";

// What comes after the first look: the page is there before its switch and its lists are.
const Schedule = lazy(() => import("./schedule").then(({ Schedule }) => ({ default: Schedule })));
const Chart = lazy(() => import("./chart").then(({ Chart }) => ({ default: Chart })));
const LatestRuns = lazy(() => import("./latest-runs").then(({ LatestRuns }) => ({ default: LatestRuns })));
const Begun = lazy(() => import("./begun").then(({ Begun }) => ({ default: Begun })));
const OutOfDate = lazy(() => import("./out-of-date").then(({ OutOfDate }) => ({ default: OutOfDate })));

/** How things stand, and what needs its user. */
export function Home() {
  const { t } = useTranslation("home");
  const signedIn = useSignedIn();
  const session = useQuery({ ...sessionQuery(), enabled: signedIn });
  const complete = session.data !== undefined && bothConnected(session.data);
  // Who never had a run begins with the three steps; who had one has taken an account away.
  const runs = useInfiniteQuery({ ...runsQuery(), enabled: session.data !== undefined && !complete });
  if (!signedIn) return <Navigate to="/connect" replace />;
  if (!session.data) {
    if (session.error) return <Trouble error={session.error} onRetry={() => void session.refetch()} />;
    return <Loading what={t("loading")} lines={6} />;
  }
  if (!complete && runs.isPending) return <Loading what={t("loading")} lines={6} />;
  if (!complete && runs.data?.pages[0]?.items.length === 0) return <Navigate to="/connect" replace />;
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <Title order={1}>{t("hello", { name: session.data.user.name || session.data.user.slug })}</Title>
        <Accounts session={session.data} />
      </Group>
      <Suspense>
        <OutOfDate />
      </Suspense>
      <Word session={session.data} />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Suspense fallback={<Loading what={t("loading")} lines={3} />}>
          <Schedule complete={complete} />
        </Suspense>
        <Suspense fallback={<Loading what={t("loading")} lines={3} />}>
          <Chart connected={isUsable(session.data.trakt)} />
        </Suspense>
      </SimpleGrid>
      <Suspense fallback={<Loading what={t("loading")} />}>
        <LatestRuns />
        {isUsable(session.data.kinopub) && <Begun />}
      </Suspense>
    </Stack>
  );
}
