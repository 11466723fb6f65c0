import { type InfiniteData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError, api, type Schemas } from "../../api/client";
import { keepSolved, keptSolved } from "../../api/kept";
import { type Candidate, unmatchedQuery } from "../../api/queries";
import { type Need, type Plan, type Solved, solvedAnew } from "../../lib/needs";
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

const SOLVED = ["needs-solved"];

const NONE: Solved[] = [];

/** What was said in this browser, newest first. */
export function useSolved(): Solved[] {
  const { data } = useQuery<Solved[]>({
    queryKey: SOLVED,
    queryFn: () => keptSolved<Solved>(),
    staleTime: Number.POSITIVE_INFINITY,
    persister: undefined, // it is kept by itself
  });
  return data ?? NONE;
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
    onSuccess: async (_, { need, plan, answer }) => {
      const as =
        answer === "ignore" ? null : [answer.candidate.title, answer.candidate.year].filter(Boolean).join(", ");
      const solved = { title: need.title, keys: plan.keys, as, at: Date.now() };
      client.setQueryData<Solved[]>(SOLVED, (others = []) => solvedAnew(solved, others));
      await keepSolved<Solved>((others) => solvedAnew(solved, others)).catch(() => undefined); // it was answered
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
    mutationFn: async ({ keys }: Solved) => {
      for (const key of keys) {
        try {
          await api.DELETE("/sync/overrides/{key}", { params: { path: { key } } });
        } catch (error) {
          if (!(error instanceof ApiError && error.code === "not_found")) throw error; // else it was taken back elsewhere
        }
      }
    },
    onSuccess: async (_, taken) => {
      client.setQueryData<Solved[]>(SOLVED, (all) =>
        all?.map((each) => (each.at === taken.at ? { ...each, back: true } : each)),
      );
      await keepSolved<Solved>((all) => all.filter(({ at }) => at !== taken.at)).catch(() => undefined);
      return client.invalidateQueries({ queryKey: unmatchedQuery().queryKey });
    },
  });
}
