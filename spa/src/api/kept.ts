/** What the browser keeps between visits, in IndexedDB: answers of queries, and a sign-in that is under way.
 *
 * No token of any kind: the session is an HttpOnly cookie, and an API token's value is shown once and never cached.
 */
import { notifyManager } from "@tanstack/react-query";
import {
  experimental_createQueryPersister as createQueryPersister,
  type PersistedQuery,
} from "@tanstack/react-query-persist-client";
import { clear, createStore, del, entries, get, set } from "idb-keyval";
import { SHAPES } from "./shapes";

const store = createStore("watchferry", "kept");
/** Unix milliseconds. */
let wipedAt = 0;
const KEPT_MS = 30 * 24 * 3600 * 1000;

/** Each query by itself: one of 10,000 events is not written again because a poster came. */
export const persister = createQueryPersister({
  storage: {
    getItem: (key: string) => get(key, store),
    setItem: async (key: string, value: unknown) => {
      if ((value as PersistedQuery).state.dataUpdatedAt > wipedAt) await set(key, value, store);
    },
    removeItem: (key: string) => del(key, store),
    entries: () => entries<string, unknown>(store),
  },
  serialize: (query) => query as never,
  deserialize: (stored) => stored as never,
  maxAge: KEPT_MS,
  buster: SHAPES, // an answer from before a release may lack what the page counts on
  refetchOnRestore: false, // `keeping` does
  prefix: "query",
});

interface Paged {
  pages: { next_cursor: string | null }[];
}

/** `meta` of a query that comes in very many pages: kept with its first and its last one. Writing the whole of it again
 * with each of them makes the page stutter while they come. */
export const MANY_PAGES = { manyPages: true };

/** `meta` of a query whose answer stays good for its `staleTime` across visits: nothing that is done here changes it.
 * Any other that was kept is shown and asked for anew, since only those that are on the screen hear that they are out
 * of date. */
export const LASTING = { lasting: true };

const TIDY_AFTER_MS = 10_000;
let untidy = true;

/** Takes what was kept before it asks, and keeps what it was answered. */
export const keeping: typeof persister.persisterFn = async (queryFn, context, query) => {
  // Once a visit, when there is time for it; if not now, then at the next.
  if (untidy) setTimeout(() => persister.persisterGc().catch(() => undefined), TIDY_AFTER_MS);
  untidy = false;
  if (query.state.data === undefined) return keptOrAsked(queryFn, context, query);
  if (!query.meta?.manyPages) return persister.persisterFn(queryFn, context, query);
  const answer = await queryFn(context);
  if ((answer as Paged).pages.at(-1)?.next_cursor === null) {
    notifyManager.schedule(() => void persister.persistQuery(query)); // once the query has the answer
  }
  return answer;
};

const keptOrAsked: typeof persister.persisterFn = async (queryFn, context, query) => {
  let asked = false;
  const ask: typeof queryFn = (asking) => {
    asked = true;
    return queryFn(asking);
  };
  const answer = await persister.persisterFn(ask, context, query);
  if (asked) return answer;
  // Once the query has it, and its age. What goes wrong then, the query tells.
  notifyManager.schedule(() => {
    if (!query.meta?.lasting || query.isStale()) query.fetch().catch(() => undefined);
  });
  return answer;
};

/** Signing out leaves nothing behind, nor does an answer that is still on its way. */
export async function wipe(): Promise<void> {
  wipedAt = Date.now();
  await clear(store);
}

export type Provider = "trakt" | "kinopub";

/** A device flow under way. `device_code` is a handle of the broker's, worthless without the person's approval. */
export interface Flow {
  device_code: string;
  user_code: string;
  verification_url: string;
  verification_url_complete: string;
  /** Seconds. */
  interval: number;
  /** Unix milliseconds. */
  expires_at: number;
}

const flowKey = (provider: Provider) => `flow-${provider}`;

export const keptFlow = (provider: Provider): Promise<Flow | undefined> => get(flowKey(provider), store);
export const keepFlow = (provider: Provider, flow: Flow): Promise<void> => set(flowKey(provider), flow, store);
export const dropFlow = (provider: Provider): Promise<void> => del(flowKey(provider), store);
