import { expect, it } from "vitest";
import type { Run } from "../api/queries";
import { previewAtHand } from "./previews";

const run = (id: string, mode: Run["mode"], status: Run["status"]) => ({ id, mode, status });

it("is one that goes on or waits, not whatever run is the newest", () => {
  const failed = run("a", "preview", "failed");
  const scheduled = run("b", "sync", "awaiting_confirmation");
  expect(previewAtHand([failed, scheduled])).toBeUndefined();
  for (const status of ["queued", "collecting", "mapping", "awaiting_confirmation", "sending"] as const) {
    expect(previewAtHand([failed, scheduled, run("c", "preview", status)])?.id).toBe("c");
  }
  expect(previewAtHand()).toBeUndefined();
});
