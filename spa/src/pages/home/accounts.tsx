import { Badge, Group } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Session } from "../../api/queries";
import { Check, Warning } from "../../parts/icons";
import { TextLink } from "../../parts/links";

const COLORS = { none: "gray", ok: "teal", reauth_required: "orange", account_locked: "red" } as const;

/** Where it says why the hourly sync is paused. */
export const PAUSED = "paused";

/** Both accounts: connected, to be connected (again), or locked. */
export function Accounts({ session }: { session: Session }) {
  const { t } = useTranslation("home");
  return (
    <Group gap="sm">
      {(["trakt", "kinopub"] as const).map((name) => {
        const status = session[name].connected ? session[name].status : "none";
        return (
          <Group key={name} gap={6}>
            <Badge
              size="lg"
              tt="none"
              variant="light"
              color={COLORS[status]}
              leftSection={status === "ok" ? <Check /> : <Warning />}
            >
              {t(`account.${name}`)} · {t(`account.${status}`)}
            </Badge>
            {status === "account_locked" && (
              <TextLink to="/" hash={PAUSED}>
                {t("account.what")}
              </TextLink>
            )}
            {(status === "reauth_required" || status === "none") && (
              <TextLink to="/connect">{t(status === "none" ? "account.connect" : "account.again")}</TextLink>
            )}
          </Group>
        );
      })}
    </Group>
  );
}
