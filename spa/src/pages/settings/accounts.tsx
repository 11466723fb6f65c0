import { Badge, Group, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import type { Provider } from "../../api/kept";
import type { Session } from "../../api/queries";
import { signedOut } from "../../app/query-client";
import { Button } from "../../parts/button";
import { Check, Warning } from "../../parts/icons";
import { ButtonLink } from "../../parts/links";
import { Trouble } from "../../parts/trouble";
import { Ask } from "./ask";
import { Section } from "./section";
import styles from "./settings.module.css";

/** Both connections, and the way out of the page. */
export function Accounts({ session }: { session: Session }) {
  const { t } = useTranslation("settings");
  const leave = useMutation({ mutationFn: () => api.POST("/auth/logout"), onSuccess: signedOut });
  return (
    <Section title={t("accounts.title")} about={t("accounts.as", { name: session.user.name || session.user.slug })}>
      <ul className={styles.rows}>
        {(["trakt", "kinopub"] as const).map((provider) => (
          <Account key={provider} provider={provider} connection={session[provider]} />
        ))}
      </ul>
      {leave.error ? <Trouble error={leave.error} /> : null}
      <Group>
        <Button variant="default" onClick={() => leave.mutate()} loading={leave.isPending || leave.isSuccess}>
          {t("accounts.signOut")}
        </Button>
      </Group>
    </Section>
  );
}

function Account({ provider, connection }: { provider: Provider; connection: Session["kinopub"] }) {
  const { t } = useTranslation("settings");
  const client = useQueryClient();
  const name = provider === "trakt" ? "Trakt" : "Kinopub";
  const status = connection.connected ? connection.status : "none";
  const disconnect = useMutation({
    mutationFn: async () => {
      await api.DELETE(`/auth/${provider}`);
    },
    onSuccess: () => client.invalidateQueries(),
  });
  return (
    <li>
      <div className={styles.what}>
        <Group gap="xs">
          <Text fw={600}>{name}</Text>
          <Badge
            variant="light"
            color={status === "reauth_required" || status === "account_locked" ? "red" : "gray"}
            tt="none"
            leftSection={status === "ok" ? <Check /> : status === "none" ? null : <Warning />}
            className={styles.state}
          >
            {t(`accounts.status.${status}`)}
          </Badge>
        </Group>
        <Text size="sm" c="dimmed">
          {t(`accounts.hint.${status}`, { name })}
          {provider === "trakt" && status === "reauth_required" && ` ${t("accounts.oneApp")}`}
        </Text>
      </div>
      <Group gap="xs">
        {(status === "none" || status === "reauth_required") && (
          <ButtonLink size="xs" to="/connect">
            {t(status === "none" ? "accounts.connect" : "accounts.again")}
          </ButtonLink>
        )}
        {connection.connected && (
          <Ask
            label={t("accounts.disconnect")}
            name={t("accounts.disconnectOne", { name })}
            title={t("accounts.sure", { name })}
            yes={t("accounts.disconnectOne", { name })}
            doing={disconnect}
          >
            {t(`accounts.follows.${provider}`)}
          </Ask>
        )}
      </Group>
    </li>
  );
}
