import { describe, expect, it } from "vitest";
import { inOrder, matches, numbersOf, placeName, type Seasons, seasonsToAsk, shifted, UNSHIFTED } from "./offsets";

const seasons: Seasons = new Map([
  [0, new Set([1, 2])],
  [1, new Set([1, 2, 3])],
]);

describe("shifted", () => {
  it("adds both offsets to Kinopub's numbers", () => {
    expect(shifted({ season: 1, number: 3 }, { season: -1, episode: 2 })).toEqual({ season: 0, number: 5 });
  });
  it("changes nothing without offsets", () => {
    expect(shifted({ season: 4, number: 7 }, UNSHIFTED)).toEqual({ season: 4, number: 7 });
  });
});

describe("seasonsToAsk", () => {
  it("names each season once, in order", () => {
    const places = [
      { season: 2, number: 1 },
      { season: 1, number: 1 },
      { season: 2, number: 2 },
    ];
    expect(seasonsToAsk(places, { season: 1, episode: 0 })).toEqual([2, 3]);
  });
  it("leaves out what is below 0", () => {
    expect(seasonsToAsk([{ season: 0, number: 1 }], { season: -1, episode: 0 })).toEqual([]);
  });
});

describe("matches", () => {
  it("leads where Trakt has an episode, and nowhere else", () => {
    const places = [
      { season: 1, number: 1 },
      { season: 1, number: 2 },
      { season: 1, number: 14 },
    ];
    expect(matches(places, { season: -1, episode: 0 }, seasons).map(({ to }) => to && placeName(to))).toEqual([
      "S0E1",
      "S0E2",
      null,
    ]);
  });
  it("does not go below the first episode or over into another season", () => {
    const first = [{ season: 1, number: 1 }];
    expect(matches(first, { season: 0, episode: -1 }, seasons)[0]?.to).toBeNull();
    expect(matches(first, { season: 0, episode: 3 }, seasons)[0]?.to).toBeNull();
  });
  it("finds nothing in a season that is not there", () => {
    expect(matches([{ season: 3, number: 1 }], UNSHIFTED, seasons)[0]?.to).toBeNull();
  });
});

describe("numbersOf", () => {
  it("leaves out episodes by which nothing could be sent", () => {
    const listed = [
      { number: 1, ids: { trakt: 5, imdb: null } },
      { number: 2, ids: { trakt: null, imdb: null } },
      { number: 3 },
    ];
    expect(numbersOf(listed)).toEqual([1]);
  });
});

it("sorts by number, not by text", () => {
  const places = [
    { season: 1, number: 10 },
    { season: 1, number: 2 },
    { season: 0, number: 11 },
  ];
  expect(places.sort(inOrder).map(placeName)).toEqual(["S0E11", "S1E2", "S1E10"]);
});
