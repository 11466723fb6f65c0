import { expect, it } from "vitest";
import { ApiError } from "./client";
import { runQuery } from "./queries";

/** Milliseconds until a run is asked for again. */
function pause(state: Record<string, unknown>): unknown {
  const { refetchInterval } = runQuery("a-run");
  if (typeof refetchInterval !== "function") throw new Error("it depends on what is known");
  return refetchInterval({ state: { error: null, errorUpdateCount: 0, ...state } } as never);
}

it("a run is asked for every second while it changes, and not when it is over", () => {
  expect(pause({})).toBe(1_000);
  expect(pause({ data: { status: "sending" } })).toBe(1_000);
  expect(pause({ data: { status: "succeeded" } })).toBe(false);
});

it("a run that is not there is not asked for again", () => {
  expect(pause({ error: new ApiError(404, "not_found", ""), errorUpdateCount: 1 })).toBe(false);
});

it("after other errors the pauses grow", () => {
  const error = new ApiError(500, "internal", "");
  const pauses = [1, 2, 3, 50].map((errorUpdateCount) => pause({ error, errorUpdateCount }));
  expect(pauses).toEqual([2_000, 4_000, 8_000, 60_000]);
});
