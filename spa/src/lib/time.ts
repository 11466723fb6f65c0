/** Times as people read them. Dates in, text out; the language is Intl's own tag. */

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** “12 minutes ago”, “in an hour”; less than a minute is “now”. */
export function relative(at: Date, now: Date, language: string): string {
  const seconds = Math.round((at.getTime() - now.getTime()) / 1000);
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return format.format(Math.trunc(seconds / length), unit);
  }
  return format.format(0, "second");
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making one takes a hundred times as long as using it, which a table of thousands of rows would show. */
function formatOf(language: string, timeZone?: string): Intl.DateTimeFormat {
  const key = `${language} ${timeZone ?? ""}`;
  const known = formats.get(key);
  if (known) return known;
  const made = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", timeZone });
  formats.set(key, made);
  return made;
}

/** “14 Mar 2024, 23:02” in the viewer's own zone, or in the one that is named. */
export const moment = (at: Date, language: string, timeZone?: string): string =>
  formatOf(language, timeZone).format(at);

/** The same in UTC, said so: what is shown on hover. */
export const inUtc = (at: Date, language: string): string => `${moment(at, language, "UTC")} UTC`;

/** “9:41” of a countdown; never below 0:00. */
export function countdown(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}
