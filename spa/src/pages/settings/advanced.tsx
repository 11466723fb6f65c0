import { NumberInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Settings } from "../../api/queries";
import { DraftForm } from "./draft-form";
import { Section } from "./section";
import styles from "./settings.module.css";
import { useDraft } from "./use-change";

const MOST = 250;

export function Advanced({ settings }: { settings: Settings }) {
  const { t } = useTranslation("settings");
  const draft = useDraft({ batch_size: settings.batch_size });
  const size = draft.values.batch_size;
  const wrong = !(size >= 1 && size <= MOST);
  return (
    <Section title={t("advanced.title")}>
      <DraftForm {...draft} wrong={wrong} onSave={() => draft.change.mutate(draft.changed)}>
        <NumberInput
          className={styles.field}
          label={t("advanced.batch")}
          description={t("advanced.about", { most: MOST })}
          value={size || ""}
          onChange={(value) => draft.set({ batch_size: Number(value) })}
          error={wrong ? t("range", { least: 1, most: MOST }) : null}
          allowDecimal={false}
          allowNegative={false}
        />
      </DraftForm>
    </Section>
  );
}
