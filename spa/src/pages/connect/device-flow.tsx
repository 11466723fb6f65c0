import { Alert, Anchor, CopyButton, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { lazy, type ReactNode, Suspense } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../api/client";
import type { Flow, Provider } from "../../api/kept";
import { countdown } from "../../lib/time";
import { Button } from "../../parts/button";
import { Check, Copy, Warning } from "../../parts/icons";
import { Loading } from "../../parts/loading";
import { Plainly, Trouble } from "../../parts/trouble";
import { useNow } from "../../parts/use-now";
import styles from "./connect.module.css";
import { useDeviceFlow } from "./use-device-flow";

const QRCode = lazy(() => import("qrcode.react").then(({ QRCodeSVG }) => ({ default: QRCodeSVG })));

/** Connecting by a code; `children` is another way, shown beside it. */
export function DeviceFlow({ provider, children }: { provider: Provider; children?: ReactNode }) {
  const { t } = useTranslation("connect");
  const state = useDeviceFlow(provider);
  const { flow, ended, failed } = state;
  return (
    <Paper withBorder p="lg">
      <Stack>
        <Title order={2} size="h3">
          {t(`${provider}.title`)}
        </Title>
        {flow === undefined && <Loading what={t("asking")} lines={2} />}
        {ended && (
          <Alert color="orange" icon={<Warning />} title={t(`ended.${ended}.title`)} role="alert">
            {t(`ended.${ended}.hint`)}
          </Alert>
        )}
        {failed ? (
          <>
            <Trouble error={failed} />
            <Text size="sm">
              {t(failed instanceof ApiError && failed.code === "not_allowed" ? "somebodyElse" : "usedUp")}
            </Text>
          </>
        ) : null}
        {state.beginError ? <Trouble error={state.beginError} /> : null}
        {flow === null && (
          <>
            <Text>{t(`${provider}.why`)}</Text>
            <Group>
              <Button onClick={state.begin} loading={state.beginning}>
                {ended || failed ? t("anew") : t("begin")}
              </Button>
              {children}
            </Group>
          </>
        )}
        {flow && (
          <>
            <TheCode provider={provider} flow={flow} />
            {state.slower && (
              <Text size="sm" c="dimmed">
                {t("slower")}
              </Text>
            )}
            {state.trouble ? (
              <Alert color="orange" icon={<Warning />} role="status">
                <Plainly error={state.trouble} /> {t("asksOn")}
              </Alert>
            ) : null}
            <Group>
              <Button variant="default" size="xs" onClick={state.begin} loading={state.beginning}>
                {t("anew")}
              </Button>
            </Group>
          </>
        )}
      </Stack>
    </Paper>
  );
}

function TheCode({ provider, flow }: { provider: Provider; flow: Flow }) {
  const { t } = useTranslation(["connect", "common"]);
  const site = new URL(flow.verification_url).host;
  return (
    <div className={styles.code}>
      <div className={styles.qr}>
        <Suspense>
          <QRCode value={flow.verification_url_complete} title={t("qr", { site })} size={148} marginSize={2} />
        </Suspense>
      </div>
      <Stack gap="xs">
        <Text>
          {t("goTo")}{" "}
          <Anchor
            className={styles.link}
            href={flow.verification_url_complete}
            target="_blank"
            rel="noopener noreferrer"
            fw={600}
          >
            {flow.verification_url.replace(/^https?:\/\//, "")}
          </Anchor>{" "}
          {t("andEnter")}
        </Text>
        <Group gap="sm">
          <output className={styles.user} aria-label={t("codeLabel")}>
            {flow.user_code}
          </output>
          <CopyButton value={flow.user_code}>
            {({ copied, copy }) => (
              <Button
                variant="light"
                size="sm"
                onClick={copy}
                leftSection={copied ? <Check /> : <Copy />}
                aria-live="polite"
              >
                {t(copied ? "common:copied" : "common:copy")}
              </Button>
            )}
          </CopyButton>
        </Group>
        <Text size="sm" c="dimmed">
          {t(`${provider}.where`)}
        </Text>
        <Group gap="xs">
          <span className={styles.pulse} aria-hidden="true" />
          <Text size="sm" role="status">
            {t("waiting")}
          </Text>
          <Left until={flow.expires_at} />
        </Group>
      </Stack>
    </div>
  );
}

function Left({ until }: { until: number }) {
  const { t } = useTranslation("connect");
  const now = useNow(1_000);
  return (
    <Text size="sm" c="dimmed" className={styles.left}>
      {t("expires", { left: countdown((until - now.getTime()) / 1000) })}
    </Text>
  );
}
