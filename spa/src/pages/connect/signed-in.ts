import type { QueryClient } from "@tanstack/react-query";
import { type Provider, wipe } from "../../api/kept";
import { announceSession } from "../../api/session";

/** After Trakt: perhaps somebody else than before. After Kinopub: what was asked without it is out of date. */
export async function signedInAs(client: QueryClient, provider: Provider): Promise<void> {
  if (provider === "kinopub") return client.invalidateQueries();
  await client.cancelQueries();
  client.removeQueries({ type: "inactive" });
  await wipe();
  announceSession();
  // What is on the screen asks anew. Taken out from under it, it would stay as it was.
  await client.resetQueries();
}
