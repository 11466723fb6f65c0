import type { ApiError } from "../api/client";

/** Why a code is of no use any more; http-api.md, Auth broker. */
export type Ended = "expired" | "denied" | "invalid" | "already_used";

const ENDED: readonly string[] = ["expired", "denied", "invalid", "already_used"] satisfies Ended[];

/** Stays as it is until the owner of the deployment does something. */
const FINAL = ["app_refused", "upstream_firewall"];

/** What an error says when it was asked what became of a code.
 *
 * `passing`: the next answer may be another one. Should that be `already_used`, the code went with this error: the broker
 * tells once that it was good, whatever goes wrong after that.
 */
export function meaningOf({
  status,
  code,
}: Pick<ApiError, "status" | "code">): Ended | "signed_out" | "final" | "passing" {
  if (ENDED.includes(code)) return code as Ended;
  if (code === "unauthenticated") return "signed_out";
  const refused = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return refused || FINAL.includes(code) ? "final" : "passing";
}
