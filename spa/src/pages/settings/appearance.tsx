import { Group, Input, SegmentedControl, useMantineColorScheme } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { LANGUAGES, type Language, remember, speak } from "../../i18n";
import { Section } from "./section";

const SCHEMES = ["auto", "light", "dark"] as const;

/** Of this browser alone. */
export function Appearance() {
  const { t, i18n } = useTranslation("settings");
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Section title={t("look.title")} about={t("look.about")}>
      <Group gap="lg" align="flex-start">
        <Input.Wrapper label={t("look.language")} labelElement="div">
          <SegmentedControl
            display="flex"
            aria-label={t("look.language")}
            value={i18n.language}
            onChange={(language) => {
              remember(language as Language);
              void speak(language as Language);
            }}
            data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
          />
        </Input.Wrapper>
        <Input.Wrapper label={t("look.colours")} labelElement="div">
          <SegmentedControl
            display="flex"
            aria-label={t("look.colours")}
            value={colorScheme}
            onChange={setColorScheme}
            data={SCHEMES.map((value) => ({ value, label: t(`look.${value}`) }))}
          />
        </Input.Wrapper>
      </Group>
    </Section>
  );
}
