import { Alert, Group, Stack, Switch, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { type Settings, stateQuery } from "../../api/queries";
import { Button } from "../../parts/button";
import { Warning } from "../../parts/icons";
import { Trouble } from "../../parts/trouble";
import { At } from "../../parts/when";
import { Said, Section } from "./section";
import { useChange } from "./use-change";

/** Whether runs begin by themselves. */
export function Automatic({ settings }: { settings: Settings }) {
  const { t } = useTranslation("settings");
  const state = useQuery(stateQuery());
  const change = useChange();
  const enabled = change.isPending ? change.variables.enabled === true : settings.enabled;
  const paused = settings.enabled ? state.data?.paused_reason : null;
  return (
    <Section title={t("automatic.title")}>
      <Switch
        label={t("automatic.label")}
        description={t("automatic.about")}
        checked={enabled}
        onChange={(event) => change.mutate({ enabled: event.currentTarget.checked })}
      />
      {paused && (
        <Alert color="orange" variant="light" icon={<Warning />} title={t("automatic.paused")}>
          <Stack gap="xs">
            <Text size="sm">{t(`automatic.why.${paused}`)}</Text>
            <Group>
              <Button size="xs" variant="default" onClick={() => change.mutate({ enabled: true })}>
                {t("automatic.goOn")}
              </Button>
            </Group>
          </Stack>
        </Alert>
      )}
      {settings.enabled && !paused && state.data?.next_run_at && (
        <Text size="sm">
          {t("automatic.next")} <At time={state.data.next_run_at} />
        </Text>
      )}
      {change.error ? <Trouble error={change.error} /> : null}
      <Said>{change.isSuccess ? t(settings.enabled ? "automatic.on" : "automatic.off") : null}</Said>
    </Section>
  );
}
