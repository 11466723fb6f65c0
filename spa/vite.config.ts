/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { shellWorker } from "./shell-worker.ts";

// `npm run dev` beside `make up` or `make demo`: SITE_URL is the deployed site, whose API the page talks to. Node knows
// no names under localhost, unlike browsers.
const site = process.env.SITE_URL ? new URL(process.env.SITE_URL) : null;
const toSite = site && {
  target: site.hostname.endsWith(".localhost") ? `http://127.0.0.1:${site.port}` : site.origin,
  headers: { host: site.host, origin: site.origin },
};

export default defineConfig({
  plugins: [react(), shellWorker()],
  server: toSite ? { proxy: { "/api": toSite, "/t/p": toSite } } : {},
  build: {
    target: "es2023",
    sourcemap: false,
    // Nothing inline: the content security policy lets no inline script run, and every file has its hash in its name.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
