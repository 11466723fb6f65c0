import { Skeleton, Stack, VisuallyHidden } from "@mantine/core";

/** The place where something will be, in words for those who do not see it. */
export function Loading({ what, lines = 4 }: { what: string; lines?: number }) {
  return (
    <Stack gap="sm" role="status">
      <VisuallyHidden>{what}</VisuallyHidden>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have nothing else
        <Skeleton key={line} height={line === 0 ? 32 : 56} width={line === 0 ? "40%" : "100%"} />
      ))}
    </Stack>
  );
}
