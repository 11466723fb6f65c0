import { describe, expect, it } from "vitest";
import { monthMarks, monthText, type Play, since, summed, weekly, weekText } from "./weeks";

process.env.TZ = "Europe/Berlin";

const now = new Date("2026-01-07T12:00:00+01:00"); // a Wednesday

const play = (type: Play["type"], watched_at: string): Play => ({ id: 1, type, watched_at });

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
        play("movie", "2026-01-04T22:59:59Z"), // Sunday 23:59:59 in Berlin
        play("episode", "2026-01-04T23:00:00Z"), // Monday
        play("episode", "2026-01-07T09:00:00Z"),
      ],
      now,
      2,
    );
    expect(before).toEqual({ monday: "2025-12-29", films: 1, episodes: 0 });
    expect(week).toEqual({ monday: "2026-01-05", films: 0, episodes: 2 });
  });
  it("leave out what is earlier, or in another week", () => {
    const counted = weekly([play("movie", "2024-01-01T00:00:00Z")], now, 52);
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

describe("words", () => {
  const plain = (text: string) => text.replaceAll(/\s/g, ""); // the spaces are the browser's own choice
  it("name a week, across the year's end too", () => {
    expect(plain(weekText("2026-03-09", "en-GB"))).toBe("9–15Mar2026");
    expect(plain(weekText("2025-12-29", "en-GB"))).toBe("29Dec2025–4Jan2026");
  });
  it("of months stand where they begin, January as its year", () => {
    const marks = monthMarks(weekly([], new Date("2026-03-11T12:00:00+01:00"), 15));
    expect(marks).toEqual(["2025-12-01", "2025-12-29", "2026-01-26", "2026-02-23"]);
    expect(marks.map((monday) => monthText(monday, "en"))).toEqual(["Dec", "2026", "Feb", "Mar"]);
    expect(monthText("2026-01-26", "ru")).toBe("февр");
  });
});

describe("sums", () => {
  it("are of everything, and name the fullest week", () => {
    const weeks = weekly([play("movie", "2026-01-01T10:00:00Z"), play("episode", "2026-01-02T10:00:00Z")], now, 3);
    expect(summed(weeks)).toEqual({ films: 1, episodes: 1, most: weeks[1] });
  });
  it("name no week where nothing was seen", () => expect(summed(weekly([], now, 3)).most).toBeNull());
});
