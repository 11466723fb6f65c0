import { Alert, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, body } from "../../api/client";
import { Button } from "../../parts/button";
import { Warning } from "../../parts/icons";
import { Loading } from "../../parts/loading";
import { Trouble } from "../../parts/trouble";
import { signedInAs } from "./signed-in";

/** The second way: to Trakt's own site and back. The broker ties `state` to this browser. */
export function SignInAtTrakt() {
  const { t } = useTranslation("connect");
  const begin = useMutation({
    mutationFn: () => body(api.POST("/auth/trakt/authorize", { body: {} })),
    onSuccess: ({ authorize_url }) => window.location.assign(authorize_url),
  });
  return (
    <>
      <Button variant="default" onClick={() => begin.mutate()} loading={begin.isPending || begin.isSuccess}>
        {t("atTrakt")}
      </Button>
      {begin.error ? <Trouble error={begin.error} /> : null}
    </>
  );
}

interface Returned {
  code?: string;
  state?: string;
  error?: string;
}

/** A code is good once: two renderings of one return ask once. */
const asked = new Map<string, Promise<unknown>>();

function exchange(code: string, state: string): Promise<unknown> {
  const already = asked.get(state);
  if (already) return already;
  const answer = body(api.POST("/auth/trakt/oauth/exchange", { body: { code, state } }));
  asked.set(state, answer);
  return answer;
}

/** Back from Trakt, with a code or with an error. */
export function Redirected({ code, state, error, onEnd }: Returned & { onEnd: () => void }) {
  const { t } = useTranslation("connect");
  const client = useQueryClient();
  const [failed, setFailed] = useState<unknown>(null);
  const done = useEffectEvent(onEnd);
  useEffect(() => {
    if (!code || !state) return;
    let over = false;
    exchange(code, state)
      .then(() => signedInAs(client, "trakt"))
      .then(
        () => void (over || done()),
        (reason) => void (over || setFailed(reason)),
      );
    return () => {
      over = true;
    };
  }, [code, state, client]);

  const back = (
    <Group>
      <Button onClick={onEnd}>{t("back")}</Button>
    </Group>
  );
  if (error || !code) {
    return (
      <Stack>
        <Alert color="orange" icon={<Warning />} title={t("ended.denied.title")} role="alert">
          <Text size="sm">{t("notGiven")}</Text>
        </Alert>
        {back}
      </Stack>
    );
  }
  if (failed) {
    return (
      <Stack>
        <Trouble error={failed} />
        {back}
      </Stack>
    );
  }
  return <Loading what={t("signingIn")} lines={3} />;
}
