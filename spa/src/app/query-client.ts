import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "../api/client";
import { keeping, wipe } from "../api/kept";
import { forgetHint, hinted } from "../api/session";

const DAY_MS = 24 * 3600 * 1000;

/** An answer that may be another one in a moment. */
function passing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 502);
}

function whenSignedOut(error: unknown): void {
  if (error instanceof ApiError && error.status === 401 && error.code === "unauthenticated" && hinted()) {
    void signedOut();
  }
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: whenSignedOut }),
  mutationCache: new MutationCache({ onError: whenSignedOut }),
  defaultOptions: {
    queries: {
      persister: keeping,
      networkMode: "offlineFirst",
      staleTime: 20_000,
      gcTime: DAY_MS,
      retry: (failures, error) => failures < 2 && passing(error),
    },
    mutations: { networkMode: "always", retry: false },
  },
});

/** Nothing of the account stays in the browser; the page is as on the first visit. */
export async function signedOut(): Promise<void> {
  forgetHint();
  await queryClient.cancelQueries();
  queryClient.clear();
  await wipe();
  window.location.assign("/");
}
