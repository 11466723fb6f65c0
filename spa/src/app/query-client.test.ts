import "fake-indexeddb/auto";
import { onlineManager } from "@tanstack/react-query";
import { createStore, entries } from "idb-keyval";
import { expect, it, vi } from "vitest";
import { ApiError } from "../api/client";

const store = createStore("watchferry", "kept");
const wanted = vi.fn();
const reload = vi.fn();
vi.stubGlobal("navigator", { onLine: false });
vi.stubGlobal("document", { cookie: "" });
vi.stubGlobal("window", { location: { pathname: "/runs", reload } });
vi.stubGlobal("sessionStorage", { setItem: (_: string, path: string) => wanted(path) });
const { queryClient } = await import("./query-client");

it("knows that the page was opened without a network, and says at once that there is no answer", async () => {
  expect(onlineManager.isOnline()).toBe(false);
  const asked = vi.fn(() => Promise.reject(new ApiError(0, "unreachable", "")));
  await expect(queryClient.fetchQuery({ queryKey: ["one"], queryFn: asked })).rejects.toThrow();
  expect(asked).toHaveBeenCalledOnce();
});

it("drops everything of an account whose session ended elsewhere, once, and remembers the page", async () => {
  await queryClient.fetchQuery({ queryKey: ["known"], queryFn: () => "something of the account" });
  await vi.waitFor(async () => expect(await entries(store)).toHaveLength(1));
  const refused = () => Promise.reject(new ApiError(401, "unauthenticated", ""));
  await Promise.allSettled(
    ["one", "two"].map((name) => queryClient.fetchQuery({ queryKey: [name], queryFn: refused })),
  );
  await vi.waitFor(() => expect(reload).toHaveBeenCalled());
  expect(reload).toHaveBeenCalledOnce();
  expect(queryClient.getQueryCache().getAll()).toEqual([]);
  expect(await entries(store)).toEqual([]);
  expect(wanted.mock.calls).toEqual([["/runs"]]);
});
