/** English and Russian. Each is a file of its own that is loaded when it is spoken. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import type en from "./en";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: typeof en;
  }
}

export const LANGUAGES = { en: "English", ru: "Русский" } as const;
export type Language = keyof typeof LANGUAGES;

const KEPT = "watchferry.language";

const catalogues = { en: () => import("./en"), ru: () => import("./ru") };

export function chosenLanguage(): Language {
  const kept = localStorage.getItem(KEPT);
  if (kept === "en" || kept === "ru") return kept;
  return navigator.languages.some((each) => each.startsWith("ru")) ? "ru" : "en";
}

/** Changes the language; from then on the page is in it on every visit. */
export async function speak(language: Language): Promise<void> {
  const { default: catalogue } = await catalogues[language]();
  for (const [namespace, texts] of Object.entries(catalogue)) {
    i18next.addResourceBundle(language, namespace, texts);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

export function remember(language: Language): void {
  localStorage.setItem(KEPT, language);
}

export async function begin(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: chosenLanguage(),
    fallbackLng: false,
    defaultNS: "common",
    resources: {},
    interpolation: { escapeValue: false }, // React does
  });
  await speak(chosenLanguage());
}

/** The viewer's own form of the language: “en-GB” has other dates than “en”. */
export function localeOf(language: string): string {
  return navigator.languages.find((each) => each.split("-")[0] === language) ?? language;
}
