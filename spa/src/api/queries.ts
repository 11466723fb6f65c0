/** Every question that the page asks, with its key and how long the answer is good. */
import { infiniteQueryOptions, type QueryClient, queryOptions } from "@tanstack/react-query";
import { atMost } from "../lib/at-most";
import { type Minutes, minutesOf, type Video } from "../lib/minutes";
import { type Listed, numbersOf, type Place } from "../lib/offsets";
import type { Play } from "../lib/weeks";
import { ApiError, api, body, proxied, type Schemas } from "./client";
import { LASTING, MANY_PAGES, persister } from "./kept";
import { hinted } from "./session";

export type Session = Schemas["Session"];
export type Run = Schemas["Run"];
export type Event = Schemas["Event"];
export type Outcome = Event["outcome"];
export type State = Schemas["SyncState"];
export type Settings = Schemas["SyncSettings"];
export type Override = Schemas["Override"];
export type Unmatched = Schemas["Unmatched"];
export type Candidate = Schemas["Candidate"];
export type ApiToken = Schemas["ApiToken"];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const ENDED = new Set<Run["status"]>(["succeeded", "partial", "failed", "cancelled", "awaiting_confirmation"]);

/** Whether somebody works on the run: it changes by itself. */
export const isActive = (run: Pick<Run, "status">): boolean => !ENDED.has(run.status);

/** Asking again changes nothing. */
export const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

export const sessionQuery = () =>
  queryOptions({
    queryKey: ["session"],
    queryFn: () => body(api.GET("/auth/session")),
    enabled: hinted(),
  });

export const stateQuery = () =>
  queryOptions({
    queryKey: ["state"],
    queryFn: () => body(api.GET("/sync/state")),
    refetchInterval: (query) => (query.state.data?.active_run_id ? 2_000 : 30_000),
  });

export const settingsQuery = () =>
  queryOptions({ queryKey: ["settings"], queryFn: () => body(api.GET("/sync/settings")) });

export const runsQuery = () =>
  infiniteQueryOptions({
    queryKey: ["runs"],
    queryFn: ({ pageParam }) =>
      body(api.GET("/sync/runs", { params: { query: pageParam ? { cursor: pageParam } : {} } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor,
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ["run", id],
    queryFn: () => body(api.GET("/sync/runs/{run_id}", { params: { path: { run_id: id } } })),
    refetchInterval: ({ state: { data, error, errorUpdateCount } }) => {
      if (error) return isMissing(error) ? false : Math.min(2 ** errorUpdateCount, 60) * 1_000;
      return data && !isActive(data) ? false : 1_000;
    },
  });

/** All events of a run that is at rest, page by page; `status` is in the key, since a run writes others while it goes on.
 * After that only an undo changes them, which may be begun anywhere. */
export const eventsQuery = ({ id, mode, status, counts }: Pick<Run, "id" | "mode" | "status" | "counts">) => {
  const changing = mode !== "undo" && counts.sent > 0;
  return infiniteQueryOptions({
    queryKey: ["events", id, status],
    queryFn: async ({ pageParam }) => {
      const query = pageParam ? { cursor: pageParam } : {};
      const page = await body(api.GET("/sync/runs/{run_id}/events", { params: { path: { run_id: id }, query } }));
      return page as Schemas["EventPage"]; // CSV comes only to those who ask for it
    },
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor,
    meta: changing ? MANY_PAGES : { ...MANY_PAGES, ...LASTING },
    staleTime: changing ? MINUTE_MS : HOUR_MS,
    refetchOnWindowFocus: false, // there may be tens of thousands
    structuralSharing: false, // comparing tens of thousands with each page that comes
  });
};

/** An undo changes the events of a run that is long over: of `id`, or of any. */
export function forgetEvents(client: QueryClient, id?: string): void {
  const queryKey = id ? ["events", id] : ["events"];
  client.removeQueries({ queryKey, type: "inactive" });
  void client.invalidateQueries({ queryKey });
  void persister.removeQueries({ queryKey });
}

export const unmatchedQuery = () =>
  infiniteQueryOptions({
    queryKey: ["unmatched"],
    queryFn: ({ pageParam }) =>
      body(api.GET("/sync/unmatched", { params: { query: pageParam ? { cursor: pageParam } : {} } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor,
    staleTime: 5 * MINUTE_MS,
  });

/** All that was said of titles: there are few. */
export const overridesQuery = () =>
  queryOptions({
    queryKey: ["overrides"],
    queryFn: async () => {
      const all: Override[] = [];
      let cursor: string | null = "";
      while (cursor !== null) {
        const page: Schemas["OverridePage"] = await body(
          api.GET("/sync/overrides", { params: { query: cursor ? { cursor } : {} } }),
        );
        all.push(...page.items);
        cursor = page.next_cursor;
      }
      return all;
    },
    staleTime: 5 * MINUTE_MS,
  });

export const apiTokensQuery = () =>
  queryOptions({ queryKey: ["api-tokens"], queryFn: () => body(api.GET("/auth/api-tokens")) });

// ---- the upstreams, by way of the proxy

export interface Wanted {
  type: "movie" | "show";
  imdb?: string | null;
  tmdb?: number | null;
  /** Kinopub's id of the title: where no other is known, it leads to one. */
  kinopubItem?: number | null;
}

interface Pictured {
  poster_path: string | null;
}

/** Path of a poster in `/t/p/{size}`, or null where TMDB has none. */
export const posterQuery = (wanted: Wanted) =>
  queryOptions({
    queryKey: ["poster", wanted.type, ...knownBy(wanted)],
    queryFn: () => poster(wanted),
    enabled: knownBy(wanted).length > 0,
    meta: LASTING,
    staleTime: 7 * 24 * HOUR_MS,
    retry: false,
  });

/** Whose id leads to the poster, and the id: numbers of different sites are the same now and then. */
export function knownBy({ imdb, tmdb, kinopubItem }: Wanted): [] | ["tmdb" | "imdb" | "kinopub", string | number] {
  if (tmdb) return ["tmdb", tmdb];
  if (imdb) return ["imdb", imdb];
  return kinopubItem ? ["kinopub", kinopubItem] : [];
}

async function poster(wanted: Wanted): Promise<string | null> {
  const kind = wanted.type === "movie" ? "movie" : "tv";
  const [whose, number] = knownBy(wanted);
  if (whose === "tmdb") return (await proxied<Pictured>(`/tmdb/3/${kind}/${number}`)).data.poster_path;
  const id = whose === "kinopub" ? await imdbOf(Number(number)) : number;
  if (!id) return null;
  const { data } = await proxied<{ movie_results: Pictured[]; tv_results: Pictured[] }>(`/tmdb/3/find/${id}`, {
    external_source: "imdb_id",
  });
  return (kind === "movie" ? data.movie_results : data.tv_results)[0]?.poster_path ?? null;
}

/** Many reads at once make Kinopub refuse them. */
const kinopub = atMost(3);

/** Kinopub knows IMDb's ids as numbers, and those that it does not know as 0 or null. */
async function imdbOf(item: number): Promise<string | null> {
  const { data } = await kinopub(() =>
    proxied<{ item?: { imdb?: number | null } }>(`/kinopub/v1/items/${item}`, { nolinks: "1" }),
  );
  return data.item?.imdb ? `tt${String(data.item.imdb).padStart(7, "0")}` : null;
}

/** A title in Kinopub's lists of what was begun. */
export interface Begun {
  id: number;
  type: string;
  title: string;
  /** Of a series: episodes in all, seen, left. As text at times. */
  total?: number | string;
  watched?: number | string;
  new?: number | string;
}

/** What was begun on Kinopub and not finished: kinoapi.ru.md, watching. */
export const begunQuery = (what: "movies" | "serials") =>
  queryOptions({
    queryKey: ["begun", what],
    queryFn: async () => (await proxied<{ items: Begun[] }>(`/kinopub/v1/watching/${what}`)).data.items,
    meta: LASTING,
    staleTime: 5 * MINUTE_MS,
  });

/** How much of a film was watched, which the list does not say; null where no length is known. */
export const minutesQuery = (item: number) =>
  queryOptions({
    queryKey: ["minutes", item],
    queryFn: async (): Promise<Minutes | null> => {
      const { data } = await kinopub(() =>
        proxied<{ item: { videos?: Video[] } }>("/kinopub/v1/watching", { id: String(item) }),
      );
      return minutesOf(data.item.videos ?? []);
    },
    meta: LASTING,
    staleTime: 5 * MINUTE_MS,
    retry: false,
  });

/** Of 250 plays, which is as many as Trakt gives at once. Nobody watches more in a year than fit into so many. */
const MOST_PAGES = 40;

export interface Plays {
  plays: Play[];
  /** There are more; the oldest are missing. */
  cut: boolean;
}

/** Plays of Trakt's history since a day, films or episodes: page by page, one after another. */
export const playsQuery = (what: "movies" | "episodes", since: Date) =>
  queryOptions({
    queryKey: ["history", what, since.toISOString().slice(0, 10)],
    queryFn: async (): Promise<Plays> => {
      const plays = new Map<number, Play>(); // pages shift while something is added
      let pages = 1;
      for (let page = 1; page <= Math.min(pages, MOST_PAGES); page++) {
        const query = { start_at: since.toISOString(), page: String(page), limit: "250" };
        const { data, headers } = await proxied<Play[]>(`/trakt/sync/history/${what}`, query);
        for (const { id, type, watched_at } of data) plays.set(id, { id, type, watched_at });
        pages = Number(headers.get("x-pagination-page-count")) || 1;
      }
      return { plays: [...plays.values()], cut: pages > MOST_PAGES };
    },
    meta: LASTING,
    staleTime: 6 * HOUR_MS,
  });

/** A title that Trakt's search found. */
interface Hit {
  movie?: Found;
  show?: Found;
}
type Found = Pick<Candidate, "title" | "year"> & { ids: Record<string, number | string | null> & { trakt: number } };

/** What Trakt has under a name, of the one type. */
export const traktSearchQuery = (type: "movie" | "show", text: string) =>
  queryOptions({
    queryKey: ["trakt-search", type, text],
    queryFn: async (): Promise<Candidate[]> => {
      const { data } = await proxied<Hit[]>(`/trakt/search/${type}`, { query: text });
      return data.flatMap((hit) => {
        const found = hit[type];
        if (!found) return [];
        const ids = Object.entries(found.ids).filter((id): id is [string, number | string] => id[1] !== null);
        return [
          { trakt_id: found.ids.trakt, type, title: found.title, year: found.year, ids: Object.fromEntries(ids) },
        ];
      });
    },
    enabled: text.length > 1,
    persister: undefined, // nobody asks the same again next week
    staleTime: HOUR_MS,
  });

/** Numbers of the episodes that a season has at Trakt; none when there is no such season. */
export const traktSeasonQuery = (show: number, season: number) =>
  queryOptions({
    queryKey: ["trakt-season", show, season],
    queryFn: async (): Promise<number[]> => {
      try {
        return numbersOf((await proxied<Listed[]>(`/trakt/shows/${show}/seasons/${season}`)).data);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return [];
        throw error;
      }
    },
    meta: LASTING,
    staleTime: HOUR_MS,
  });

interface Watching {
  item: { seasons?: { number: number; episodes: { number: number; status: number }[] }[] };
}

const FINISHED = 1;

/** The episodes of a show that Kinopub knows as watched to the end. */
export const watchedQuery = (item: number) =>
  queryOptions({
    queryKey: ["watched", item],
    queryFn: async (): Promise<Place[]> => {
      const { data } = await proxied<Watching>("/kinopub/v1/watching", { id: String(item) });
      return (data.item.seasons ?? []).flatMap((season) =>
        season.episodes
          .filter(({ status }) => status === FINISHED)
          .map(({ number }) => ({ season: season.number, number })),
      );
    },
    meta: LASTING,
    staleTime: 5 * MINUTE_MS,
  });
