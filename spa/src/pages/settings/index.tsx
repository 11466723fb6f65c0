import { Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { sessionQuery, settingsQuery } from "../../api/queries";
import { Loading } from "../../parts/loading";
import { Trouble } from "../../parts/trouble";
import { Accounts } from "./accounts";
import { Advanced } from "./advanced";
import { Appearance } from "./appearance";
import { Automatic } from "./automatic";
import { Brake } from "./brake";
import { Notifications } from "./notifications";
import { Prowlarr } from "./prowlarr";
import { Rewatch } from "./rewatch";
import { Tokens } from "./tokens";
import { YourData } from "./your-data";

/** All that a person can set, each matter in a section of its own. */
export function SettingsPage() {
  const { t } = useTranslation("settings");
  const settings = useQuery(settingsQuery());
  const session = useQuery(sessionQuery());
  return (
    <Stack maw="46rem" mx="auto">
      <Title order={1}>{t("title")}</Title>
      {settings.isPending && <Loading what={t("asking")} />}
      {settings.error && !settings.data ? (
        <Trouble error={settings.error} onRetry={() => void settings.refetch()} />
      ) : null}
      {settings.data && (
        <>
          <Automatic settings={settings.data} />
          <Rewatch settings={settings.data} />
          <Brake settings={settings.data} />
          <Notifications settings={settings.data} />
        </>
      )}
      {session.error && !session.data ? <Trouble error={session.error} onRetry={() => void session.refetch()} /> : null}
      {session.data && (
        <>
          <Accounts session={session.data} />
          <Prowlarr prowlarr={session.data.prowlarr} />
          <Tokens />
        </>
      )}
      <Appearance />
      {settings.data && <Advanced settings={settings.data} />}
      {session.data && <YourData slug={session.data.user.slug} />}
    </Stack>
  );
}
