import { Alert, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { State } from "../../api/queries";
import { Warning } from "../../parts/icons";
import { Ago } from "../../parts/when";

const NAMES = { trakt: "Trakt", kinopub: "Kinopub" } as const;

/** An upstream refuses the whole deployment: nothing that its users could mend. */
export default function Refused({ refusal }: { refusal: NonNullable<State["app_refused"]> }) {
  const { t } = useTranslation("home");
  const service = NAMES[refusal.service];
  return (
    <Alert color="orange" icon={<Warning />} title={t("refused.title", { service })}>
      <Stack gap="xs">
        <Text size="sm">{t("refused.hint", { service })}</Text>
        <Text size="sm" c="dimmed">
          {t("refused.noticed")} <Ago time={refusal.since} />
        </Text>
      </Stack>
    </Alert>
  );
}
