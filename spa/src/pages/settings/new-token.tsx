import { Alert, Code, CopyButton, Group, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, body, type Schemas } from "../../api/client";
import { apiTokensQuery } from "../../api/queries";
import { Button } from "../../parts/button";
import { Check, Copy, Warning } from "../../parts/icons";
import { Trouble } from "../../parts/trouble";
import { refused } from "./refused";
import styles from "./settings.module.css";

type Made = Schemas["NewApiToken"];

/** Makes a token. Its value lives in this component alone and goes with it. */
export function NewToken() {
  const { t } = useTranslation(["settings", "common"]);
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [empty, setEmpty] = useState(false);
  const [made, setMade] = useState<Made | null>(null);
  const make = useMutation({
    // Returns nothing: what a mutation returns is kept.
    mutationFn: async () => {
      setMade(await body(api.POST("/auth/api-tokens", { body: { name: name.trim() } })));
    },
    onSuccess: () => {
      setName("");
      return client.invalidateQueries({ queryKey: apiTokensQuery().queryKey });
    },
  });
  const wrong = refused(make.error);
  return (
    <Stack>
      {made && <Shown made={made} onDone={() => setMade(null)} />}
      <form
        noValidate
        autoComplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          setEmpty(!name.trim());
          if (name.trim()) make.mutate();
        }}
      >
        <Stack gap="sm">
          <TextInput
            className={styles.field}
            label={t("tokens.name")}
            description={t("tokens.nameHint")}
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value);
              setEmpty(false);
              make.reset();
            }}
            maxLength={100}
            error={empty ? t("tokens.noName") : wrong}
            autoComplete="off"
          />
          {make.error && !wrong ? <Trouble error={make.error} /> : null}
          <Group>
            <Button type="submit" variant="light" loading={make.isPending}>
              {t("tokens.make")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Stack>
  );
}

function Shown({ made, onDone }: { made: Made; onDone: () => void }) {
  const { t } = useTranslation(["settings", "common"]);
  return (
    <Alert
      color="orange"
      variant="light"
      icon={<Warning />}
      title={t("tokens.once", { name: made.name })}
      role="status"
    >
      <Stack gap="sm">
        <span>{t("tokens.warning")}</span>
        <Group gap="sm">
          <Code className={styles.secret} fz="sm">
            {made.token}
          </Code>
          <CopyButton value={made.token}>
            {({ copied, copy }) => (
              <Button size="xs" onClick={copy} leftSection={copied ? <Check /> : <Copy />} aria-live="polite">
                {t(copied ? "common:copied" : "common:copy")}
              </Button>
            )}
          </CopyButton>
          <Button size="xs" variant="default" onClick={onDone}>
            {t("tokens.have")}
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
