import { Group, Select, Stack, Text, TextInput, UnstyledButton } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { csvOf, download } from "../../api/csv";
import type { Run } from "../../api/queries";
import { chosen as choose, type SORTS, type SortBy, sorted } from "../../lib/events";
import { Button } from "../../parts/button";
import { Search } from "../../parts/icons";
import { Loading } from "../../parts/loading";
import { Nothing } from "../../parts/nothing";
import { Trouble } from "../../parts/trouble";
import { EventRow } from "./event-row";
import styles from "./run.module.css";
import type { Chosen } from "./run-view";
import type { Events } from "./use-events";

/** Pixels. On a phone the title and what became of it stand below one another. */
const ROW_HEIGHT = { wide: 68, narrow: 120 };

interface Listed extends Pick<Events, "events" | "rows"> {
  run: Run;
  chosen: Chosen;
  onChoose: (to: Chosen) => void;
}

/** Every view and what became of it. Tens of thousands: only the rows in sight are there. */
export function EventsTable({ run, events, rows, chosen, onChoose }: Listed) {
  const { t } = useTranslation(["run", "common"]);
  const { hasNextPage, isError, fetchNextPage } = events;
  const table = useMutation({
    mutationFn: async () => download(await csvOf(run.id), `watchferry-${run.id}.csv`),
  });
  const [search, setSearch] = useState("");
  const [type, setType] = useState<string | null>(null);
  const [sort, setSort] = useState<{ by: SortBy; descending: boolean }>({ by: "time", descending: true });
  // What is typed or pressed shows at once; the rows follow.
  const wanted = useDeferredValue(useMemo(() => ({ ...chosen, type, search }), [chosen, type, search]));
  const order = useDeferredValue(sort);
  const shown = useMemo(() => sorted(choose(rows, wanted), order.by, order.descending), [rows, wanted, order]);

  if (events.isPending) return <Loading what={t("loadingEvents")} lines={6} />;
  if (isError && rows.length === 0) return <Trouble error={events.error} onRetry={() => void events.refetch()} />;
  if (rows.length === 0)
    return <Nothing title={t("noEvents.title")} hint={t(run.error ? "noEvents.ended" : "noEvents.hint")} />;

  const outcomes = [...new Set(rows.map(({ event }) => event.outcome))];
  return (
    <Stack gap="sm">
      <Group align="end">
        <TextInput
          className={styles.search}
          label={t("search")}
          leftSection={<Search />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <Select
          className={styles.outcomes}
          label={t("outcome")}
          value={chosen.outcome ?? "all"}
          data={[
            { value: "all", label: t("everything") },
            ...outcomes.map((value) => ({ value, label: t(`common:outcome.${value}`) })),
          ]}
          onChange={(value) => onChoose({ outcome: value === "all" ? null : value, reason: null })}
          allowDeselect={false}
        />
        <Select
          className={styles.type}
          label={t("type.label")}
          value={type ?? "all"}
          data={[
            { value: "all", label: t("type.all") },
            { value: "movie", label: t("type.movie") },
            { value: "episode", label: t("type.episode") },
          ]}
          onChange={(value) => setType(value === "all" ? null : value)}
          allowDeselect={false}
        />
        <Button variant="default" onClick={() => table.mutate()} loading={table.isPending}>
          {t("csv")}
        </Button>
        <Text size="sm" c="dimmed" role="status" pb={8}>
          {hasNextPage ? t("coming", { count: rows.length }) : t("shown", { count: shown.length })}
        </Text>
      </Group>
      {table.error ? <Trouble error={table.error} /> : null}
      {isError && <Trouble error={events.error} onRetry={() => void fetchNextPage()} />}
      <Rows rows={shown} sort={sort} onSort={setSort} />
      {shown.length === 0 && <Nothing title={t("noMatch.title")} hint={t("noMatch.hint")} />}
    </Stack>
  );
}

interface Shown {
  rows: ReturnType<typeof sorted>;
  sort: { by: SortBy; descending: boolean };
  onSort: (sort: { by: SortBy; descending: boolean }) => void;
}

function Rows({ rows, sort, onSort }: Shown) {
  const { t } = useTranslation("run");
  const list = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  const height = useMediaQuery("(max-width: 54rem)", false, { getInitialValueInEffect: false })
    ? ROW_HEIGHT.narrow
    : ROW_HEIGHT.wide;
  useLayoutEffect(() => {
    // What stands above may change its height with the width of the window.
    const measure = () => {
      if (list.current) setMargin(list.current.getBoundingClientRect().top + window.scrollY);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    measure();
    return () => observer.disconnect();
  }, []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => height,
    overscan: 8,
    scrollMargin: margin,
  });
  // Sizes are remembered; a turned phone has others.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height is what calls for it
  useLayoutEffect(() => virtual.measure(), [height]);
  return (
    <div role="table" aria-label={t("table")} aria-rowcount={rows.length + 1} className={styles.table}>
      <div role="rowgroup">
        <div role="row" aria-rowindex={1} className={styles.head}>
          {(["title", "time", "outcome"] satisfies (typeof SORTS)[number][]).map((by) => (
            <div
              key={by}
              role="columnheader"
              aria-sort={sort.by === by ? (sort.descending ? "descending" : "ascending") : "none"}
            >
              <UnstyledButton
                className={styles.sort}
                onClick={() => onSort({ by, descending: sort.by === by ? !sort.descending : by === "time" })}
              >
                {t(`column.${by}`)}{" "}
                <span aria-hidden="true">{sort.by === by ? (sort.descending ? "↓" : "↑") : ""}</span>
              </UnstyledButton>
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" ref={list} className={styles.rows} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          return (
            row && (
              <EventRow
                key={index}
                row={row}
                index={index}
                top={start - margin}
                height={height}
                moving={virtual.isScrolling}
              />
            )
          );
        })}
      </div>
    </div>
  );
}
