import { Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ApiError, api, body } from "../../api/client";
import { runsQuery } from "../../api/queries";
import { Loading } from "../../parts/loading";
import { Trouble } from "../../parts/trouble";
import { RunView } from "../run/run-view";

/** Step 3: a preview, which writes nothing, and its plan. */
export function FirstLook() {
  const { t } = useTranslation("connect");
  const client = useQueryClient();
  const runs = useInfiniteQuery(runsQuery());
  const latest = runs.data?.pages[0]?.items[0];
  const begin = useMutation({
    mutationFn: async () => {
      try {
        return (await body(api.POST("/sync/runs", { body: { mode: "preview", full: false } }))).run_id;
      } catch (error) {
        // One is under way already: that one is looked at.
        const active = error instanceof ApiError && error.code === "run_active" && error.body.run_id;
        if (active) return String(active);
        throw error;
      }
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ["runs"] }),
  });
  const shown = begin.data ?? latest?.id;
  if (shown) return <RunView id={shown} />;
  if (runs.isPending) return <Loading what={t("asking")} />;
  return (
    <Paper withBorder p="lg">
      <Stack>
        <Title order={2} size="h3">
          {t("look.title")}
        </Title>
        <Text>{t("look.why")}</Text>
        {begin.error ? <Trouble error={begin.error} /> : null}
        <Group>
          <Button onClick={() => begin.mutate()} loading={begin.isPending}>
            {t("look.begin")}
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}
