import { Alert, Group, Stack, Text } from "@mantine/core";
import { notifyManager, type Query, useQueryClient } from "@tanstack/react-query";
import { useCallback, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../parts/button";
import { Warning } from "../../parts/icons";
import { plainly, technically } from "../../parts/trouble";
import { useOnline } from "../../parts/use-online";

const SAID = new Set<unknown>(["session", "state", "settings", "runs"]);
/** Whose place on the page is empty also when nothing is known. The others say what is wrong where they would be. */
const SILENT = new Set<unknown>(["unmatched", "begun"]);

const failing = ({ queryKey: [what], state }: Query): boolean =>
  state.status === "error" && (SILENT.has(what) || (SAID.has(what) && state.data !== undefined));

/** One word for all that could not be asked just now. */
export function OutOfDate() {
  const { t } = useTranslation(["common", "home", "problem"]);
  const client = useQueryClient();
  const online = useOnline();
  const error = useSyncExternalStore(
    useCallback((changed) => client.getQueryCache().subscribe(notifyManager.batchCalls(changed)), [client]),
    () => client.getQueryCache().findAll({ type: "active", predicate: failing })[0]?.state.error ?? null,
  );
  if (!error || !online) return null; // without a network, the word above the page says it
  return (
    <Alert color="yellow" icon={<Warning />} title={plainly(error)} role="alert">
      <Stack gap="xs">
        <Text size="sm">{t("home:lastKnown")}</Text>
        <Text size="sm" lang="en">
          {technically(error)}
        </Text>
        <Group>
          <Button
            size="xs"
            variant="default"
            onClick={() => void client.refetchQueries({ type: "active", predicate: failing })}
          >
            {t("again")}
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
