import { NumberInput, Radio } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Settings } from "../../api/queries";
import { EXAMPLE, plays } from "../../lib/rewatch";
import { Choice } from "./choice";
import { DraftForm } from "./draft-form";
import { Section } from "./section";
import styles from "./settings.module.css";
import { useDraft } from "./use-change";

const WAYS = ["each_play", "window", "once"] as const;
const LONGEST = 7 * 1440;

/** What counts as watching something again. */
export function Rewatch({ settings }: { settings: Settings }) {
  const { t } = useTranslation("settings");
  const { rewatch, window_minutes } = settings;
  const draft = useDraft({ rewatch, window_minutes });
  const { values } = draft;
  const minutes = values.window_minutes;
  const wrong = values.rewatch === "window" && !(minutes >= 1 && minutes <= LONGEST);
  const shown = wrong ? window_minutes : minutes;
  return (
    <Section title={t("rewatch.title")} about={t("rewatch.example")}>
      <DraftForm {...draft} wrong={wrong} onSave={() => draft.change.mutate(draft.changed)}>
        <Radio.Group
          label={t("rewatch.label")}
          value={values.rewatch}
          onChange={(way) => draft.set({ rewatch: way as Settings["rewatch"] })}
        >
          <div className={styles.choices}>
            {WAYS.map((way) => (
              <Choice key={way} value={way} title={t(`rewatch.${way}.title`)}>
                {way === "window" ? t("rewatch.window.about", { count: shown }) : t(`rewatch.${way}.about`)}{" "}
                {t("rewatch.plays", { count: plays(EXAMPLE, { rewatch: way, window_minutes: shown }) })}
              </Choice>
            ))}
          </div>
        </Radio.Group>
        {values.rewatch === "window" && (
          <NumberInput
            className={styles.field}
            label={t("rewatch.minutes")}
            description={t("rewatch.range", { most: LONGEST })}
            value={minutes || ""}
            onChange={(value) => draft.set({ window_minutes: Number(value) })}
            error={wrong ? t("range", { least: 1, most: LONGEST }) : null}
            allowDecimal={false}
            allowNegative={false}
          />
        )}
      </DraftForm>
    </Section>
  );
}
