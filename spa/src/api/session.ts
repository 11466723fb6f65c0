/** Whether somebody is signed in here, as far as the page may know: the session cookie itself is out of its reach. */

import { useSyncExternalStore } from "react";

const HINT = "__Host-signed-in";

/** The server sets it beside the session cookie, so that a visitor who never signed in causes no 401. */
export function hinted(): boolean {
  return document.cookie.split("; ").some((cookie) => cookie.startsWith(`${HINT}=1`));
}

const listeners = new Set<() => void>();

/** After an answer that brought a session: cookies tell nobody that they came. */
export function announceSession(): void {
  for (const listener of listeners) listener();
}

/** The session is over: the server said so. */
export function forgetHint(): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser yet
  document.cookie = `${HINT}=; Path=/; Max-Age=0; Secure; SameSite=Strict`;
  announceSession();
}

export function useSignedIn(): boolean {
  return useSyncExternalStore((changed) => {
    listeners.add(changed);
    return () => listeners.delete(changed);
  }, hinted);
}
