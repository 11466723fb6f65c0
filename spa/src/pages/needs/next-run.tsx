import { Group, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ApiError, api, body } from "../../api/client";
import { stateQuery, unmatchedQuery } from "../../api/queries";
import { Button } from "../../parts/button";
import { ButtonLink } from "../../parts/links";
import { Trouble } from "../../parts/trouble";
import { useWhenOver } from "../../parts/use-when-over";
import { At } from "../../parts/when";

/** When an answer takes effect, and a way not to wait for it. */
export function NextRun() {
  const { t } = useTranslation("needs");
  const client = useQueryClient();
  const state = useQuery(stateQuery());
  const active = state.data?.active_run_id ?? null;
  const start = useMutation({
    mutationFn: async () => {
      try {
        return (await body(api.POST("/sync/runs", { body: { mode: "sync" } }))).run_id;
      } catch (error) {
        // One is under way already: that one is shown.
        const going = error instanceof ApiError && error.code === "run_active" && error.body.run_id;
        if (going) return String(going);
        throw error;
      }
    },
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: stateQuery().queryKey }),
        client.invalidateQueries({ queryKey: ["runs"] }),
      ]),
  });
  // Other titles may be unmatched then.
  useWhenOver(active, () => void client.invalidateQueries({ queryKey: unmatchedQuery().queryKey }));
  const run = active ?? start.data;
  return (
    <Stack gap="sm">
      <Text size="sm">
        {t("next.effect")}{" "}
        {state.data?.next_run_at && !active && (
          <>
            {t("next.at")} <At time={state.data.next_run_at} />.
          </>
        )}
      </Text>
      {start.error ? <Trouble error={start.error} /> : null}
      <Group gap="sm">
        {active ? (
          <Text size="sm" role="status">
            {t("next.active")}
          </Text>
        ) : (
          <Button variant="light" size="xs" onClick={() => start.mutate()} loading={start.isPending}>
            {t("next.now")}
          </Button>
        )}
        {run && (
          <ButtonLink variant="subtle" size="xs" to="/runs/$id" params={{ id: run }}>
            {t(active ? "next.look" : "next.last")}
          </ButtonLink>
        )}
      </Group>
    </Stack>
  );
}
