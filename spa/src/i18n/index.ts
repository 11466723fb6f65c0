/** English and Russian, a file for each page and language. */
import i18next, { type BackendModule, type ResourceKey } from "i18next";
import { initReactI18next } from "react-i18next";
import { hinted } from "../api/session";
import type en from "./en";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: typeof en;
  }
}

export const LANGUAGES = { en: "English", ru: "Русский" } as const;
export type Language = keyof typeof LANGUAGES;

/** `early.js` reads it. */
const KEPT = "watchferry.language";

/** When the first page is there. */
const PROBLEMS_AFTER_MS = 3_000;

const files = import.meta.glob<{ default: ResourceKey }>("./{en,ru}/*.json");

/** A page's texts come with the page. */
const catalogues: BackendModule = {
  type: "backend",
  init: () => undefined,
  read: async (language: string, namespace: string) => {
    const load = files[`./${language}/${namespace}.json`];
    if (!load) throw new Error(`there are no texts of ${namespace} in ${language}`);
    return (await load()).default;
  },
};

/** `early.js` has chosen before the first paint. */
function chosenLanguage(): Language {
  return document.documentElement.lang === "ru" ? "ru" : "en";
}

/** Changes the language of the page as it is. */
export async function speak(language: Language): Promise<void> {
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

export function remember(language: Language): void {
  localStorage.setItem(KEPT, language);
}

export async function begin(): Promise<void> {
  await i18next
    .use(catalogues)
    .use(initReactI18next)
    .init({
      lng: chosenLanguage(),
      fallbackLng: false,
      ns: ["common", hinted() ? "home" : "connect"], // what most visits begin with
      defaultNS: "common",
      interpolation: { escapeValue: false }, // React does
    });
  // What went wrong is said at once, also when that is the network.
  setTimeout(() => void i18next.loadNamespaces("problem"), PROBLEMS_AFTER_MS);
}

/** The viewer's own form of the language: “en-GB” has other dates than “en”. */
export function localeOf(language: string): string {
  return navigator.languages.find((each) => each.split("-")[0] === language) ?? language;
}
