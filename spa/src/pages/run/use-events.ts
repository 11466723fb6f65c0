import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { eventsQuery, type Run, stateQuery } from "../../api/queries";
import { removedOf, rowsOf } from "../../lib/events";
import { useWhenOver } from "../../parts/use-when-over";

/** What became of every view of a run that is at rest, page after page. */
export function useEvents(run: Run) {
  const client = useQueryClient();
  const events = useInfiniteQuery(eventsQuery(run));
  const { data, hasNextPage, isFetching, isError, fetchNextPage } = events;
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [hasNextPage, isFetching, isError, fetchNextPage]);

  // An undo may be at work while this is looked at.
  const active = useQuery(stateQuery()).data?.active_run_id ?? null;
  useWhenOver(active, () => void client.invalidateQueries({ queryKey: ["events", run.id] }));

  const rows = useMemo(() => (data?.pages ?? []).flatMap((page) => rowsOf(page.items)), [data]);
  const { removed, gone } = useMemo(
    () => (run.mode === "undo" ? { removed: 0, gone: 0 } : removedOf(rows)),
    [run.mode, rows],
  );
  // When some cannot be had, what is there has to do; the server has the last word.
  const known = isError || (data !== undefined && !hasNextPage);
  return { events, rows, removed, gone, known };
}

export type Events = ReturnType<typeof useEvents>;
