import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, body, type Schemas } from "../../api/client";
import { persister } from "../../api/kept";
import { type Settings, settingsQuery, stateQuery } from "../../api/queries";

export type Change = Schemas["SyncChangeSettings"];

/** Changes some fields; the others stay as they are, whoever changed them meanwhile. */
export function useChange(done?: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: Change) => body(api.PUT("/sync/settings", { body: change })),
    onSuccess: async (settings) => {
      const { queryKey } = settingsQuery();
      await client.cancelQueries({ queryKey }); // an answer from before would bring back what was
      client.setQueryData(queryKey, settings);
      // Only answers to questions are kept by themselves. What the browser does not keep is asked for.
      persister.persistQueryByKey(queryKey, client).catch(() => undefined);
      done?.();
      return client.invalidateQueries({ queryKey: stateQuery().queryKey });
    },
  });
}

/** What was entered and not saved yet, over what is stored. */
export function useDraft<Field extends keyof Settings>(stored: Pick<Settings, Field>) {
  const [draft, setDraft] = useState<Partial<Pick<Settings, Field>>>({});
  const changed = Object.fromEntries(
    Object.entries(draft).filter(([field, value]) => stored[field as Field] !== value),
  ) as Partial<Pick<Settings, Field>>;
  const change = useChange(() => setDraft({}));
  return {
    values: { ...stored, ...draft },
    changed,
    dirty: Object.keys(changed).length > 0,
    set: (values: Partial<Pick<Settings, Field>>) => {
      change.reset();
      setDraft((before) => ({ ...before, ...values }));
    },
    drop: () => {
      change.reset();
      setDraft({});
    },
    change,
  };
}
