import { Group, NumberInput, Stack, Text, VisuallyHidden } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { placeName, type Shift } from "../../lib/offsets";
import { Check, Cross } from "../../parts/icons";
import { Loading } from "../../parts/loading";
import { Trouble } from "../../parts/trouble";
import styles from "./needs.module.css";
import type { Preview } from "./use-preview";

const FARTHEST: Shift = { season: 3_000, episode: 10_000 };

/** Where Trakt counts otherwise: what to add to Kinopub's numbers, and where each episode would come to be. */
export function Shifting({
  shift,
  onShift,
  preview,
}: {
  shift: Shift;
  onShift: (shift: Shift) => void;
  preview: Preview;
}) {
  const { t } = useTranslation("needs");
  return (
    <Stack gap="sm">
      <Text size="sm">{t("shift.why")}</Text>
      <Group gap="md" align="flex-start">
        {(["season", "episode"] as const).map((what) => (
          <NumberInput
            key={what}
            w="9.5rem"
            label={t(`shift.${what}`)}
            value={shift[what]}
            onChange={(value) => onShift({ ...shift, [what]: Math.trunc(Number(value)) || 0 })}
            min={-FARTHEST[what]}
            max={FARTHEST[what]}
            clampBehavior="strict"
            allowDecimal={false}
            autoComplete="off"
          />
        ))}
      </Group>
      <Where preview={preview} />
    </Stack>
  );
}

function Where({ preview }: { preview: Preview }) {
  const { t } = useTranslation("needs");
  if (preview.error) return <Trouble error={preview.error} onRetry={preview.retry} />;
  if (preview.pending) return <Loading what={t("shift.asking")} lines={2} />;
  if (preview.matched.length === 0) return <Text size="sm">{t("shift.unknown")}</Text>;
  const found = preview.matched.filter(({ to }) => to !== null).length;
  return (
    <div>
      <Text size="sm" role="status" mb={4}>
        {t("shift.found", { count: preview.matched.length, found })}
      </Text>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard */}
      <ul className={styles.matches} tabIndex={0} aria-label={t("shift.list")}>
        {preview.matched.map(({ from, to }) => (
          <li key={placeName(from)} data-found={to !== null}>
            {placeName(from)} <span aria-hidden="true">→</span> {to ? placeName(to) : t("shift.nothing")}
            {to ? <Check /> : <Cross />}
            <VisuallyHidden>{t(to ? "shift.isThere" : "shift.isNotThere")}</VisuallyHidden>
          </li>
        ))}
      </ul>
    </div>
  );
}
