import { afterEach, expect, it, vi } from "vitest";
import { comeBackTo, forgetWanted, wantedPage } from "./session";

const kept = new Map<string, string>();
vi.stubGlobal("sessionStorage", {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => kept.set(key, value),
  removeItem: (key: string) => kept.delete(key),
});
afterEach(() => kept.clear());

it.each(["/", "/connect", "/runs", "/runs/a_Run-1", "/needs-you", "/watching", "/settings"])("%s is a page", (path) => {
  comeBackTo(path);
  expect(wantedPage()).toBe(path);
  forgetWanted();
  expect(wantedPage()).toBeNull();
});

it.each(["//evil.example", "/runs//evil.example", "https://evil.example/", "/\\evil.example", "/no-such-page", ""])(
  "%s is none",
  (path) => {
    comeBackTo(path);
    expect(wantedPage()).toBeNull();
  },
);
