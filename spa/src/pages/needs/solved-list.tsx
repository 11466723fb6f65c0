import { Stack, Text, Title, UnstyledButton } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { episodesOf, type Solved } from "../../lib/needs";
import { Button } from "../../parts/button";
import { Trouble } from "../../parts/trouble";
import styles from "./needs.module.css";

const SHORT = 8;

interface Told {
  solved: readonly Solved[];
  onBack: (taken: Solved) => Promise<void>;
}

/** What was said, each with a way back. */
export function SolvedList({ solved, onBack }: Told) {
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
          <OneSolved key={each.keys.join()} solved={each} onBack={onBack} />
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

function OneSolved({ solved, onBack }: { solved: Solved; onBack: Told["onBack"] }) {
  const { t } = useTranslation("needs");
  const takeBack = useMutation({ mutationFn: onBack });
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
