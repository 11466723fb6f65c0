import { describe, expect, it } from "vitest";
import { EXAMPLE, plays } from "./rewatch";

describe("plays", () => {
  it("counts each view, or one in all", () => {
    expect(plays(EXAMPLE, { rewatch: "each_play", window_minutes: 60 })).toBe(3);
    expect(plays(EXAMPLE, { rewatch: "once", window_minutes: 60 })).toBe(1);
    expect(plays([], { rewatch: "once", window_minutes: 60 })).toBe(0);
  });
  it("counts views within the window as one, its last minute included", () => {
    expect(plays(EXAMPLE, { rewatch: "window", window_minutes: 39 })).toBe(3);
    expect(plays(EXAMPLE, { rewatch: "window", window_minutes: 40 })).toBe(2);
    expect(plays(EXAMPLE, { rewatch: "window", window_minutes: 7 * 1440 })).toBe(1);
  });
});
