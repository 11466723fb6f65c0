/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { firstView } from "./first-view.ts";
import { shellWorker } from "./shell-worker.ts";

// `npm run dev` beside `make up` or `make demo`: SITE_URL is the deployed site, whose API the page talks to. Node knows
// no names under localhost, unlike browsers.
const site = process.env.SITE_URL ? new URL(process.env.SITE_URL) : null;
const toSite = site && {
  target: site.hostname.endsWith(".localhost") ? `http://127.0.0.1:${site.port}` : site.origin,
  headers: { host: site.host, origin: site.origin },
};

const EVERYWHERE = new RegExp(
  [
    "node_modules/(react|react-dom|scheduler|use-sync-external-store|clsx|i18next|react-i18next|openapi-fetch|idb-keyval)/",
    "node_modules/@tanstack/(history|store|react-store|router-core|react-router|query-core|react-query|query-persist)",
    "node_modules/@mantine/core/esm/core/",
    "node_modules/@mantine/core/esm/components/(ActionIcon|Alert|Anchor|Button|CloseButton|Container|Group|Loader|Paper|Skeleton|Stack|Text|Title|Transition|UnstyledButton|VisuallyHidden)/",
  ].join("|"),
);

export default defineConfig({
  plugins: [react(), firstView(), shellWorker()],
  server: toSite ? { proxy: { "/api": toSite, "/t/p": toSite } } : {},
  build: {
    target: "es2023",
    sourcemap: false,
    // Nothing inline: the content security policy lets no inline script run, and every file has its hash in its name.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What every page needs in one file rather than in thirty; all else is divided as pages need it.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "everywhere", test: EVERYWHERE },
            {
              name: "own",
              test: /preload-helper|src\/(api|app|i18n\/index|parts\/(button|icons|links|loading|nothing|trouble|use-online))/,
              includeDependenciesRecursively: false,
            },
          ],
        },
      },
    },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
