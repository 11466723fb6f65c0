import { Alert, Anchor, Group, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Session, State } from "../../api/queries";
import { Button } from "../../parts/button";
import { Warning } from "../../parts/icons";
import { ButtonLink } from "../../parts/links";
import { Trouble } from "../../parts/trouble";
import { PAUSED } from "./accounts";
import { useChangeEnabled } from "./use-change-enabled";

type Reason = NonNullable<State["paused_reason"]>;

const HELP = { account_locked: "https://support.trakt.tv", account_limit: "https://trakt.tv/vip" } as const;

/** Why the hourly sync does not go on by itself, and what makes it go on. */
export default function Paused({ reason, session }: { reason: Reason; session: Session }) {
  const { t } = useTranslation("home");
  const account = toConnect(session);
  return (
    <Alert
      id={PAUSED}
      color={reason === "account_locked" ? "red" : "orange"}
      icon={<Warning />}
      title={reason === "reauth_required" && account ? t("paused.connect", { account }) : t(`paused.${reason}.title`)}
    >
      <Stack gap="sm">
        <Text size="sm">{t(`paused.${reason}.hint`)}</Text>
        {reason === "reauth_required" && account === "Trakt" && (
          <Text size="sm">{t("paused.reauth_required.oneApp")}</Text>
        )}
        {reason === "account_locked" || reason === "account_limit" ? (
          <GoOn reason={reason} />
        ) : (
          <Group>
            <ButtonLink size="xs" to={reason === "reauth_required" ? "/connect" : "/runs"}>
              {t(reason === "reauth_required" ? "account.again" : "latest.all")}
            </ButtonLink>
          </Group>
        )}
      </Stack>
    </Alert>
  );
}

/** Nobody tells us that it is mended at Trakt; its user does. */
function GoOn({ reason }: { reason: keyof typeof HELP }) {
  const { t } = useTranslation("home");
  const change = useChangeEnabled();
  return (
    <>
      {change.error ? <Trouble error={change.error} /> : null}
      <Group>
        <Button size="xs" variant="default" onClick={() => change.mutate(true)} loading={change.isPending}>
          {t(`paused.${reason}.do`)}
        </Button>
        <Anchor href={HELP[reason]} target="_blank" rel="noreferrer" size="sm">
          {t(`paused.${reason}.help`)}
        </Anchor>
      </Group>
    </>
  );
}

function toConnect({ trakt, kinopub }: Session): string | null {
  if (trakt.status === "reauth_required") return "Trakt";
  return kinopub.status === "reauth_required" ? "Kinopub" : null;
}
