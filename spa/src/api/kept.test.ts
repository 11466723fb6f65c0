import "fake-indexeddb/auto";
import { QueryClient } from "@tanstack/react-query";
import { clear, createStore, entries, get, set } from "idb-keyval";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { keeping, LASTING, MANY_PAGES, persister, wipe } from "./kept";
import { knownBy } from "./queries";

const PAGES = 4;

interface Page {
  items: number[];
  next_cursor: string | null;
}

interface Stored {
  state: { data: { pages: Page[] } };
}

const asked: number[] = [];

const manyPages = {
  queryKey: ["many"],
  queryFn: ({ pageParam }: { pageParam: number }): Page => {
    asked.push(pageParam);
    return { items: [pageParam], next_cursor: pageParam + 1 < PAGES ? String(pageParam + 1) : null };
  },
  initialPageParam: 0,
  getNextPageParam: (last: Page) => (last.next_cursor ? Number(last.next_cursor) : null),
  meta: { ...MANY_PAGES, ...LASTING },
  staleTime: 60_000,
};

const store = createStore("watchferry", "kept");
beforeEach(() => clear(store));

const client = () => new QueryClient({ defaultOptions: { queries: { persister: keeping } } });

/** What must not happen has had its time by then. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 50));

async function pagesKept(): Promise<number> {
  const stored = (await entries<string, Stored>(store)) as [string, Stored][];
  return stored[0]?.[1].state.data.pages.length ?? 0;
}

describe("what comes in many pages", () => {
  it("is kept with its first page and with its last one, and is not asked for again", async () => {
    const first = client();
    await first.fetchInfiniteQuery({ ...manyPages, pages: 1 });
    await vi.waitFor(async () => expect(await pagesKept()).toBe(1));

    await first.fetchInfiniteQuery({ ...manyPages, pages: 3, staleTime: 0 });
    await aMoment();
    expect(await pagesKept()).toBe(1); // more are to come
    await first.fetchInfiniteQuery({ ...manyPages, pages: PAGES, staleTime: 0 });
    await vi.waitFor(async () => expect(await pagesKept()).toBe(PAGES));

    asked.length = 0;
    const later = await client().fetchInfiniteQuery(manyPages);
    expect(later.pages.flatMap(({ items }) => items)).toEqual([0, 1, 2, 3]);
    expect(asked).toEqual([]);
  });
});

describe("what was kept", () => {
  const told = (number: number, meta?: Record<string, unknown>) => ({
    queryKey: ["told"],
    queryFn: () => number,
    meta,
    staleTime: 60_000,
  });
  const key = `query-${JSON.stringify(["told"])}`;
  const isKept = (number: number) => vi.waitFor(async () => expect((await get(key, store))?.state.data).toBe(number));

  it("is shown and asked for anew, however short ago it was told", async () => {
    await client().fetchQuery(told(1));
    await isKept(1);
    const later = client();
    expect(await later.fetchQuery(told(2))).toBe(1);
    await vi.waitFor(() => expect(later.getQueryData(["told"])).toBe(2));
    await isKept(2);
    expect(await client().fetchQuery(told(3))).toBe(2);
    await isKept(3); // here, and not in the next test
  });

  it("is not asked for again where it is lasting", async () => {
    await client().fetchQuery(told(1, LASTING));
    await isKept(1);
    const later = client();
    await later.fetchQuery(told(2, LASTING));
    await aMoment();
    expect(later.getQueryData(["told"])).toBe(1);
  });

  it("is asked for in its stead when it is of another release, and goes with the rest when the visit has begun", async () => {
    await client().fetchQuery(told(1, LASTING));
    await isKept(1);
    const kept = await get(key, store);
    await set(key, { ...kept, buster: "before" }, store);
    expect(await client().fetchQuery(told(2, LASTING))).toBe(2);
    await isKept(2);
    await set("query-old", { ...kept, state: { ...kept.state, dataUpdatedAt: 1 } }, store);
    await persister.persisterGc();
    expect((await entries(store)).map(([name]) => name)).toEqual([key]);
  });
});

describe("posters", () => {
  it("are known by the id that leads to them, and by whose it is", () => {
    expect(knownBy({ type: "movie", imdb: "tt1", tmdb: 7, kinopubItem: 7 })).toEqual(["tmdb", 7]);
    expect(knownBy({ type: "movie", imdb: "tt1", kinopubItem: 7 })).toEqual(["imdb", "tt1"]);
    expect(knownBy({ type: "movie", kinopubItem: 7 })).toEqual(["kinopub", 7]);
    expect(knownBy({ type: "show", imdb: null, tmdb: null })).toEqual([]);
  });
});

it("keeps nothing of whoever signs out, nor what was still on its way", async () => {
  await set("flow-trakt", {}, store);
  const first = client();
  const one = { queryKey: ["one"], queryFn: () => 1 };
  await first.fetchQuery(one);
  await vi.waitFor(async () => expect(await entries(store)).toHaveLength(2));
  const late = Promise.withResolvers<number>();
  first.fetchQuery({ ...one, queryFn: () => late.promise }).catch(() => undefined);
  first.clear();
  await wipe();
  late.resolve(2);
  await aMoment();
  expect(await entries(store)).toEqual([]);
  await client().fetchQuery(one);
  await vi.waitFor(async () => expect(await entries(store)).toHaveLength(1));
});
