/** What the rewatch rule makes of views: the server's own (storage/account.py, sync/dedupe.py). */
import type { Settings } from "../api/queries";

export type Rule = Pick<Settings, "rewatch" | "window_minutes">;

const MINUTE_MS = 60_000;
const minute = (at: Date): number => Math.floor(at.getTime() / MINUTE_MS);

/** How many of these views of one title come to be plays at Trakt; in the order of their times. */
export function plays(views: readonly Date[], { rewatch, window_minutes }: Rule): number {
  if (rewatch === "once") return Math.min(views.length, 1);
  if (rewatch === "each_play") return views.length;
  const kept: number[] = [];
  for (const at of views.map(minute)) {
    if (kept.every((other) => Math.abs(other - at) > window_minutes)) kept.push(at);
  }
  return kept.length;
}

/** The example in the settings: an evening, its last minutes again, and six days later. */
export const EXAMPLE: readonly Date[] = [
  new Date("2024-03-03T21:00:00Z"),
  new Date("2024-03-03T21:40:00Z"),
  new Date("2024-03-09T20:00:00Z"),
];
