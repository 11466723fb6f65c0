import { describe, expect, it } from "vitest";
import en from "./en";
import ru from "./ru";

type Texts = { [key: string]: string | Texts };

function flat(texts: Texts, before = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(texts)) {
    const name = before + key;
    if (typeof value === "string") found.set(name, value);
    else for (const [inner, text] of flat(value, `${name}.`)) found.set(inner, text);
  }
  return found;
}

const PLURAL = /_(zero|one|two|few|many|other)$/;
// Others may be there: “zero” for a wording of its own, Russian “other” for fractions.
const FORMS = { en: ["one", "other"], ru: ["few", "many", "one"] };

/** Key without its plural form → its forms. */
function forms(texts: Map<string, string>): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const key of texts.keys()) {
    const form = PLURAL.exec(key)?.[1];
    const name = key.replace(PLURAL, "");
    found.set(name, [...(found.get(name) ?? []), ...(form ? [form] : [])].sort());
  }
  return found;
}

const placeholders = (text: string): string[] =>
  [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? "").sort();

const english = flat(en as Texts);
const russian = flat(ru as Texts);

describe("both languages", () => {
  it("have the same texts", () => {
    expect([...forms(russian).keys()].sort()).toEqual([...forms(english).keys()].sort());
  });
  it("have every plural form that they need", () => {
    for (const [language, texts] of [
      ["en", english],
      ["ru", russian],
    ] as const) {
      for (const [name, has] of forms(texts)) {
        // The codes of problems are words of the API: “too_many” is no plural.
        if (has.length > 0 && !name.startsWith("problem."))
          expect(has, `${language} ${name}`).toEqual(expect.arrayContaining(FORMS[language]));
      }
    }
  });
  it("leave no text empty", () => {
    for (const text of [...english.values(), ...russian.values()]) expect(text.trim()).not.toBe("");
  });
  it("fill in the same things", () => {
    for (const [key, text] of russian) {
      const same = english.get(key) ?? english.get(key.replace(PLURAL, "_other"));
      expect(placeholders(text), key).toEqual(placeholders(same ?? ""));
    }
  });
});
