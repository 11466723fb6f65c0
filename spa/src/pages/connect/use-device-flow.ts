import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState } from "react";
import { ApiError, api, body } from "../../api/client";
import { dropFlow, type Flow, keepFlow, keptFlow, type Provider } from "../../api/kept";
import { signedInAs } from "./signed-in";

/** Why a code is of no use any more; http-api.md, Auth broker. */
export type Ended = "expired" | "denied" | "invalid" | "already_used";
const ENDS = new Set<string>(["expired", "denied", "invalid", "already_used"] satisfies Ended[]);

export interface DeviceFlowState {
  /** Undefined until it is known whether one was begun before the page was loaded. */
  flow: Flow | null | undefined;
  begin: () => void;
  beginning: boolean;
  beginError: unknown;
  ended: Ended | null;
  /** The upstream wants to be asked less often; it is. */
  slower: boolean;
  /** What is wrong for the moment; asking goes on. */
  trouble: unknown;
}

/** A device flow: begun once, kept over reloads, asked after at the broker's pace until it ends in one way or another. */
export function useDeviceFlow(provider: Provider): DeviceFlowState {
  const client = useQueryClient();
  const [ended, setEnded] = useState<Ended | null>(null);
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
      setSlower(false);
      setTrouble(null);
      client.setQueryData(key, begun);
    },
  });

  async function end(how: Ended) {
    setEnded(how);
    await dropFlow(provider);
    client.setQueryData(key, null);
  }

  /** Seconds until the next question; null when there is none. */
  const ask = useEffectEvent(async (at: Flow): Promise<number | null> => {
    if (Date.now() >= at.expires_at) {
      await end("expired");
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
      const code = error instanceof ApiError ? error.code : "";
      if (ENDS.has(code)) {
        await end(code as Ended);
        return null;
      }
      setTrouble(error);
      return error instanceof ApiError && error.retryAfter ? error.retryAfter : at.interval * 2;
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
    slower,
    trouble,
  };
}
