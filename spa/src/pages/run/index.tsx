import { Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { runQuery } from "../../api/queries";
import { TextLink } from "../../parts/links";
import { RunKind } from "../../parts/run-kind";
import { At } from "../../parts/when";
import { RunView } from "./run-view";

export function RunPage() {
  const { t } = useTranslation("run");
  const { id } = useParams({ from: "/runs/$id" });
  const { data: run } = useQuery(runQuery(id));
  return (
    <Stack>
      <TextLink to="/runs" size="sm">
        {t("all")}
      </TextLink>
      <Title order={1} size="h2">
        {run ? (
          <>
            <RunKind run={run} /> · <At time={run.started_at} />
          </>
        ) : (
          t("one")
        )}
      </Title>
      <RunView key={id} id={id} />
    </Stack>
  );
}
