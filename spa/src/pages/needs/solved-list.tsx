import { Button, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { placeName } from "../../lib/offsets";
import { Trouble } from "../../parts/trouble";
import styles from "./needs.module.css";
import { type Solved, useTakeBack } from "./use-mend";

const SHORT = 8;

/** What was just said, each with a way back. */
export function SolvedList({ solved }: { solved: readonly Solved[] }) {
  const { t } = useTranslation("needs");
  return (
    <Stack gap="xs">
      <Title order={2} size="h5">
        {t("solved.title")}
      </Title>
      <ul className={styles.solved}>
        {solved.slice(0, SHORT).map((each) => (
          <OneSolved key={`${each.need.id} ${each.at}`} solved={each} />
        ))}
      </ul>
    </Stack>
  );
}

function OneSolved({ solved }: { solved: Solved }) {
  const { t } = useTranslation("needs");
  const takeBack = useTakeBack();
  const { need, plan, answer } = solved;
  const places = plan.scope === "episodes" ? plan.rows.map((row) => placeOf(row.season, row.episode)).join(", ") : "";
  return (
    <li>
      <Text size="sm" fw={600}>
        {[need.title, places].filter(Boolean).join(" · ")}
      </Text>
      <Text size="sm" c="dimmed">
        {answer === "ignore"
          ? t("solved.ignored")
          : t("solved.is", { title: [answer.candidate.title, answer.candidate.year].filter(Boolean).join(", ") })}
      </Text>
      {takeBack.error ? <Trouble error={takeBack.error} /> : null}
      {solved.back ? (
        <Text size="sm" role="status">
          {t("solved.back")}
        </Text>
      ) : (
        <Button
          variant="subtle"
          size="compact-sm"
          onClick={() => takeBack.mutate(solved)}
          loading={takeBack.isPending}
          aria-label={t("solved.bringOne", { title: need.title })}
        >
          {t("solved.bring")}
        </Button>
      )}
    </li>
  );
}

const placeOf = (season = 0, number = 0): string => placeName({ season, number });
