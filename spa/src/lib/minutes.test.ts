import { describe, expect, it } from "vitest";
import { minutesOf } from "./minutes";

describe("minutes", () => {
  it("of a film that was begun", () => {
    expect(minutesOf([{ duration: 7200, time: 2520, status: 0 }])).toEqual({ done: 42, total: 120 });
  });
  it("of parts: a finished one counts in full, whatever its time says", () => {
    const parts = [
      { duration: 3600, time: 0, status: 1 },
      { duration: "3600", time: "600", status: 0 },
      { duration: 3600, time: null, status: -1 },
    ];
    expect(minutesOf(parts)).toEqual({ done: 70, total: 180 });
  });
  it("never more than there are", () => {
    expect(minutesOf([{ duration: 60, time: 900, status: 0 }])).toEqual({ done: 1, total: 1 });
  });
  it("are unknown where no length is", () => {
    expect(minutesOf([{ duration: null, time: 5, status: 0 }])).toBeNull();
    expect(minutesOf([])).toBeNull();
  });
});
