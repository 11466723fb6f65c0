import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "../../api/client";
import { settingsQuery } from "../../api/queries";

/** Turns the hourly sync on or off; on also ends a pause. The switch moves at once, and back if it is refused. */
export function useChangeEnabled() {
  const client = useQueryClient();
  const { queryKey } = settingsQuery();
  return useMutation({
    mutationFn: (enabled: boolean) => body(api.PUT("/sync/settings", { body: { enabled } })),
    onMutate: async (enabled) => {
      await client.cancelQueries({ queryKey }); // an answer from before would move it back
      const before = client.getQueryData(queryKey);
      client.setQueryData(queryKey, (known) => known && { ...known, enabled });
      return before;
    },
    onError: (_error, _enabled, before) => client.setQueryData(queryKey, before),
    onSettled: () => {
      // A lock is over together with its pause: the session says so.
      for (const key of ["settings", "state", "session"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
}
