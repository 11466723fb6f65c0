import { Stack, Text, Title, UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { episodesOf, type Solved } from "../../lib/needs";
import { Button } from "../../parts/button";
import { Trouble } from "../../parts/trouble";
import styles from "./needs.module.css";
import { useTakeBack } from "./use-mend";

const SHORT = 8;

/** What was said, each with a way back. */
export function SolvedList({ solved }: { solved: readonly Solved[] }) {
  const { t } = useTranslation("needs");
  const [all, setAll] = useState(false);
  const shown = all ? solved : solved.slice(0, SHORT);
  return (
    <Stack gap="xs">
      <Title order={2} size="h5">
        {t("solved.title")}
      </Title>
      <ul className={styles.solved}>
        {shown.map((each) => (
          <OneSolved key={each.at} solved={each} />
        ))}
      </ul>
      {shown.length < solved.length && (
        <UnstyledButton className={styles.all} onClick={() => setAll(true)}>
          {t("all", { count: solved.length - shown.length })}
        </UnstyledButton>
      )}
    </Stack>
  );
}

function OneSolved({ solved }: { solved: Solved }) {
  const { t } = useTranslation("needs");
  const takeBack = useTakeBack();
  return (
    <li>
      <Text size="sm" fw={600}>
        {[solved.title, episodesOf(solved)].filter(Boolean).join(" · ")}
      </Text>
      <Text size="sm" c="dimmed">
        {solved.as === null ? t("solved.ignored") : t("solved.is", { title: solved.as })}
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
          aria-label={t("solved.bringOne", { title: solved.title })}
        >
          {t("solved.bring")}
        </Button>
      )}
    </li>
  );
}
