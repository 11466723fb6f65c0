import { Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

export function Welcome() {
  const { t } = useTranslation("connect");
  return (
    <Stack gap="xs" ta="center">
      <Title order={1}>{t("welcome.title")}</Title>
      <Text size="lg" c="dimmed">
        {t("welcome.lead")}
      </Text>
    </Stack>
  );
}
