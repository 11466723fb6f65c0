import { type InfiniteData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ApiError, api, type Schemas } from "../../api/client";
import { type Candidate, overridesQuery, unmatchedQuery } from "../../api/queries";
import { type Need, type Plan, type Solved, solvedOf, withTakenBack } from "../../lib/needs";
import type { Shift } from "../../lib/offsets";

/** What a person says of a title: this one at Trakt, or none. */
export type Answer = { candidate: Candidate; shift: Shift } | "ignore";

export interface Mending {
  need: Need;
  plan: Plan;
  answer: Answer;
}

export interface Failed {
  error: unknown;
  answer: Answer;
}

type Pages = InfiniteData<Schemas["UnmatchedPage"], unknown>;

async function forget(key: string): Promise<void> {
  try {
    await api.DELETE("/sync/overrides/{key}", { params: { path: { key } } });
  } catch (error) {
    if (!(error instanceof ApiError && error.code === "not_found")) throw error; // else it was taken back elsewhere
  }
}

/** What was said, newest first, and a way to take it back: the next run looks at the title as if nothing had been. */
export function useSolved() {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(overridesQuery());
  const [back, setBack] = useState<readonly Solved[]>([]);
  const solved = useMemo(() => withTakenBack(solvedOf(data ?? []), back), [data, back]);

  async function takeBack(taken: Solved) {
    try {
      for (const key of taken.keys) await forget(key);
      // The same may be taken back, said and taken back again.
      setBack((others) => [taken, ...others.filter(({ keys }) => !keys.some((key) => taken.keys.includes(key)))]);
    } finally {
      const lists = [overridesQuery().queryKey, unmatchedQuery().queryKey];
      await Promise.all(lists.map((queryKey) => client.invalidateQueries({ queryKey })));
    }
  }

  return { solved, takeBack, trouble: data ? null : error, askAgain: () => void refetch() };
}

const without = (pages: Pages | undefined, keys: ReadonlySet<string>): Pages | undefined =>
  pages && {
    ...pages,
    pages: pages.pages.map((page) => ({ ...page, items: page.items.filter(({ key }) => !keys.has(key)) })),
  };

/** Gives answers: the card leaves at once, and comes back with what went wrong. */
export function useMend() {
  const client = useQueryClient();
  const list = unmatchedQuery().queryKey;
  const [failed, setFailed] = useState<Readonly<Record<string, Failed>>>({});
  const { mutate } = useMutation({
    mutationKey: ["mend"],
    mutationFn: async ({ plan, answer }: Mending) => {
      const said =
        answer === "ignore"
          ? ({ ignore: true } as const)
          : {
              trakt_id: answer.candidate.trakt_id,
              season_offset: answer.shift.season,
              episode_offset: answer.shift.episode,
            };
      for (const key of plan.keys) await api.PUT("/sync/overrides/{key}", { params: { path: { key } }, body: said });
    },
    onMutate: async ({ need, plan }) => {
      setFailed(({ [need.id]: _, ...others }) => others);
      await client.cancelQueries({ queryKey: list });
      const before = client.getQueryData(list);
      client.setQueryData(list, (now) => without(now, new Set(plan.rows.map(({ key }) => key))));
      return before;
    },
    onError: (error, { need, plan, answer }, before) => {
      setFailed((others) => ({ ...others, [need.id]: { error, answer } }));
      // Only its own rows: other cards may have left meanwhile.
      client.setQueryData(list, (now) => {
        const stay = new Set(now?.pages.flatMap((page) => page.items.map(({ key }) => key)));
        const own = new Set(plan.rows.map(({ key }) => key));
        const gone = before?.pages.flatMap((page) => page.items.map(({ key }) => key)) ?? [];
        return without(before ?? now, new Set(gone.filter((key) => !stay.has(key) && !own.has(key))));
      });
    },
    onSettled: () => {
      // The last one of several: an earlier answer would bring back cards that are on their way.
      if (client.isMutating({ mutationKey: ["mend"] }) !== 1) return undefined;
      const told = [list, overridesQuery().queryKey];
      return Promise.all(told.map((queryKey) => client.invalidateQueries({ queryKey })));
    },
  });
  return { mend: mutate, failed };
}
