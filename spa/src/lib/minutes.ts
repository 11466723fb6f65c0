/** How far a film was watched. Kinopub's numbers come as text at times. */

export interface Video {
  duration: number | string | null;
  /** Seconds that were watched; means nothing once it is finished. */
  time: number | string | null;
  status: number;
}

const FINISHED = 1;

const number = (said: number | string | null | undefined): number => Math.max(0, Number(said) || 0);

export interface Minutes {
  done: number;
  total: number;
}

/** How much of a film, of all of its parts, was watched; null where no length is known. */
export function minutesOf(videos: readonly Video[]): Minutes | null {
  let done = 0;
  let total = 0;
  for (const { duration, time, status } of videos) {
    const length = number(duration);
    total += length;
    done += status === FINISHED ? length : Math.min(number(time), length);
  }
  return total ? { done: Math.round(done / 60), total: Math.round(total / 60) } : null;
}
