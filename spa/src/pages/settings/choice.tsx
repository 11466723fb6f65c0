import { Radio } from "@mantine/core";
import type { ReactNode } from "react";
import styles from "./settings.module.css";

/** A way that can be chosen, with what it means. Inside a Radio.Group. */
export function Choice({ value, title, children }: { value: string; title: string; children: ReactNode }) {
  return (
    <Radio.Card value={value} className={styles.choice} p="sm">
      <Radio.Indicator mt={2} />
      <span className={styles.words}>
        <strong>{title}</strong>
        <small>{children}</small>
      </span>
    </Radio.Card>
  );
}
