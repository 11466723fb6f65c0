import { type InfiniteData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Schemas } from "../../api/client";
import { type Candidate, unmatchedQuery } from "../../api/queries";
import type { Need, Plan } from "../../lib/needs";
import type { Shift } from "../../lib/offsets";

/** What a person says of a title: this one at Trakt, or none. */
export type Answer = { candidate: Candidate; shift: Shift } | "ignore";

export interface Mending {
  need: Need;
  plan: Plan;
  answer: Answer;
}

export interface Solved extends Mending {
  /** Unix milliseconds: a title may be solved, taken back and solved again. */
  at: number;
  /** Taken back: the override is gone. */
  back: boolean;
}

export interface Failed {
  error: unknown;
  answer: Answer;
}

type Pages = InfiniteData<Schemas["UnmatchedPage"], unknown>;

const SOLVED = ["needs-solved"];

/** What was said since the page was loaded, newest first; kept while one walks through the other pages. */
export function useSolved(): Solved[] {
  const { data } = useQuery<Solved[]>({
    queryKey: SOLVED,
    queryFn: () => [],
    initialData: [],
    staleTime: Number.POSITIVE_INFINITY,
    persister: undefined,
  });
  return data;
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
    onSuccess: (_, mending) => {
      client.setQueryData<Solved[]>(SOLVED, (others = []) => [{ ...mending, at: Date.now(), back: false }, ...others]);
    },
    onSettled: () => {
      // The last one of several: an earlier answer would bring back cards that are on their way.
      if (client.isMutating({ mutationKey: ["mend"] }) === 1) return client.invalidateQueries({ queryKey: list });
      return undefined;
    },
  });
  return { mend: mutate, failed };
}

/** Takes an answer back: the next run looks at the title as if nothing had been said. */
export function useTakeBack() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ plan }: Solved) => {
      for (const key of plan.keys) await api.DELETE("/sync/overrides/{key}", { params: { path: { key } } });
    },
    onSuccess: (_, taken) => {
      client.setQueryData<Solved[]>(SOLVED, (all = []) =>
        all.map((each) => (each === taken ? { ...each, back: true } : each)),
      );
      return client.invalidateQueries({ queryKey: unmatchedQuery().queryKey });
    },
  });
}
