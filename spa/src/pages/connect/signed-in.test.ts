import "fake-indexeddb/auto";
import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { createStore, entries } from "idb-keyval";
import { expect, it } from "vitest";
import { keepFlow } from "../../api/kept";
import { signedInAs } from "./signed-in";

it("what is on the screen is asked for anew, and nothing is left of whoever was signed in before", async () => {
  const client = new QueryClient();
  let user = "the one before";
  const session = new QueryObserver(client, { queryKey: ["session"], queryFn: () => user, staleTime: 60_000 });
  const stop = session.subscribe(() => undefined);
  await client.fetchQuery({ queryKey: ["runs"], queryFn: () => user });
  await keepFlow("kinopub", {
    device_code: "",
    user_code: "",
    verification_url: "",
    verification_url_complete: "",
    interval: 5,
    expires_at: 0,
  });
  expect(session.getCurrentResult().data).toBe("the one before");
  user = "the next";
  await signedInAs(client, "trakt");
  expect(session.getCurrentResult().data).toBe("the next");
  expect(client.getQueryData(["runs"])).toBeUndefined();
  expect(await entries(createStore("watchferry", "kept"))).toEqual([]);
  stop();
});
