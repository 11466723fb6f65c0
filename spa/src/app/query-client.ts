import { MutationCache, onlineManager, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "../api/client";
import { keeping, wipe } from "../api/kept";
import { comeBackTo, forgetHint } from "../api/session";

const DAY_MS = 24 * 3600 * 1000;

// It hears of changes alone, and would take a page that was opened without a network for one that had it all the time.
onlineManager.setOnline(navigator.onLine);

/** An answer that may be another one in a moment. */
function passing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 502);
}

function whenSignedOut(error: unknown): void {
  if (error instanceof ApiError && error.status === 401 && error.code === "unauthenticated") void sessionEnded();
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
      retry: (failures, error) => failures < 2 && passing(error) && onlineManager.isOnline(),
    },
    mutations: { networkMode: "always", retry: false },
  },
});

/** Nothing of the account stays in the browser; the page is as on the first visit. */
export async function signedOut(): Promise<void> {
  await forget();
  window.location.assign("/");
}

let leaving = false;

/** The server knows of no session: it ended elsewhere, or of age. After signing in again, its user is back here. */
export async function sessionEnded(): Promise<void> {
  if (leaving) return;
  comeBackTo(window.location.pathname);
  await forget();
  window.location.reload();
}

async function forget(): Promise<void> {
  leaving = true;
  forgetHint();
  await queryClient.cancelQueries();
  queryClient.clear();
  await wipe();
}
