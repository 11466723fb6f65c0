import { Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { type ApiToken, apiTokensQuery } from "../../api/queries";
import { Loading } from "../../parts/loading";
import { Trouble } from "../../parts/trouble";
import { Ago, At } from "../../parts/when";
import { Ask } from "./ask";
import { NewToken } from "./new-token";
import { Section } from "./section";
import styles from "./settings.module.css";

/** Keys with which a person's programs come to the API. */
export function Tokens() {
  const { t } = useTranslation("settings");
  const tokens = useQuery(apiTokensQuery());
  return (
    <Section title={t("tokens.title")} about={t("tokens.about")}>
      {tokens.isPending && <Loading what={t("tokens.asking")} lines={2} />}
      {tokens.error && !tokens.data ? <Trouble error={tokens.error} onRetry={() => void tokens.refetch()} /> : null}
      {tokens.data?.items.length === 0 && <Text size="sm">{t("tokens.none")}</Text>}
      {tokens.data && tokens.data.items.length > 0 && (
        <ul className={styles.rows}>
          {tokens.data.items.map((token) => (
            <OneToken key={token.id} token={token} />
          ))}
        </ul>
      )}
      <NewToken />
    </Section>
  );
}

function OneToken({ token }: { token: ApiToken }) {
  const { t } = useTranslation("settings");
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: async () => {
      await api.DELETE("/auth/api-tokens/{token_id}", { params: { path: { token_id: token.id } } });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: apiTokensQuery().queryKey }),
  });
  return (
    <li>
      <div className={styles.what}>
        <Text fw={600}>{token.name}</Text>
        <Text size="sm" c="dimmed">
          {t("tokens.made")} <At time={token.created_at} /> ·{" "}
          {token.last_used_at ? t("tokens.used") : t("tokens.unused")}{" "}
          {token.last_used_at && <Ago time={token.last_used_at} />}
        </Text>
      </div>
      <Ask
        label={t("tokens.revoke")}
        name={t("tokens.revokeOne", { name: token.name })}
        title={t("tokens.sure", { name: token.name })}
        yes={t("tokens.revoke")}
        doing={revoke}
      >
        {t("tokens.follows")}
      </Ask>
    </li>
  );
}
