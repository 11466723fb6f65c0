import type { Run } from "../api/queries";

/** Views that were not sent, whatever the reason. */
export const skippedOf = (run: Pick<Run, "counts">): number =>
  Object.values(run.counts.skipped).reduce((sum: number, each) => sum + (each ?? 0), 0);

const MENDABLE = ["not_found", "ambiguous", "episode_not_found"] as const;

/** Of those, the ones that their user can do something about. */
export const needingYou = (run: Pick<Run, "counts">): number =>
  MENDABLE.reduce((sum, reason) => sum + (run.counts.skipped[reason] ?? 0), 0);

const PERSONS = new Set(["account_limit", "account_locked", "not_connected", "reauth_required", "vip_required"]);

/** Whether what ended a run stays as it is until somebody does something: no later run mends it. */
export const waitsForPerson = (code: string): boolean => PERSONS.has(code);

/** Whether all is dealt with, and there is only something to say. */
export const isNote = (run: Pick<Run, "status" | "error">): boolean =>
  run.error !== null && (run.status === "succeeded" || run.error.code === "not_all_read");

/** Whether undo makes sense; the server has the last word. `removed`: how many of its plays were taken back already. */
export const undoable = (run: Pick<Run, "mode" | "status" | "counts">, removed: number): boolean =>
  run.mode !== "undo" &&
  run.counts.sent > removed &&
  ["succeeded", "partial", "failed", "cancelled"].includes(run.status);

/** The newest run that carried views across, or found that there were none. Newest first. */
export const lastSuccess = (runs: readonly Run[] = []): Run | undefined =>
  runs.find(
    (run) => run.status === "succeeded" && (run.mode === "sync" || (run.mode === "preview" && run.counts.sent > 0)),
  );

/** The run whose plan waits for its user's word. */
export const waitingOf = (runs: readonly Run[] = []): Run | undefined =>
  runs.find((run) => run.status === "awaiting_confirmation");

/** When Trakt's history was last changed by a run; 0 when by none. */
export const lastChange = (runs: readonly Run[] = []): number =>
  Math.max(0, ...runs.map((run) => (run.counts.sent > 0 && run.finished_at ? Date.parse(run.finished_at) : 0)));
