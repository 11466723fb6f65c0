import { describe, expect, it } from "vitest";
import { since, weekly } from "./weeks";

process.env.TZ = "Europe/Berlin";

const now = new Date("2026-01-07T12:00:00+01:00"); // a Wednesday

describe("weeks", () => {
  it("are as many as asked for, across the year's end, and may be empty", () => {
    expect(weekly([], now, 3)).toEqual([
      { monday: "2025-12-22", films: 0, episodes: 0 },
      { monday: "2025-12-29", films: 0, episodes: 0 },
      { monday: "2026-01-05", films: 0, episodes: 0 },
    ]);
  });
  it("begin on Monday at midnight where the viewer is", () => {
    const [before, week] = weekly(
      [
        { type: "movie", watched_at: "2026-01-04T22:59:59Z" }, // Sunday 23:59:59 in Berlin
        { type: "episode", watched_at: "2026-01-04T23:00:00Z" }, // Monday
        { type: "episode", watched_at: "2026-01-07T09:00:00Z" },
      ],
      now,
      2,
    );
    expect(before).toEqual({ monday: "2025-12-29", films: 1, episodes: 0 });
    expect(week).toEqual({ monday: "2026-01-05", films: 0, episodes: 2 });
  });
  it("leave out what is earlier, or in another week", () => {
    const counted = weekly([{ type: "movie", watched_at: "2024-01-01T00:00:00Z" }], now, 52);
    expect(counted.reduce((sum, week) => sum + week.films, 0)).toBe(0);
  });
  it("do not slip when the clocks change", () => {
    const summer = weekly([], new Date("2026-04-08T12:00:00+02:00"), 4).map((week) => week.monday);
    expect(summer).toEqual(["2026-03-16", "2026-03-23", "2026-03-30", "2026-04-06"]);
  });
  it("know when the first began", () => {
    expect(since(now, 2).toISOString()).toBe("2025-12-28T23:00:00.000Z");
  });
});
