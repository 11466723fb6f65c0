import { isActive, type Run } from "../api/queries";

/** The preview that is under way or waits for its user's word, also while it is sent. Newest first. */
export const previewAtHand = (runs: readonly Pick<Run, "id" | "mode" | "status">[] = []) =>
  runs.find((run) => run.mode === "preview" && (isActive(run) || run.status === "awaiting_confirmation"));
