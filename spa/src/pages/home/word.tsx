import { Alert, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, api, body } from "../../api/client";
import { runsQuery, type Session, settingsQuery, stateQuery, unmatchedQuery } from "../../api/queries";
import { bothConnected } from "../../lib/accounts";
import { needsOf } from "../../lib/needs";
import { waitingOf } from "../../lib/runs";
import { Button } from "../../parts/button";
import { Warning } from "../../parts/icons";
import { ButtonLink, TextLink } from "../../parts/links";
import { Loading } from "../../parts/loading";
import { Trouble } from "../../parts/trouble";
import styles from "./word.module.css";

// They are there seldom.
const Paused = lazy(() => import("./paused"));
const AtWork = lazy(() => import("./at-work"));
const Refused = lazy(() => import("./refused"));

/** What wants a word of its user, or goes on right now; nothing when all is well. */
export function Word({ session }: { session: Session }) {
  const { t } = useTranslation("home");
  const state = useQuery(stateQuery());
  const runs = useInfiniteQuery(runsQuery());
  const unmatched = useInfiniteQuery(unmatchedQuery());
  const active = state.data?.active_run_id ?? null;
  useFresh(`${active} ${state.data?.last_success_at}`);
  const page = runs.data?.pages[0];
  const waiting = active ? undefined : waitingOf(page?.items);
  const [first] = unmatched.data?.pages ?? [];
  const needs = needsOf(first?.items ?? []).length;
  const paused = state.data?.paused_reason;
  const nothingSent = page?.next_cursor === null && page.items.every((run) => run.counts.sent === 0);
  return (
    <Stack gap="sm" className={styles.word}>
      <Suspense fallback={<Loading what={t("loading")} lines={2} />}>
        {state.data?.app_refused && <Refused refusal={state.data.app_refused} />}
        {paused && !(paused === "awaiting_confirmation" && waiting) && <Paused reason={paused} session={session} />}
        {active && <AtWork id={active} />}
      </Suspense>
      {waiting && (
        <Alert color="yellow" icon={<Warning />} title={t("waits", { count: waiting.counts.planned })}>
          <Stack gap="sm">
            <Text size="sm">{t(paused === "awaiting_confirmation" ? "waitsPaused" : "waitsHint")}</Text>
            <Group>
              <ButtonLink to="/runs/$id" params={{ id: waiting.id }} size="xs">
                {t("look")}
              </ButtonLink>
            </Group>
          </Stack>
        </Alert>
      )}
      {needs > 0 && (
        <Alert
          color="yellow"
          icon={<Warning />}
          title={t("needs", { count: needs, more: first?.next_cursor ? "+" : "" })}
        >
          <TextLink to="/needs-you">{t("choose")}</TextLink>
        </Alert>
      )}
      {nothingSent && !active && !waiting && bothConnected(session) && <FirstLook />}
    </Stack>
  );
}

/** A run came or went, perhaps between two looks: what was known of runs, titles and the switch is out of date. */
function useFresh(standing: string) {
  const client = useQueryClient();
  const before = useRef(standing);
  useEffect(() => {
    if (before.current !== standing) {
      for (const key of ["runs", "unmatched", "settings"]) void client.invalidateQueries({ queryKey: [key] });
    }
    before.current = standing;
  }, [standing, client]);
}

/** For who has connected both accounts and not begun yet. */
function FirstLook() {
  const { t } = useTranslation("home");
  const client = useQueryClient();
  const navigate = useNavigate();
  const settings = useQuery(settingsQuery());
  const preview = useMutation({
    mutationFn: async () => {
      try {
        return (await body(api.POST("/sync/runs", { body: { mode: "preview", full: false } }))).run_id;
      } catch (error) {
        if (error instanceof ApiError && error.code === "run_active") return String(error.body.run_id);
        throw error;
      }
    },
    onSuccess: (id) => {
      void client.invalidateQueries({ queryKey: stateQuery().queryKey });
      return navigate({ to: "/runs/$id", params: { id } });
    },
  });
  if (settings.data?.enabled !== false) return null;
  return (
    <Paper withBorder p="lg">
      <Stack>
        <Title order={2} size="h3">
          {t("first.title")}
        </Title>
        <Text>{t("first.why")}</Text>
        {preview.error ? <Trouble error={preview.error} /> : null}
        <Group>
          <Button onClick={() => preview.mutate()} loading={preview.isPending}>
            {t("first.begin")}
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}
