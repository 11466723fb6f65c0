import { Button, Group, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { signedOut } from "../../app/query-client";
import { Ask } from "./ask";
import { Section } from "./section";

/** Everything that is kept about somebody: to take along, or to be gone. */
export function YourData({ slug }: { slug: string }) {
  const { t } = useTranslation("settings");
  const erase = useMutation({
    mutationFn: async () => {
      await api.DELETE("/account");
    },
    onSuccess: signedOut,
  });
  return (
    <Section title={t("data.title")} about={t("data.about")}>
      <Group gap="sm">
        <Button variant="default" size="xs" component="a" href="/api/account/export" download>
          {t("data.export")}
        </Button>
        <Ask
          label={t("data.delete")}
          title={t("data.sure")}
          yes={t("data.delete")}
          phrase={slug}
          doing={erase}
          color="red"
          variant="outline"
        >
          <Text>{t("data.follows")}</Text>
        </Ask>
      </Group>
    </Section>
  );
}
