import { Group, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { sessionQuery } from "../../api/queries";
import { Button } from "../../parts/button";
import { Trouble } from "../../parts/trouble";
import { refused } from "./refused";
import styles from "./settings.module.css";

/** Address and key go together: a key is not sent to an address that it was not entered for. */
export function ProwlarrForm({
  address,
  onDone,
  onCancel,
}: {
  address: string;
  onDone: () => void;
  onCancel?: () => void;
}) {
  const { t } = useTranslation("settings");
  const client = useQueryClient();
  const [base_url, setAddress] = useState(address);
  const [api_key, setKey] = useState("");
  const [tried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: async () => {
      await api.PUT("/auth/prowlarr", { body: { base_url: base_url.trim(), api_key: api_key.trim() } });
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: sessionQuery().queryKey });
      onDone();
    },
  });
  const wrong = refused(save.error);
  return (
    <form
      noValidate
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (base_url.trim() && api_key.trim()) save.mutate();
      }}
    >
      <Stack gap="sm">
        <div className={styles.fields}>
          <TextInput
            type="url"
            label={t("prowlarr.address")}
            description={t("prowlarr.addressHint")}
            value={base_url}
            onChange={(event) => {
              setAddress(event.currentTarget.value);
              save.reset();
            }}
            error={tried && !base_url.trim() ? t("prowlarr.noAddress") : wrong}
            autoComplete="off"
            spellCheck={false}
          />
          <PasswordInput
            label={t("prowlarr.apiKey")}
            description={t("prowlarr.keyHint")}
            value={api_key}
            onChange={(event) => setKey(event.currentTarget.value)}
            error={tried && !api_key.trim() ? t("prowlarr.noKey") : null}
            visibilityToggleButtonProps={{ "aria-label": t("prowlarr.show") }}
            autoComplete="off"
            spellCheck={false}
          />
        </div>
        {save.error && !wrong ? <Trouble error={save.error} /> : null}
        <Group gap="sm">
          <Button type="submit" loading={save.isPending}>
            {t("save")}
          </Button>
          {onCancel && (
            <Button variant="default" onClick={onCancel}>
              {t("drop")}
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}
