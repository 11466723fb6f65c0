import { describe, expect, it } from "vitest";
import type { Event } from "../api/queries";
import { chosen, episode, names, removedOf, rowOf, rowsOf, sorted } from "./events";

function event(more: Partial<Event>): Event {
  return {
    type: "movie",
    title: "Дюна / Dune",
    watched_at: "2024-03-12T20:47:00Z",
    kinopub: { item: 1, media: 2 },
    trakt_ids: {},
    outcome: "planned",
    reason: null,
    ...more,
  } as Event;
}

const dune = rowOf(event({}));
const silo3 = rowOf(
  event({ type: "episode", show: "Укрытие / Silo", title: "Машины", season: 1, number: 3, watched_at: null }),
);
const silo12 = rowOf(event({ type: "episode", show: "Укрытие / Silo", title: "Финал", season: 1, number: 12 }));
const hedgehog = rowOf(event({ title: "Ёжик в тумане", outcome: "skipped", reason: "duplicate" as never }));

describe("choosing", () => {
  const all = [dune, silo3, silo12, hedgehog];
  const everything = { outcome: null, reason: null, type: null, search: "" };
  it("takes all when nothing is asked", () => expect(chosen(all, everything)).toEqual(all));
  it("finds every word, in any case, е for ё", () => {
    expect(chosen(all, { ...everything, search: "силo машины" })).toEqual([]);
    expect(chosen(all, { ...everything, search: "SILO маши" })).toEqual([silo3]);
    expect(chosen(all, { ...everything, search: "ежик" })).toEqual([hedgehog]);
  });
  it("goes by type", () => {
    expect(chosen(all, { ...everything, type: "movie" })).toEqual([dune, hedgehog]);
    expect(chosen(all, { ...everything, type: "episode", search: "финал" })).toEqual([silo12]);
  });
  it("goes by outcome and reason", () => {
    expect(chosen(all, { ...everything, outcome: "skipped" })).toEqual([hedgehog]);
    expect(chosen(all, { ...everything, outcome: "skipped", reason: "not_found" })).toEqual([]);
  });
});

describe("sorting", () => {
  it("by title puts the third episode before the twelfth", () => {
    expect(sorted([silo12, silo3, dune], "title", false)).toEqual([dune, silo3, silo12]);
  });
  it("by time puts what has none first, and last when turned round", () => {
    expect(sorted([dune, silo3], "time", false)).toEqual([silo3, dune]);
    expect(sorted([silo3, dune], "time", true)).toEqual([dune, silo3]);
  });
  it("keeps the order of what is alike", () => {
    expect(sorted([silo12, dune], "time", true)).toEqual([silo12, dune]);
  });
  it("is quick enough for no one to notice: it compares texts, not languages", () => {
    const many = Array.from({ length: 10_000 }, (_, number) =>
      rowOf(event({ title: `Title ${(number * 7919) % 10_000}` })),
    );
    const order = sorted(many, "title", false).map((row) => row.order);
    expect(order).toEqual(order.toSorted());
  });
});

describe("rows of a page", () => {
  it("are made once: more pages leave those of the earlier ones as they are", () => {
    const page = [event({}), event({ title: "Ёжик в тумане" })];
    expect(rowsOf(page)).toBe(rowsOf(page));
    expect(rowsOf(page).map(({ text }) => text)).toEqual(["дюна / dune", "ежик в тумане"]);
    expect(rowsOf([...page])).not.toBe(rowsOf(page));
  });
});

it("counts what an undo has taken back", () => {
  const gone = event({ outcome: "skipped", reason: "already_removed" as never });
  const rows = [dune, rowOf(event({ outcome: "removed" })), rowOf(event({ outcome: "sent" })), rowOf(gone)];
  expect(removedOf(rows)).toEqual({ removed: 1, gone: 1 });
});

describe("names", () => {
  it("are two of Kinopub's title", () => expect(names("Дюна / Dune")).toEqual(["Дюна", "Dune"]));
  it("are one and nothing", () => expect(names("Dune")).toEqual(["Dune", ""]));
  it("keep what comes after", () => expect(names("А / B / C")).toEqual(["А", "B / C"]));
  it("number episodes alone", () => {
    expect(episode(silo12.event)).toBe("S1E12");
    expect(episode(dune.event)).toBeUndefined();
  });
});
