import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { expect, it } from "vitest";

const CORE = resolve("node_modules/@mantine/core");
const PIECES = join(CORE, "esm");

const read = (file: string) => readFileSync(file, "utf8");

/** What a file takes from Mantine: values, not types. */
function taken(code: string): string[] {
  const lists = [...code.matchAll(/import \{([^}]*)\} from "@mantine\/core"/g)].map(([, names]) => names ?? "");
  const names = lists.join(",").split(",");
  return names.map((name) => name.trim()).filter((name) => name && !name.startsWith("type "));
}

/** Export of Mantine's → the file that it comes from. */
const homes = new Map(
  [...read(join(PIECES, "index.mjs")).matchAll(/import \{([^}]*)\} from "(\.[^"]+)"/g)].flatMap(([, names, path]) =>
    (names ?? "").split(",").map((name) => [name.split(" as ").at(-1)?.trim(), join(PIECES, path ?? "")] as const),
  ),
);

/** The components that are used, by ours or by each other: those that have styles. */
function used(): Set<string> {
  const charts = globSync("node_modules/@mantine/charts/esm/{BarChart,ChartTooltip}/*.mjs");
  const left = [...globSync("src/**/*.tsx"), "src/app/theme.ts", ...charts]
    .flatMap((file) => taken(read(file)))
    .map((name) => homes.get(name) ?? "");
  const seen = new Set<string>();
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    if (!file || seen.has(file)) continue;
    seen.add(file);
    for (const [, path] of read(file).matchAll(/from "(\.[^"]+)"/g)) left.push(join(dirname(file), path ?? ""));
  }
  const styled = [...seen].filter((file) => file.endsWith(".module.mjs")).map((file) => basename(file, ".module.mjs"));
  return new Set(styled.filter((name) => existsSync(join(CORE, "styles", `${name}.css`))));
}

const imported = [...read("src/app/mantine.css").matchAll(/styles\/([A-Z]\w+)\.css/g)].map(([, name]) => name ?? "");

it("the styles of all that is used are there, and no others", () => {
  expect(imported.toSorted()).toEqual([...used()].toSorted());
});

it("in Mantine's order, in which later ones may overrule earlier ones", () => {
  const whole = read(join(CORE, "styles.css"));
  const places = imported.map((name) =>
    whole.indexOf(/\.m_\w+/.exec(read(join(CORE, "styles", `${name}.css`)))?.[0] ?? "?"),
  );
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});
