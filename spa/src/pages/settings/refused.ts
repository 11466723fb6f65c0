import i18next from "i18next";
import { ApiError } from "../../api/client";
import { plainly } from "../../parts/trouble";

/** About what was entered: said at the field itself. */
const OF_THE_FIELD = new Set(["validation", "blocked_address", "unresolvable_address"]);

export const isOfTheField = (error: unknown): boolean => error instanceof ApiError && OF_THE_FIELD.has(error.code);

/** What is wrong with what was entered; null when the trouble is another. */
export function refused(error: unknown): string | null {
  if (!(error instanceof ApiError) || !isOfTheField(error)) return null;
  const plain = error.code === "blocked_address" ? i18next.t("settings:blocked") : plainly(error);
  return `${plain} (${error.detail})`;
}
