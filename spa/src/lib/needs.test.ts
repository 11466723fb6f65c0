import { describe, expect, it } from "vitest";
import type { Override, Unmatched } from "../api/queries";
import { episodesOf, ignoring, type Need, needsOf, planOf, type Solved, solvedOf, withTakenBack } from "./needs";
import { matches, UNSHIFTED } from "./offsets";

const row = (key: string, more: Partial<Unmatched> = {}): Unmatched => ({
  key,
  title: "Шерлок / Sherlock",
  year: 2010,
  type: "episode",
  reason: "not_found",
  seen: 1,
  candidates: [],
  ...more,
});
const episode = (season: number, number: number) =>
  row(`8104-${season}-${number}`, { season, episode: number, reason: "episode_not_found" });

const specials = () => needsOf([episode(0, 1), episode(0, 10), episode(0, 2)])[0] as Need;
const trakt = new Map([[0, new Set([1, 2, 10])]]);

describe("needsOf", () => {
  it("makes one card of a season's episodes, in their order", () => {
    const needs = needsOf([episode(0, 1), episode(0, 10), episode(0, 2), episode(1, 4), row("310", { type: "movie" })]);
    expect(needs.map(({ id, seen }) => [id, seen])).toEqual([
      ["8104-0", 3],
      ["8104-1", 1],
      ["310", 1],
    ]);
    expect(needs[0]?.places.map(({ number }) => number)).toEqual([1, 2, 10]);
  });
  it("keeps a show that is not there at all apart", () => {
    const [need] = needsOf([row("8110", { seen: 8 })]);
    expect(need).toMatchObject({ id: "8110", item: 8110, type: "show", season: null, places: [], seen: 8 });
  });
});

describe("planOf", () => {
  const watched = specials().places;

  it("speaks of the season when nothing else of it was watched", () => {
    const need = specials();
    const plan = planOf(need, matches(need.places, UNSHIFTED, trakt), [...watched, { season: 1, number: 1 }]);
    expect(plan).toMatchObject({ keys: ["8104-0"], scope: "season" });
    expect(plan.rows).toHaveLength(3);
  });
  it("leaves alone the season's episodes that match already", () => {
    const need = specials();
    const plan = planOf(need, matches(need.places, UNSHIFTED, trakt), [...watched, { season: 0, number: 3 }]);
    expect(plan).toMatchObject({ keys: ["8104-0-1", "8104-0-10", "8104-0-2"], scope: "episodes" });
  });
  it("leaves alone what it does not know of", () => {
    const need = specials();
    expect(planOf(need, matches(need.places, UNSHIFTED, trakt), undefined).scope).toBe("episodes");
  });
  it("takes only the episodes that have a place", () => {
    const need = specials();
    const some = matches(need.places, UNSHIFTED, new Map([[0, new Set([2])]]));
    expect(planOf(need, some, watched)).toMatchObject({ keys: ["8104-0-2"], scope: "episodes" });
  });
  it("speaks of the title where the whole title is missing", () => {
    const [need] = needsOf([row("8110", { seen: 8 })]);
    expect(planOf(need as Need, [], undefined)).toMatchObject({ keys: ["8110"], scope: "title" });
  });
});

it("ignores what is on the card, not what may come", () => {
  expect(ignoring(specials()).keys).toEqual(["8104-0-1", "8104-0-10", "8104-0-2"]);
});

describe("what was solved", () => {
  const solved = (at: number, ...keys: string[]): Solved => ({ title: "Шерлок", keys, as: null, at });

  it("names the episodes that it is about", () => {
    expect(episodesOf(solved(1, "8104-0-10", "8104-0-2"))).toBe("S0E2, S0E10");
    expect(episodesOf(solved(1, "8104-0"))).toBe("");
    expect(episodesOf(solved(1, "310"))).toBe("");
  });
  const said = (key: string, at: string, more: Partial<Override> = {}): Override => ({
    key,
    title: "Шерлок",
    year: 2010,
    type: "episode",
    ignore: true,
    trakt_id: null,
    trakt_title: null,
    trakt_year: null,
    season_offset: 0,
    episode_offset: 0,
    at,
    ...more,
  });
  const early = "2026-11-01T10:00:00Z";
  const late = "2026-11-02T10:00:00Z";

  it("is one answer for all that a card was about, newest first", () => {
    const led = { ignore: false, trakt_id: 7, trakt_title: "Sherlock", trakt_year: 2010 };
    const all = [
      said("310", early),
      said("8104-0-1", early),
      said("8104-0-2", late),
      said("8104-1-2", early),
      said("8104-0-3", early, { ...led, episode_offset: 1 }),
      said("8104-0-4", early, led),
    ];
    expect(solvedOf(all).map(({ keys, as, at }) => [keys.join(" "), as, at])).toEqual([
      ["8104-0-1 8104-0-2", null, Date.parse(late)],
      ["310", null, Date.parse(early)],
      ["8104-1-2", null, Date.parse(early)],
      ["8104-0-3", "Sherlock, 2010", Date.parse(early)],
      ["8104-0-4", "Sherlock, 2010", Date.parse(early)],
    ]);
  });
  it("is said to be taken back until something else is said of it", () => {
    const taken = solved(1, "8104-0-1", "8104-0-2");
    expect(withTakenBack([solved(2, "310")], [taken])).toEqual([{ ...taken, back: true }, solved(2, "310")]);
    expect(withTakenBack([solved(3, "8104-0-2")], [taken])).toEqual([solved(3, "8104-0-2")]);
  });
});
