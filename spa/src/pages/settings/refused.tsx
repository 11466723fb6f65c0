import type { ReactNode } from "react";
import { ApiError } from "../../api/client";
import { Plainly, technically } from "../../parts/trouble";
import styles from "./settings.module.css";

/** About what was entered: said at the field itself. */
const OF_THE_FIELD = new Set(["validation", "blocked_address", "unresolvable_address"]);

/** What is wrong with what was entered, in plain words and then in technical ones; null when the trouble is another. */
export function refused(error: unknown): ReactNode {
  if (!(error instanceof ApiError) || !OF_THE_FIELD.has(error.code)) return null;
  return (
    <>
      <Plainly error={error} />
      <span className={styles.technical} lang="en">
        {technically(error)}
      </span>
    </>
  );
}
