import { type CSSVariablesResolver, createTheme, DEFAULT_THEME, type MantineColorsTuple } from "@mantine/core";

const sea: MantineColorsTuple = [
  "#e9f3ff",
  "#d2e4fb",
  "#a3c7f4",
  "#72a8ee",
  "#4a8ee8",
  "#317de5",
  "#1f6fdc",
  "#1862c4",
  "#1257b0",
  "#0d4487",
];

export const theme = createTheme({
  colors: { sea },
  primaryColor: "sea",
  primaryShade: { light: 7, dark: 7 },
  defaultRadius: "md",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  headings: { fontWeight: "650" },
  cursorType: "pointer",
  respectReducedMotion: true,
});

/** Mantine's own greys and light variants are below WCAG's contrast of 4.5:1; these are not. */
export const contrast: CSSVariablesResolver = () => {
  const light: Record<string, string> = {
    "--mantine-color-dimmed": "#56616d",
    "--mantine-color-placeholder": "#5f6a76",
    "--mantine-color-anchor": "var(--mantine-color-sea-7)",
    "--mantine-color-error": "#c22a2a",
    "--mantine-color-body": "#ffffff",
  };
  const dark: Record<string, string> = {
    "--mantine-color-dimmed": "#a9b4c0",
    "--mantine-color-placeholder": "#98a4b1",
    "--mantine-color-anchor": "var(--mantine-color-sea-2)",
    "--mantine-color-error": "#ff9a9a",
    "--mantine-color-body": "#18212d",
  };
  for (const color of [...Object.keys(DEFAULT_THEME.colors), "sea"]) {
    light[`--mantine-color-${color}-light-color`] = `color-mix(in srgb, var(--mantine-color-${color}-9), black 45%)`;
    dark[`--mantine-color-${color}-light-color`] = `var(--mantine-color-${color}-2)`;
    light[`--mantine-color-${color}-filled`] = `var(--mantine-color-${color}-${color === "sea" ? 7 : 9})`;
    light[`--mantine-color-${color}-outline`] = `var(--mantine-color-${color}-${color === "sea" ? 7 : 9})`;
    dark[`--mantine-color-${color}-filled`] = `var(--mantine-color-${color}-${color === "sea" ? 7 : 9})`;
  }
  return { variables: {}, light, dark };
};
