import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Plugin } from "vite";

/** Writes `sw.js` with the names of the build's files in it. Those of `public` are few and asked for by the browser. */
export function shellWorker(): Plugin {
  return {
    name: "shell-worker",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const built = Object.keys(bundle).map((name) => `/${name}`);
        const given = readdirSync("public");
        const files = ["/index.html", ...built, ...given.map((name) => `/${name}`)];
        const parts = Object.values(bundle).map((part) => (part.type === "chunk" ? part.code : part.source));
        parts.push(...given.map((name) => readFileSync(`public/${name}`)));
        const worker = readFileSync("sw.js", "utf8");
        const version = createHash("sha256");
        for (const part of [...files, ...parts, worker]) version.update(part);
        const head = `const VERSION = ${JSON.stringify(version.digest("hex").slice(0, 12))};\n`;
        const list = `const FILES = ${JSON.stringify([...new Set(files)].filter((name) => name !== "/robots.txt"))};\n`;
        this.emitFile({ type: "asset", fileName: "sw.js", source: head + list + worker });
      },
    },
  };
}
