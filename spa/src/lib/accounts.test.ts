import { expect, it } from "vitest";
import { bothConnected, isUsable } from "./accounts";

const ok = { connected: true, status: "ok", expires_at: null } as const;
const ended = { ...ok, status: "reauth_required" } as const;
const none = { ...ok, connected: false } as const;
const trakt = { vip: false, limits: {} };

it("an account that was never connected, or was taken away, is not there; one whose permission ended is", () => {
  expect(bothConnected({ trakt: { ...ok, ...trakt }, kinopub: ended })).toBe(true);
  expect(bothConnected({ trakt: { ...ok, ...trakt }, kinopub: none })).toBe(false);
  expect(bothConnected({ trakt: { ...none, ...trakt }, kinopub: ok })).toBe(false);
  expect([ok, ended, none].map(isUsable)).toEqual([true, false, false]);
});
