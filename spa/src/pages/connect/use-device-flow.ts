import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState } from "react";
import { ApiError, api, body } from "../../api/client";
import { dropFlow, type Flow, keepFlow, keptFlow, type Provider } from "../../api/kept";
import { sessionQuery } from "../../api/queries";
import { announceSession } from "../../api/session";
import { sessionEnded } from "../../app/query-client";
import { type Ended, meaningOf } from "../../lib/device-code";
import { signedInAs } from "./signed-in";

export interface DeviceFlowState {
  /** Undefined until it is known whether one was begun before the page was loaded. */
  flow: Flow | null | undefined;
  begin: () => void;
  beginning: boolean;
  beginError: unknown;
  ended: Ended | null;
  /** What went wrong so that the code is of no use any more. */
  failed: unknown;
  /** The upstream wants to be asked less often; it is. */
  slower: boolean;
  /** What is wrong for the moment; asking goes on. */
  trouble: unknown;
}

/** A device flow: begun once, kept over reloads, asked after at the broker's pace until it ends in one way or another. */
export function useDeviceFlow(provider: Provider): DeviceFlowState {
  const client = useQueryClient();
  const [ended, setEnded] = useState<Ended | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const [slower, setSlower] = useState(false);
  const [trouble, setTrouble] = useState<unknown>(null);
  const key = ["flow", provider];
  const { data: flow } = useQuery({
    queryKey: key,
    queryFn: async () => (await keptFlow(provider)) ?? null,
    persister: undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });

  const begin = useMutation({
    mutationFn: async () => {
      const code = await body(api.POST(`/auth/${provider}/device/code`));
      const begun: Flow = { ...code, expires_at: Date.now() + code.expires_in * 1000 };
      await keepFlow(provider, begun);
      return begun;
    },
    onSuccess: (begun) => {
      setEnded(null);
      setFailed(null);
      setSlower(false);
      setTrouble(null);
      client.setQueryData(key, begun);
    },
  });

  async function end(how: { ended: Ended } | { failed: unknown }) {
    if ("ended" in how) setEnded(how.ended);
    else setFailed(how.failed);
    await dropFlow(provider);
    client.setQueryData(key, null);
  }

  /** Whoever used the code may have connected this browser with it: another window, or we, and the answer was lost. */
  async function lookAgain() {
    announceSession();
    await client.invalidateQueries({ queryKey: sessionQuery().queryKey });
  }

  /** Seconds until the next question; null when there is none. */
  const ask = useEffectEvent(async (at: Flow): Promise<number | null> => {
    if (Date.now() >= at.expires_at) {
      await end({ ended: "expired" });
      return null;
    }
    try {
      const said = await body(api.POST(`/auth/${provider}/device/token`, { body: { device_code: at.device_code } }));
      setTrouble(null);
      if (said.status === "authorized") {
        await dropFlow(provider);
        await signedInAs(client, provider);
        return null;
      }
      setSlower(said.status === "slow_down");
      return said.interval;
    } catch (error) {
      const meaning = error instanceof ApiError ? meaningOf(error) : "passing";
      if (meaning === "passing") {
        setTrouble(error);
        return error instanceof ApiError && error.retryAfter ? error.retryAfter : at.interval * 2;
      }
      if (meaning === "signed_out") {
        await sessionEnded();
      } else if (meaning === "already_used") {
        await lookAgain();
        await end(trouble ? { failed: trouble } : { ended: meaning });
      } else {
        await end(meaning === "final" ? { failed: error } : { ended: meaning });
      }
      return null;
    }
  });

  useEffect(() => {
    if (!flow) return;
    let timer = 0;
    let over = false;
    const next = (seconds: number | null) => {
      if (seconds !== null && !over) timer = window.setTimeout(() => void ask(flow).then(next), seconds * 1000);
    };
    next(flow.interval);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [flow]);

  return {
    flow,
    begin: () => begin.mutate(),
    beginning: begin.isPending,
    beginError: begin.error,
    ended,
    failed,
    slower,
    trouble,
  };
}
