import { Group, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../parts/button";
import { Trouble } from "../../parts/trouble";
import { Said } from "./section";

interface Drafted {
  dirty: boolean;
  drop: () => void;
  change: { isPending: boolean; isSuccess: boolean; error: unknown };
  onSave: () => void;
  /** Why it cannot be saved, if so: the field says it. */
  wrong?: boolean;
  children: ReactNode;
}

/** Fields that are saved together. The buttons are there once there is something to save. */
export function DraftForm({ dirty, drop, change, onSave, wrong = false, children }: Drafted) {
  const { t } = useTranslation("settings");
  return (
    <form
      noValidate
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        if (dirty && !wrong) onSave();
      }}
    >
      <Stack>
        {children}
        {change.error ? <Trouble error={change.error} /> : null}
        {dirty && (
          <Group gap="sm">
            <Button type="submit" loading={change.isPending}>
              {t("save")}
            </Button>
            <Button variant="default" onClick={drop}>
              {t("drop")}
            </Button>
          </Group>
        )}
        <Said>{change.isSuccess && !dirty ? t("saved") : null}</Said>
      </Stack>
    </form>
  );
}
