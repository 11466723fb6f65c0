/** Whether somebody is signed in here, as far as the page may know: the session cookie itself is out of its reach. */

const HINT = "__Host-signed-in";

/** The server sets it beside the session cookie, so that a visitor who never signed in causes no 401. */
export function hinted(): boolean {
  return document.cookie.split("; ").some((cookie) => cookie.startsWith(`${HINT}=1`));
}

/** The session is over: the server said so. */
export function forgetHint(): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser yet
  document.cookie = `${HINT}=; Path=/; Max-Age=0; Secure; SameSite=Strict`;
}
