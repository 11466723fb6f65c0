import { Code, Group, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import type { Settings } from "../../api/queries";
import { Button } from "../../parts/button";
import { Trouble } from "../../parts/trouble";
import { Ask, type Doing } from "./ask";
import { refused } from "./refused";
import { Said, Section } from "./section";
import styles from "./settings.module.css";
import { useChange } from "./use-change";

/** Where a person is told that something needs them. */
export function Notifications({ settings }: { settings: Settings }) {
  const { t } = useTranslation("settings");
  const [changing, setChanging] = useState(false);
  const [said, setSaid] = useState<"stored" | "removed" | null>(null);
  const shown = settings.webhook_url;
  return (
    <Section title={t("webhook.title")} about={t("webhook.about")}>
      {shown && !changing ? (
        <Stored
          shown={shown}
          onChange={() => {
            setChanging(true);
            setSaid(null);
          }}
          onTest={() => setSaid(null)}
          onRemoved={() => setSaid("removed")}
        />
      ) : (
        <AddressForm
          onDone={() => {
            setChanging(false);
            setSaid("stored");
          }}
          onCancel={shown ? () => setChanging(false) : undefined}
        />
      )}
      <Said>{said && t(`webhook.${said}`)}</Said>
    </Section>
  );
}

interface There {
  /** The address, masked. */
  shown: string;
  onChange: () => void;
  onTest: () => void;
  onRemoved: () => void;
}

function Stored({ shown, onChange, onTest, onRemoved }: There) {
  const { t } = useTranslation("settings");
  const test = useMutation({ mutationFn: () => api.POST("/sync/webhook/test"), onMutate: onTest });
  const change = useChange(onRemoved);
  const remove: Doing = { ...change, mutate: (_, then) => change.mutate({ webhook_url: null }, then) };
  return (
    <Stack gap="sm">
      <Text size="sm">
        {t("webhook.goesTo")} <Code>{shown}</Code>
      </Text>
      <Group gap="sm">
        <Button size="xs" onClick={() => test.mutate()} loading={test.isPending}>
          {t("webhook.test")}
        </Button>
        <Button size="xs" variant="default" onClick={onChange}>
          {t("webhook.change")}
        </Button>
        <Ask label={t("webhook.remove")} title={t("webhook.sure")} yes={t("webhook.remove")} doing={remove}>
          {t("webhook.follows")}
        </Ask>
      </Group>
      {test.error ? <Trouble error={test.error} /> : null}
      <Said>{test.isSuccess && t("webhook.tested")}</Said>
    </Stack>
  );
}

function AddressForm({ onDone, onCancel }: { onDone: () => void; onCancel?: () => void }) {
  const { t } = useTranslation("settings");
  const [address, setAddress] = useState("");
  const [empty, setEmpty] = useState(false);
  const change = useChange(onDone);
  const wrong = refused(change.error);
  return (
    <form
      noValidate
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        setEmpty(!address.trim());
        if (address.trim()) change.mutate({ webhook_url: address.trim() });
      }}
    >
      <Stack gap="sm">
        <TextInput
          className={styles.field}
          type="url"
          label={t("webhook.label")}
          description={t("webhook.examples")}
          value={address}
          onChange={(event) => {
            setAddress(event.currentTarget.value);
            setEmpty(false);
            change.reset();
          }}
          error={empty ? t("webhook.empty") : wrong}
          autoComplete="off"
          spellCheck={false}
        />
        {change.error && !wrong ? <Trouble error={change.error} /> : null}
        <Group gap="sm">
          <Button type="submit" loading={change.isPending}>
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
