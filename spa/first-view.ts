import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

const LANGUAGES = ["en", "ru"];

/** Writes what a new visitor reads first into `index.html`, so that it is there before any script of the page is. */
export function firstView(): Plugin {
  return {
    name: "first-view",
    transformIndexHtml: {
      order: "post",
      handler: (html) =>
        html
          .replace("<!-- welcome -->", LANGUAGES.map(welcome).join(""))
          // After the words, not beside them.
          .replaceAll(/<(script type="module"|link rel="modulepreload")/g, '<$1 fetchpriority="low"'),
    },
  };
}

function welcome(language: string): string {
  const { title, lead } = JSON.parse(readFileSync(`src/i18n/${language}/connect.json`, "utf8")).welcome;
  return `<div lang="${language}"><h1>${title}</h1><p>${lead}</p></div>`;
}
