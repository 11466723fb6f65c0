import { Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { isMissing, runQuery } from "../api/queries";
import { ButtonLink } from "../parts/links";
import { Nothing } from "../parts/nothing";
import { Trouble } from "../parts/trouble";
import { RunPage } from "./run";

/** The run of the address, or a word that there is none. */
export function FoundRun() {
  const { id } = useParams({ from: "/runs/$id" });
  return <Found key={id} id={id} />;
}

function Found({ id }: { id: string }) {
  const { t } = useTranslation("run");
  const { data, error, refetch } = useQuery(runQuery(id));
  // A query without an answer forgets its error whenever it asks again; people are not shown the two in turn.
  const [failed, setFailed] = useState<Error | null>(null);
  if (error && error !== failed) setFailed(error);
  if (data || !failed) return <RunPage />;
  return (
    <Stack>
      <Title order={1} size="h2">
        {t("one")}
      </Title>
      {isMissing(failed) ? (
        <Nothing
          title={t("missing.title")}
          hint={t("missing.hint")}
          action={<ButtonLink to="/runs">{t("all")}</ButtonLink>}
        />
      ) : (
        <Trouble error={failed} onRetry={() => void refetch()} />
      )}
    </Stack>
  );
}
