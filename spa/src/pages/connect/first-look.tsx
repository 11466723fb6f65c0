import { Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, api, body } from "../../api/client";
import { runQuery, runsQuery } from "../../api/queries";
import { previewAtHand } from "../../lib/previews";
import { Button } from "../../parts/button";
import { Loading } from "../../parts/loading";
import { Trouble } from "../../parts/trouble";
import { RunView } from "../run/run-view";

/** Step 3: a preview, which writes nothing, and its plan. */
export function FirstLook() {
  const { t } = useTranslation("connect");
  const client = useQueryClient();
  const runs = useInfiniteQuery(runsQuery());
  const [shown, show] = useState<string | null>(null);
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
    onSuccess: (id) => {
      show(id);
      return client.invalidateQueries({ queryKey: ["runs"] });
    },
  });
  // Once on the screen it stays there, whatever becomes of it.
  const atHand = previewAtHand(runs.data?.pages[0]?.items);
  if (!shown && atHand) show(atHand.id);

  const trouble = begin.error ? <Trouble error={begin.error} /> : null;
  const button = (text: string) => (
    <Group>
      <Button onClick={() => begin.mutate()} loading={begin.isPending}>
        {text}
      </Button>
    </Group>
  );
  if (shown) {
    return (
      <Stack>
        <RunView key={shown} id={shown} />
        <Unfinished id={shown}>
          {trouble}
          {button(t("look.again"))}
        </Unfinished>
      </Stack>
    );
  }
  if (runs.isPending) return <Loading what={t("asking")} />;
  return (
    <Paper withBorder p="lg">
      <Stack>
        <Title order={2} size="h3">
          {t("look.title")}
        </Title>
        <Text>{t("look.why")}</Text>
        {trouble}
        {button(t("look.begin"))}
      </Stack>
    </Paper>
  );
}

/** What follows a preview that came to nothing. */
function Unfinished({ id, children }: { id: string; children: ReactNode }) {
  const { data: run } = useQuery(runQuery(id));
  return run?.status === "failed" || run?.status === "cancelled" ? children : null;
}
