import type { ButtonProps } from "@mantine/core";
import { type ReactNode, Suspense, useState } from "react";
import { Button } from "../../parts/button";
import { Sure } from "./later";

/** What a mutation without variables has. */
export interface Doing {
  mutate: (nothing: undefined, then?: { onSuccess?: () => void }) => void;
  isPending: boolean;
  error: unknown;
  reset: () => void;
}

interface Asking extends Pick<ButtonProps, "variant" | "size" | "color"> {
  /** On the button that asks. */
  label: string;
  /** Its name, where several say the same. */
  name?: string;
  title: string;
  yes: string;
  phrase?: string;
  doing: Doing;
  /** What will happen. */
  children: ReactNode;
}

/** A button that asks once before it does something. The dialog closes when it is done. */
export function Ask({ label, name, title, yes, phrase, doing, children, ...look }: Asking) {
  const [asked, setAsked] = useState(false);
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button
        variant="default"
        size="xs"
        {...look}
        aria-label={name}
        onClick={() => {
          doing.reset();
          setAsked(true);
          setOpened(true);
        }}
      >
        {label}
      </Button>
      {asked && (
        <Suspense fallback={null}>
          <Sure
            opened={opened}
            onClose={() => setOpened(false)}
            title={title}
            yes={yes}
            phrase={phrase}
            onYes={() => doing.mutate(undefined, { onSuccess: () => setOpened(false) })}
            pending={doing.isPending}
            error={doing.error}
          >
            {children}
          </Sure>
        </Suspense>
      )}
    </>
  );
}
