import { Group, Paper, Progress, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { isActive, runQuery } from "../../api/queries";
import { TextLink } from "../../parts/links";

const PHASES = ["collecting", "mapping", "sending"] as const;

/** A run that goes on right now. */
export default function AtWork({ id }: { id: string }) {
  const { t } = useTranslation(["home", "run"]);
  const { data: run } = useQuery(runQuery(id));
  if (!run || !isActive(run)) return null;
  const { done, total } = run.phase_progress;
  const phase = PHASES.find((each) => each === run.status);
  const undoes = run.mode === "undo";
  return (
    <Paper withBorder p="md">
      <Stack gap="xs">
        <Group justify="space-between">
          <Text fw={600}>{t("atWork")}</Text>
          <TextLink to="/runs/$id" params={{ id }}>
            {t("watch")}
          </TextLink>
        </Group>
        <Text size="sm" role="status">
          {phase ? t(undoes ? "run:undoing" : `run:phase.${phase}`, { done, total }) : t("run:queued")}
        </Text>
        <Progress.Root>
          <Progress.Section
            value={total ? (100 * done) / total : 0}
            aria-label={t("run:progress")}
            animated={total === 0}
          />
        </Progress.Root>
      </Stack>
    </Paper>
  );
}
