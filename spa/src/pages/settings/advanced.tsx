import { NumberInput, Radio } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Settings } from "../../api/queries";
import { Choice } from "./choice";
import { DraftForm } from "./draft-form";
import { Section } from "./section";
import styles from "./settings.module.css";
import { useDraft } from "./use-change";

const MOST = 250;
const SUGGESTED = 50;

export function Advanced({ settings }: { settings: Settings }) {
  const { t } = useTranslation("settings");
  const draft = useDraft({ batch_size: settings.batch_size });
  const size = draft.values.batch_size;
  const wrong = size !== null && !(size >= 1 && size <= MOST);
  return (
    <Section title={t("advanced.title")}>
      <DraftForm {...draft} wrong={wrong} onSave={() => draft.change.mutate(draft.changed)}>
        <Radio.Group
          label={t("advanced.batch")}
          value={size === null ? "automatic" : "number"}
          onChange={(way) => draft.set({ batch_size: way === "automatic" ? null : (settings.batch_size ?? SUGGESTED) })}
        >
          <div className={styles.choices}>
            <Choice value="automatic" title={t("advanced.automatic.title")}>
              {t("advanced.automatic.about")}
            </Choice>
            <Choice value="number" title={t("advanced.number.title")}>
              {t("advanced.number.about")}
            </Choice>
          </div>
        </Radio.Group>
        {size !== null && (
          <NumberInput
            className={styles.field}
            label={t("advanced.most")}
            value={size || ""}
            onChange={(value) => draft.set({ batch_size: Number(value) })}
            error={wrong ? t("range", { least: 1, most: MOST }) : null}
            allowDecimal={false}
            allowNegative={false}
          />
        )}
      </DraftForm>
    </Section>
  );
}
