import { Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../api/client";
import { begunQuery } from "../../api/queries";
import { BegunGrid } from "../../parts/begun-grid";
import { TextLink } from "../../parts/links";
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
      <List what="serials" />
      <List what="movies" />
    </Stack>
  );
}

function List({ what }: { what: "movies" | "serials" }) {
  const { t } = useTranslation("watching");
  const { data, error, refetch } = useQuery(begunQuery(what));
  const gone = error instanceof ApiError && ["not_connected", "reauth_required"].includes(error.code);
  return (
    <Stack component="section" aria-labelledby={what}>
      <Title order={2} size="h3" id={what}>
        {t(`${what}.title`)}
      </Title>
      {error && !data ? <Trouble error={error} onRetry={() => void refetch()} /> : null}
      {gone && <TextLink to="/connect">{t("connect")}</TextLink>}
      {!data && !error && <Loading what={t("loading")} lines={2} />}
      {data?.length === 0 && <Nothing title={t(`${what}.none`)} hint={t(`${what}.hint`)} />}
      {data && data.length > 0 && <BegunGrid titles={data} />}
    </Stack>
  );
}
