/** Unmatched rows as cards, and which overrides a card's answer becomes (storage/overrides.py: the keys). */
import type { Candidate, Override, Unmatched } from "../api/queries";
import { inOrder, type Match, type Place, placeName } from "./offsets";

/** What one card asks about: a film, a whole show, or the episodes of one season that a show lacks. */
export interface Need {
  /** Of the card: a title's key or a season's. */
  id: string;
  /** Kinopub's id of the title. */
  item: number;
  type: "movie" | "show";
  title: string;
  year: number | null;
  reason: Unmatched["reason"];
  /** How many views wait. */
  seen: number;
  /** Null where it is about all of the title. */
  season: number | null;
  /** The episodes, where it is about some; else Kinopub has to be asked. */
  places: Place[];
  candidates: Candidate[];
  rows: Unmatched[];
}

const placeOf = ({ season, episode }: Unmatched): Place | null =>
  season === undefined || episode === undefined ? null : { season, number: episode };

/** One card a title; the episodes of one season share theirs. In the order in which the rows came. */
export function needsOf(rows: readonly Unmatched[]): Need[] {
  const needs = new Map<string, Need>();
  for (const row of rows) {
    const item = Number(row.key.split("-", 1)[0]);
    const place = placeOf(row);
    const id = place ? `${item}-${place.season}` : row.key;
    const need = needs.get(id);
    if (!need) {
      needs.set(id, {
        id,
        item,
        type: row.type === "movie" ? "movie" : "show",
        title: row.title,
        year: row.year,
        reason: row.reason,
        seen: row.seen,
        season: place?.season ?? null,
        places: place ? [place] : [],
        candidates: row.candidates,
        rows: [row],
      });
      continue;
    }
    need.seen += row.seen;
    need.rows.push(row);
    if (place) need.places = [...need.places, place].sort(inOrder);
    if (need.candidates.length === 0) need.candidates = row.candidates;
  }
  return [...needs.values()];
}

export interface Plan {
  /** Under which the answer is stored. */
  keys: string[];
  /** Rows that are solved by it. */
  rows: Unmatched[];
  scope: "title" | "season" | "episodes";
}

/** As narrow as can be: an override of a season would shift its other episodes too, which are at Trakt already. It
 * stands for the season only where all that was watched of it is on the card and has a place.
 *
 * `watched`: what was watched of the title, as far as is known. */
export function planOf(need: Need, matched: readonly Match[], watched: readonly Place[] | undefined): Plan {
  if (need.season === null) return { keys: [need.id], rows: need.rows, scope: "title" };
  const waiting = new Set(need.places.map(({ number }) => number));
  const ofSeason = watched?.filter(({ season }) => season === need.season);
  const all = matched.length === need.places.length && matched.every(({ to }) => to !== null);
  if (all && ofSeason?.length && ofSeason.every(({ number }) => waiting.has(number))) {
    return { keys: [need.id], rows: need.rows, scope: "season" };
  }
  const led = new Set(matched.filter(({ to }) => to !== null).map(({ from }) => from.number));
  const rows = need.rows.filter((row) => led.has(row.episode ?? -1));
  return { keys: rows.map(({ key }) => key), rows, scope: "episodes" };
}

/** Ignoring stands for what was seen on the card, never for an episode that is still to come. */
export const ignoring = (need: Need): Plan => ({
  keys: need.rows.map(({ key }) => key),
  rows: need.rows,
  scope: need.season === null ? "title" : "episodes",
});

/** An answer that was given, under all keys at once for which it was: enough to name it and to take it back. */
export interface Solved {
  title: string;
  /** Under which it is stored. */
  keys: string[];
  /** What it is at Trakt; null where it is ignored. */
  as: string | null;
  /** Unix milliseconds. */
  at: number;
  /** Taken back: the overrides are gone. */
  back?: boolean;
}

/** Cards are of a title or of a season. */
const answerOf = ({ key, ignore, trakt_id, season_offset, episode_offset }: Override): string =>
  [...key.split("-", 2), ignore, trakt_id, season_offset, episode_offset].join();

/** The answers behind the overrides, newest first. */
export function solvedOf(overrides: readonly Override[]): Solved[] {
  const answers = new Map<string, Solved>();
  for (const override of overrides) {
    const { key, title, ignore, trakt_id, trakt_title, trakt_year } = override;
    const answer = answers.get(answerOf(override));
    const at = Date.parse(override.at);
    if (answer) {
      answer.keys.push(key);
      answer.at = Math.max(answer.at, at);
    } else {
      const as = ignore ? null : [trakt_title ?? trakt_id, trakt_year].filter(Boolean).join(", ");
      answers.set(answerOf(override), { title, keys: [key], as, at });
    }
  }
  return [...answers.values()].sort((one, other) => other.at - one.at);
}

/** With those that were taken back meanwhile, until something else is said of them. */
export const withTakenBack = (solved: readonly Solved[], back: readonly Solved[]): Solved[] => {
  const told = new Set(solved.flatMap(({ keys }) => keys));
  const gone = back.filter(({ keys }) => !keys.some((key) => told.has(key)));
  return [...gone.map((each) => ({ ...each, back: true })), ...solved];
};

/** “S0E1, S0E2”: the episodes that an answer is about; empty where it is about all of a title or a season. */
export const episodesOf = ({ keys }: Pick<Solved, "keys">): string =>
  keys
    .flatMap((key) => {
      const [, season, number] = key.split("-").map(Number);
      return season === undefined || number === undefined ? [] : [{ season, number }];
    })
    .sort(inOrder)
    .map(placeName)
    .join(", ");
