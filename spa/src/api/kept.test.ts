import "fake-indexeddb/auto";
import { QueryClient } from "@tanstack/react-query";
import { createStore, entries } from "idb-keyval";
import { describe, expect, it } from "vitest";
import { keeping, MANY_PAGES, wipe } from "./kept";

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
  meta: MANY_PAGES,
  staleTime: 60_000,
};

const client = () => new QueryClient({ defaultOptions: { queries: { persister: keeping } } });

async function pagesKept(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  const stored = (await entries<string, Stored>(createStore("watchferry", "kept"))) as [string, Stored][];
  return stored[0]?.[1].state.data.pages.length ?? 0;
}

describe("what comes in many pages", () => {
  it("is kept with its first page and with its last one, and is not asked for again", async () => {
    const first = client();
    await first.fetchInfiniteQuery({ ...manyPages, pages: 1 });
    expect(await pagesKept()).toBe(1);

    await first.fetchInfiniteQuery({ ...manyPages, pages: 3, staleTime: 0 });
    expect(await pagesKept()).toBe(1); // more are to come
    await first.fetchInfiniteQuery({ ...manyPages, pages: PAGES, staleTime: 0 });
    expect(await pagesKept()).toBe(PAGES);

    asked.length = 0;
    const later = await client().fetchInfiniteQuery(manyPages);
    expect(later.pages.flatMap(({ items }) => items)).toEqual([0, 1, 2, 3]);
    expect(asked).toEqual([]);

    await wipe();
    expect(await pagesKept()).toBe(0);
  });
});
