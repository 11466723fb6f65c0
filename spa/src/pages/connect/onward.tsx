import { Group } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { runsQuery } from "../../api/queries";
import { forgetWanted, wantedPage } from "../../api/session";
import { ButtonLink } from "../../parts/links";

/** For who has been here before: on to the page that was asked for without a session, else the way home. Who never had a
 * run goes through the steps first; `complete`: that is done. */
export function Onward({ complete }: { complete: boolean }) {
  const { t } = useTranslation("connect");
  const { history } = useRouter();
  const runs = useInfiniteQuery(runsQuery());
  const isNew = runs.data ? runs.data.pages[0]?.items.length === 0 : undefined;
  useEffect(() => {
    if (isNew === undefined) return;
    const wanted = wantedPage();
    forgetWanted();
    if (!isNew && wanted && wanted !== "/connect") history.replace(wanted);
  }, [isNew, history]);
  if (!complete && (runs.isPending || isNew)) return null;
  return (
    <Group>
      <ButtonLink variant="subtle" to="/">
        {t("home")}
      </ButtonLink>
    </Group>
  );
}
