import { Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { stateQuery, unmatchedQuery } from "../../api/queries";
import { type Need, needsOf } from "../../lib/needs";
import { Button } from "../../parts/button";
import { Loading } from "../../parts/loading";
import { Nothing } from "../../parts/nothing";
import { Trouble } from "../../parts/trouble";
import { headingOf, NeedCard } from "./need-card";
import styles from "./needs.module.css";
import { NextRun } from "./next-run";
import { SolvedList } from "./solved-list";
import { type Mending, useMend, useSolved } from "./use-mend";

const HEADING = "needs-you";

/** Titles that found no place at Trakt by themselves: their owner says where they belong, or that they don't. */
export function NeedsYou() {
  const { t } = useTranslation(["needs", "common"]);
  const query = useInfiniteQuery(unmatchedQuery());
  const { mend, failed } = useMend();
  const { solved, takeBack, trouble, askAgain } = useSolved();
  const last = useQuery(stateQuery()).data?.last_success_at;
  const toCome = solved.some(({ as, at, back }) => as !== null && !back && at > Date.parse(last ?? "1970-01-01"));
  const needs = needsOf(query.data?.pages.flatMap((page) => page.items) ?? []);
  const views = needs.reduce((sum, need) => sum + need.seen, 0);
  const { hasNextPage, isFetching, fetchNextPage } = query;
  const used = needs.length === 0 && hasNextPage && !isFetching;
  useEffect(() => {
    if (used) void fetchNextPage();
  }, [used, fetchNextPage]);

  function answer(mending: Mending) {
    focusAfter(needs, mending.need);
    mend(mending);
  }

  return (
    <Stack gap="lg">
      <div>
        <Title order={1} id={HEADING} tabIndex={-1} className={styles.title}>
          {t("title")}
        </Title>
        {needs.length > 0 && (
          <Text c="dimmed" role="status">
            {t("titles", { count: needs.length })} · {t("views", { count: views })}
            {hasNextPage && ` · ${t("andMore")}`}
          </Text>
        )}
      </div>
      <div className={styles.page}>
        {(needs.length > 0 || solved.length > 0 || trouble) && (
          <aside className={styles.aside} aria-label={t("next.label")}>
            <Paper withBorder p="md">
              <Stack>
                <NextRun />
                {trouble ? <Trouble error={trouble} onRetry={askAgain} /> : null}
                {solved.length > 0 && <SolvedList solved={solved} onBack={takeBack} />}
              </Stack>
            </Paper>
          </aside>
        )}
        <Stack className={styles.cards}>
          {query.isPending && <Loading what={t("asking")} />}
          {query.isError && <Trouble error={query.error} onRetry={() => void query.refetch()} />}
          {needs.map((need) => (
            <NeedCard key={need.id} need={need} failed={failed[need.id]} onAnswer={answer} />
          ))}
          {query.isSuccess && needs.length === 0 && !hasNextPage && (
            <Nothing title={t("nothing.title")} hint={t(toCome ? "nothing.solved" : "nothing.hint")} />
          )}
          {hasNextPage && (
            <Group justify="center">
              <Button variant="default" onClick={() => void fetchNextPage()} loading={query.isFetchingNextPage}>
                {t("common:more")}
              </Button>
            </Group>
          )}
        </Stack>
      </div>
    </Stack>
  );
}

/** The card takes the focus with it: the next one gets it, or the page. */
function focusAfter(needs: readonly Need[], left: Need): void {
  const index = needs.findIndex(({ id }) => id === left.id);
  const next = needs[index + 1] ?? needs[index - 1];
  document.getElementById(next ? headingOf(next) : HEADING)?.focus();
}
