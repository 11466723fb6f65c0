import { useTranslation } from "react-i18next";
import { Check } from "../../parts/icons";
import styles from "./connect.module.css";

const STEPS = ["trakt", "kinopub", "look"] as const;

/** The three steps, all in sight; `active` is the one to do, counted from 0. */
export function Steps({ active }: { active: number }) {
  const { t } = useTranslation("connect");
  return (
    <ol className={styles.steps} aria-label={t("steps")}>
      {STEPS.map((step, index) => (
        <li key={step} aria-current={index === active ? "step" : undefined} data-done={index < active || undefined}>
          <span className={styles.mark}>{index < active ? <Check /> : index + 1}</span>
          <span>
            {t(`step.${step}`)}
            {index < active && <small> · {t("step.done")}</small>}
          </span>
        </li>
      ))}
    </ol>
  );
}
