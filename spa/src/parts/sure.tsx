import { Group, Modal, Stack, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "./button";
import { Trouble } from "./trouble";

interface Asked {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What will happen, with its number. */
  children: ReactNode;
  /** On the button: what it does, with its number. */
  yes: string;
  /** When it has to be typed first. */
  phrase?: string;
  onYes: () => void;
  pending: boolean;
  error: unknown;
}

/** Asks once before something that cannot simply be taken back. */
export function Sure({ opened, onClose, title, children, yes, phrase, onYes, pending, error }: Asked) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const wrong = phrase !== undefined && typed.trim() !== phrase;
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      centered
      closeButtonProps={{ "aria-label": t("close") }}
      attributes={{ header: { role: "presentation" } }} // the page's own is the one banner
      onExitTransitionEnd={() => setTyped("")}
    >
      <Stack
        component="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrong && !pending) onYes();
        }}
      >
        <div>{children}</div>
        {phrase !== undefined && (
          <TextInput
            label={t("sure.type", { phrase })}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            data-autofocus
          />
        )}
        {error ? <Trouble error={error} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("sure.no")}
          </Button>
          <Button type="submit" color="red" loading={pending} disabled={wrong}>
            {yes}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
