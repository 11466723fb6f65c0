import { useQueries, useQuery } from "@tanstack/react-query";
import { traktSeasonQuery, watchedQuery } from "../../api/queries";
import type { Need } from "../../lib/needs";
import { inOrder, type Match, matches, type Place, type Shift, seasonsToAsk } from "../../lib/offsets";

export interface Preview {
  matched: Match[];
  watched: Place[] | undefined;
  pending: boolean;
  error: unknown;
  retry: () => void;
}

/** Where the episodes of a card would be at Trakt. `show`: Trakt's id of the chosen one. */
export function usePreview(need: Need, show: number | null, shift: Shift): Preview {
  const wanted = need.type === "show" && show !== null;
  const watched = useQuery({ ...watchedQuery(need.item), enabled: wanted });
  const places = need.season === null ? (watched.data ?? []).toSorted(inOrder) : need.places;
  const asked = wanted ? seasonsToAsk(places, shift) : [];
  const answers = useQueries({ queries: asked.map((season) => traktSeasonQuery(show ?? 0, season)) });
  const broken = answers.filter((answer) => answer.isError);
  const known = new Map(asked.map((season, index) => [season, new Set(answers[index]?.data)]));
  return {
    matched: matches(places, shift, known),
    watched: watched.data,
    // Without Kinopub's word a season's card still has its own episodes.
    pending: wanted && (watched.isLoading || answers.some((answer) => answer.isLoading)),
    error: broken[0]?.error ?? (need.season === null ? watched.error : null),
    retry: () => {
      for (const answer of broken) void answer.refetch();
      if (watched.isError) void watched.refetch();
    },
  };
}
