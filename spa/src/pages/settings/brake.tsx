import { NumberInput, Radio } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Settings } from "../../api/queries";
import { Choice } from "./choice";
import { DraftForm } from "./draft-form";
import { Section } from "./section";
import styles from "./settings.module.css";
import { useDraft } from "./use-change";

const SUGGESTED = 100;
const NONE = Number.NaN;

/** When a run has to wait for its owner's word. */
export function Brake({ settings }: { settings: Settings }) {
  const { t } = useTranslation("settings");
  const draft = useDraft({ confirm_above: settings.confirm_above });
  const limit = draft.values.confirm_above;
  const wrong = limit !== null && !(limit >= 0);
  return (
    <Section title={t("brake.title")} about={t("brake.about")}>
      <DraftForm {...draft} wrong={wrong} onSave={() => draft.change.mutate(draft.changed)}>
        <Radio.Group
          label={t("brake.label")}
          value={limit === null ? "automatic" : "number"}
          onChange={(way) =>
            draft.set({ confirm_above: way === "automatic" ? null : (settings.confirm_above ?? SUGGESTED) })
          }
        >
          <div className={styles.choices}>
            <Choice value="automatic" title={t("brake.automatic.title")}>
              {t("brake.automatic.about")}
            </Choice>
            <Choice value="number" title={t("brake.number.title")}>
              {t("brake.number.about")}
            </Choice>
          </div>
        </Radio.Group>
        {limit !== null && (
          <NumberInput
            className={styles.field}
            label={t("brake.limit")}
            description={t("brake.zero")}
            value={Number.isNaN(limit) ? "" : limit}
            onChange={(value) => draft.set({ confirm_above: value === "" ? NONE : Number(value) })}
            error={wrong ? t("brake.wrong") : null}
            allowDecimal={false}
            allowNegative={false}
          />
        )}
      </DraftForm>
    </Section>
  );
}
