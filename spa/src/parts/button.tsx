import { type ButtonProps, Loader, Button as Plain } from "@mantine/core";
import type { ComponentProps } from "react";

type Native = Omit<ComponentProps<"button">, keyof ButtonProps>;

/** The library's own, but while it works it keeps its words, and the focus, which a disabled button loses. */
export function Button({ loading = false, leftSection, onClick, style, ...others }: ButtonProps & Native) {
  return (
    <Plain
      {...others}
      style={[style, loading ? { cursor: "progress" } : undefined]}
      aria-busy={loading || undefined}
      aria-disabled={loading || undefined}
      leftSection={loading ? <Loader size="1em" color="currentColor" aria-hidden="true" /> : leftSection}
      onClick={(event) => (loading ? event.preventDefault() : onClick?.(event))}
    />
  );
}
