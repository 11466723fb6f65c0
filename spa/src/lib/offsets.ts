/** Which episodes of Trakt's an override leads to: the server's own rule (sync/mending.py, sync/mapping.py). */

export interface Place {
  season: number;
  number: number;
}

/** What is added to Kinopub's numbers. */
export interface Shift {
  season: number;
  episode: number;
}

/** Trakt's episodes by season. A season that is missing has not been asked for, or is not there. */
export type Seasons = ReadonlyMap<number, ReadonlySet<number>>;

export interface Match {
  from: Place;
  /** Null where Trakt has nothing. */
  to: Place | null;
}

export const UNSHIFTED: Shift = { season: 0, episode: 0 };

export const shifted = (place: Place, shift: Shift): Place => ({
  season: place.season + shift.season,
  number: place.number + shift.episode,
});

/** The seasons that have to be known before `matches` can say anything; there are none below 0. */
export function seasonsToAsk(places: readonly Place[], shift: Shift): number[] {
  const seasons = new Set(places.map((place) => shifted(place, shift).season));
  return [...seasons].filter((season) => season >= 0).sort((a, b) => a - b);
}

export function matches(places: readonly Place[], shift: Shift, seasons: Seasons): Match[] {
  return places.map((from) => {
    const to = shifted(from, shift);
    return { from, to: seasons.get(to.season)?.has(to.number) ? to : null };
  });
}

/** An episode as Trakt lists it in a season. */
export interface Listed {
  number: number;
  ids?: Readonly<Record<string, number | string | null>>;
}

/** The numbers of the episodes that can be sent: one without any id cannot. */
export function numbersOf(episodes: readonly Listed[]): number[] {
  return episodes
    .filter(({ ids }) => Object.values(ids ?? {}).some((id) => id !== null && id !== ""))
    .map(({ number }) => number);
}

export const inOrder = (a: Place, b: Place): number => a.season - b.season || a.number - b.number;

/** “S1E3”. */
export const placeName = ({ season, number }: Place): string => `S${season}E${number}`;
