import { expect, it } from "vitest";
import { meaningOf } from "./device-code";

it.each([
  [404, "invalid", "invalid"],
  [409, "already_used", "already_used"],
  [410, "expired", "expired"],
  [418, "denied", "denied"],
  [401, "unauthenticated", "signed_out"],
  [403, "not_allowed", "final"],
  [403, "csrf", "final"],
  [409, "account_locked", "final"],
  [409, "account_limit", "final"],
  [422, "validation", "final"],
  [502, "app_refused", "final"],
  [502, "upstream_firewall", "final"],
  [0, "unreachable", "passing"],
  [429, "rate_limited", "passing"],
  [500, "internal", "passing"],
  [502, "upstream_unreachable", "passing"],
  [503, "busy", "passing"],
  [504, "upstream_timeout", "passing"],
])("%i %s is %s", (status, code, meaning) => {
  expect(meaningOf({ status, code })).toBe(meaning);
});
