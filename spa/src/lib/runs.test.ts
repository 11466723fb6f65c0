import { describe, expect, it } from "vitest";
import type { Run } from "../api/queries";
import { isNote, needingYou, skippedOf, undoable, waitsForPerson } from "./runs";

const run = (more: Partial<Run>): Run =>
  ({
    mode: "sync",
    status: "succeeded",
    counts: { history: 9, completed: 9, planned: 0, sent: 4, skipped: { duplicate: 2, not_found: 1, ambiguous: 2 } },
    ...more,
  }) as Run;

describe("a run", () => {
  it("counts all that it skipped, and apart what its user can mend", () => {
    expect(skippedOf(run({}))).toBe(5);
    expect(needingYou(run({}))).toBe(3);
  });
  it("can be undone when it is over and has sent something, and is no undo itself", () => {
    expect(undoable(run({}), 0)).toBe(true);
    expect(undoable(run({ status: "partial" }), 0)).toBe(true);
    expect(undoable(run({ status: "sending" }), 0)).toBe(false);
    expect(undoable(run({ mode: "undo" }), 0)).toBe(false);
    expect(undoable(run({ counts: { ...run({}).counts, sent: 0 } }), 0)).toBe(false);
  });
  it("can be undone as long as something of it is left", () => {
    expect(undoable(run({}), 3)).toBe(true);
    expect(undoable(run({}), 4)).toBe(false);
  });
  it("that has come to its end has a note, not an error", () => {
    const error = (code: string) => ({ code, detail: "" });
    expect(isNote(run({ error: null }))).toBe(false);
    expect(isNote(run({ error: error("count_differs") }))).toBe(true);
    expect(isNote(run({ status: "partial", error: error("not_all_read") }))).toBe(true);
    expect(isNote(run({ status: "partial", error: error("not_all_sent") }))).toBe(false);
    expect(isNote(run({ status: "failed", error: error("upstream_empty") }))).toBe(false);
  });
  it("is not promised to work the next time when only a person can help", () => {
    expect(waitsForPerson("account_locked")).toBe(true);
    expect(waitsForPerson("upstream_timeout")).toBe(false);
    expect(waitsForPerson("app_refused")).toBe(false); // it goes on by itself when the app is let in again
  });
});
