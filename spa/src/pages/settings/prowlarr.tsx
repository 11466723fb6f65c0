import { Alert, Code, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, api, proxied } from "../../api/client";
import { type Session, sessionQuery } from "../../api/queries";
import { Button } from "../../parts/button";
import { Warning } from "../../parts/icons";
import { Trouble } from "../../parts/trouble";
import { Ask } from "./ask";
import { ProwlarrForm } from "./prowlarr-form";
import { Said, Section } from "./section";

/** The person's own Prowlarr, which programs reach through Watchferry. */
export function Prowlarr({ prowlarr }: { prowlarr: Session["prowlarr"] }) {
  const { t } = useTranslation("settings");
  const [changing, setChanging] = useState(false);
  const [said, setSaid] = useState<"stored" | "removed" | null>(null);
  return (
    <Section title={t("prowlarr.title")} about={t("prowlarr.about")}>
      {prowlarr.configured && !changing ? (
        <Stored
          address={prowlarr.base_url ?? ""}
          onChange={() => {
            setChanging(true);
            setSaid(null);
          }}
          onTry={() => setSaid(null)}
          onRemoved={() => setSaid("removed")}
        />
      ) : (
        <ProwlarrForm
          address={prowlarr.base_url ?? ""}
          onDone={() => {
            setChanging(false);
            setSaid("stored");
          }}
          onCancel={prowlarr.configured ? () => setChanging(false) : undefined}
        />
      )}
      <Said>{said && t(`prowlarr.${said}`)}</Said>
    </Section>
  );
}

interface There {
  address: string;
  onChange: () => void;
  onTry: () => void;
  onRemoved: () => void;
}

function Stored({ address, onChange, onTry, onRemoved }: There) {
  const { t } = useTranslation("settings");
  const client = useQueryClient();
  const attempt = useMutation({
    onMutate: onTry,
    mutationFn: async () =>
      (await proxied<unknown[]>("/prowlarr/api/v1/search", { query: "test", limit: "1" })).data.length,
  });
  const remove = useMutation({
    mutationFn: async () => {
      await api.DELETE("/auth/prowlarr");
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: sessionQuery().queryKey });
      onRemoved();
    },
  });
  const key = attempt.error instanceof ApiError && [401, 403].includes(attempt.error.status);
  return (
    <Stack gap="sm">
      <Text size="sm">
        {t("prowlarr.isAt")} <Code>{address}</Code>
      </Text>
      <Group gap="sm">
        <Button size="xs" onClick={() => attempt.mutate()} loading={attempt.isPending}>
          {t("prowlarr.try")}
        </Button>
        <Button size="xs" variant="default" onClick={onChange}>
          {t("prowlarr.change")}
        </Button>
        <Ask label={t("prowlarr.remove")} title={t("prowlarr.sure")} yes={t("prowlarr.remove")} doing={remove}>
          {t("prowlarr.follows")}
        </Ask>
      </Group>
      {key && (
        <Alert color="red" variant="light" icon={<Warning />} title={t("prowlarr.key")} role="alert">
          {t("prowlarr.keyFix")}
        </Alert>
      )}
      {attempt.error && !key ? <Trouble error={attempt.error} /> : null}
      <Said>{attempt.isSuccess && t("prowlarr.works", { count: attempt.data })}</Said>
    </Stack>
  );
}
