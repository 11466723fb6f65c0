import { useEffect, useRef } from "react";

/** Calls once a run that was seen under way is so no more. */
export function useWhenOver(active: string | null, call: () => void): void {
  const before = useRef<string | null>(null);
  useEffect(() => {
    if (before.current && !active) call();
    before.current = active;
  });
}
