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

const WANTED = "watchferry.wanted";

/** Where somebody may be taken: pages of ours, and no address that only looks like one. */
const OURS = /^\/(|connect|runs|runs\/[\w-]+|needs-you|watching|settings)$/;

/** For after signing in. This window's alone, and it outlasts the way to Trakt's own site and back. */
export function comeBackTo(path: string): void {
  sessionStorage.setItem(WANTED, path);
}

export function wantedPage(): string | null {
  const path = sessionStorage.getItem(WANTED);
  return path !== null && OURS.test(path) ? path : null;
}

export function forgetWanted(): void {
  sessionStorage.removeItem(WANTED);
}

export function useSignedIn(): boolean {
  return useSyncExternalStore((changed) => {
    listeners.add(changed);
    return () => listeners.delete(changed);
  }, hinted);
}
