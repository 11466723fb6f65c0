import { Stack, Text, Title } from "@mantine/core";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../api/client";
import { type Begun, begunQuery, sessionQuery } from "../../api/queries";
import { useSignedIn } from "../../api/session";
import { BegunGrid } from "../../parts/begun-grid";
import { ButtonLink } from "../../parts/links";
import { Loading } from "../../parts/loading";
import { Nothing } from "../../parts/nothing";
import { Trouble } from "../../parts/trouble";

/** What was begun on Kinopub and not finished. */
export function Watching() {
  const { t } = useTranslation("watching");
  return (
    <Stack gap="xl">
      <Stack gap={4}>
        <Title order={1}>{t("title")}</Title>
        <Text c="dimmed">{t("lead")}</Text>
      </Stack>
      <Lists />
    </Stack>
  );
}

function Lists() {
  const { t } = useTranslation("watching");
  const signedIn = useSignedIn();
  const kinopub = useQuery({ ...sessionQuery(), enabled: signedIn }).data?.kinopub;
  const connected = kinopub?.connected === true && kinopub.status === "ok";
  const asked = signedIn && (kinopub === undefined || connected);
  const series = useQuery({ ...begunQuery("serials"), enabled: asked });
  const films = useQuery({ ...begunQuery("movies"), enabled: asked });
  if (!asked || isGone(series.error) || isGone(films.error)) {
    const again = signedIn && kinopub?.connected === true;
    return (
      <Nothing
        title={t(again ? "off.again" : "off.title")}
        hint={t("off.hint")}
        action={<ButtonLink to="/connect">{t("off.do")}</ButtonLink>}
      />
    );
  }
  return (["serials", "movies"] as const).map((what) => (
    <List key={what} what={what} asked={what === "serials" ? series : films} />
  ));
}

/** Kinopub's permission ended since the session was last asked for. */
const isGone = (error: Error | null): boolean =>
  error instanceof ApiError && ["not_connected", "reauth_required"].includes(error.code);

function List({ what, asked }: { what: "movies" | "serials"; asked: UseQueryResult<Begun[]> }) {
  const { t } = useTranslation("watching");
  const { data, error, refetch } = asked;
  return (
    <Stack component="section" aria-labelledby={what}>
      <Title order={2} size="h3" id={what}>
        {t(`${what}.title`)}
      </Title>
      {error && !data ? <Trouble error={error} onRetry={() => void refetch()} /> : null}
      {!data && !error && <Loading what={t("loading")} lines={2} />}
      {data?.length === 0 && <Nothing title={t(`${what}.none`)} hint={t(`${what}.hint`)} />}
      {data && data.length > 0 && <BegunGrid titles={data} />}
    </Stack>
  );
}
