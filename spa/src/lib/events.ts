/** The table of a run's events: what can be searched, chosen and sorted. All of it is quick for tens of thousands. */
import type { Event } from "../api/queries";

export interface Row {
  event: Event;
  /** What the search looks through: names, folded. */
  text: string;
  /** Folded title, then season and episode: what sorting by title goes by. */
  order: string;
  /** Unix milliseconds; 0 for a view without a time. */
  time: number;
}

export interface Choice {
  outcome: string | null;
  reason: string | null;
  type: string | null;
  search: string;
}

export const SORTS = ["time", "title", "outcome"] as const;
export type SortBy = (typeof SORTS)[number];

/** Lower case, without the difference of е and ё. */
export const fold = (text: string): string => text.toLowerCase().replaceAll("ё", "е");

/** Kinopub's “Русское / Original” as two names; the second is empty where there is one. */
export function names(title: string): [string, string] {
  const [first = "", ...others] = title.split(" / ");
  return [first, others.join(" / ")];
}

const numbered = (event: Event): string =>
  `${String(event.season ?? 0).padStart(4, "0")}${String(event.number ?? 0).padStart(5, "0")}`;

export function rowOf(event: Event): Row {
  return {
    event,
    text: fold([event.show, event.title, event.year].filter(Boolean).join(" ")),
    order: fold(event.show ?? event.title) + numbered(event),
    time: event.watched_at ? Date.parse(event.watched_at) : 0,
  };
}

const made = new WeakMap<readonly Event[], Row[]>();

/** The rows of a page, made once: when the next page comes those that are there already stay the same objects. */
export function rowsOf(events: readonly Event[]): Row[] {
  const known = made.get(events);
  if (known) return known;
  const rows = events.map(rowOf);
  made.set(events, rows);
  return rows;
}

/** How many of them an undo has removed, and of how many it found that they were gone already. */
export const removedOf = (rows: readonly Row[]): { removed: number; gone: number } => ({
  removed: rows.filter(({ event }) => event.outcome === "removed").length,
  gone: rows.filter(({ event }) => event.reason === "already_removed").length,
});

/** `S1E3` of an episode; undefined of a film. */
export function episode(event: Event): string | undefined {
  return event.type === "episode" ? `S${event.season}E${event.number}` : undefined;
}

/** Every word of the search has to be there. */
export function chosen(rows: readonly Row[], { outcome, reason, type, search }: Choice): Row[] {
  const words = fold(search).split(/\s+/).filter(Boolean);
  return rows.filter(
    ({ event, text }) =>
      (outcome === null || event.outcome === outcome) &&
      (reason === null || event.reason === reason) &&
      (type === null || event.type === type) &&
      words.every((word) => text.includes(word)),
  );
}

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

const KEYS: Record<SortBy, (row: Row) => string | number> = {
  time: (row) => row.time,
  title: (row) => row.order,
  outcome: (row) => `${row.event.outcome} ${row.event.reason ?? ""}`,
};

/** A new list. Rows that are alike stay in the order in which they came. */
export function sorted(rows: readonly Row[], by: SortBy, descending: boolean): Row[] {
  const key = KEYS[by];
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => sign * compare(key(a), key(b)));
}
