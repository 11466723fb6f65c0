/** Plays in weeks that begin on Monday, in the viewer's own time zone. */

export interface Play {
  /** Of Trakt's history. */
  id: number;
  type: "movie" | "episode";
  watched_at: string;
}

export interface Week {
  /** Its Monday, as YYYY-MM-DD. */
  monday: string;
  films: number;
  episodes: number;
}

const DAY_MS = 86_400_000;

/** Noon of the Monday of a day, so that no change to summer time moves it to another day. */
function mondayOf(day: Date): Date {
  const noon = new Date(day.getFullYear(), day.getMonth(), day.getDate(), 12);
  noon.setDate(noon.getDate() - ((noon.getDay() + 6) % 7));
  return noon;
}

const named = (day: Date): string =>
  [day.getFullYear(), String(day.getMonth() + 1).padStart(2, "0"), String(day.getDate()).padStart(2, "0")].join("-");

/** The last so many weeks up to now, the empty ones too; earlier plays are left out. */
export function weekly(plays: readonly Play[], now: Date, count: number): Week[] {
  const monday = mondayOf(now);
  const weeks: Week[] = [];
  const byName = new Map<string, Week>();
  for (let back = count - 1; back >= 0; back--) {
    const day = new Date(monday);
    day.setDate(day.getDate() - 7 * back);
    const week = { monday: named(day), films: 0, episodes: 0 };
    weeks.push(week);
    byName.set(week.monday, week);
  }
  for (const play of plays) {
    const week = byName.get(named(mondayOf(new Date(play.watched_at))));
    if (week) week[play.type === "movie" ? "films" : "episodes"] += 1;
  }
  return weeks;
}

/** From when on plays are of interest: the Monday of the first of so many weeks, at midnight. */
export function since(now: Date, count: number): Date {
  const monday = new Date(mondayOf(now).getTime() - 7 * (count - 1) * DAY_MS);
  return new Date(monday.getFullYear(), monday.getMonth(), monday.getDate());
}

/** “9–15 Mar 2026” */
export const weekText = (monday: string, locale: string): string =>
  new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).formatRange(new Date(`${monday}T12:00`), sundayOf(monday));

/** Mondays of the weeks in which a month begins: the marks of an axis. */
export const monthMarks = (weeks: readonly Week[]): string[] =>
  weeks.map(({ monday }) => monday).filter((monday) => sundayOf(monday).getDate() <= 7);

/** “Mar” of the month that begins in the week; January says its year instead. */
export function monthText(monday: string, locale: string): string {
  const sunday = sundayOf(monday);
  if (sunday.getMonth() === 0) return String(sunday.getFullYear());
  return new Intl.DateTimeFormat(locale, { month: "short" }).format(sunday).replace(".", "");
}

function sundayOf(monday: string): Date {
  const day = new Date(`${monday}T12:00`);
  day.setDate(day.getDate() + 6);
  return day;
}

export interface Sum {
  films: number;
  episodes: number;
  /** The week with the most views; null when there were none at all. */
  most: Week | null;
}

export const viewsOf = ({ films, episodes }: Week): number => films + episodes;

/** What the chart says, in numbers. */
export function summed(weeks: readonly Week[]): Sum {
  const sum: Sum = { films: 0, episodes: 0, most: null };
  for (const week of weeks) {
    sum.films += week.films;
    sum.episodes += week.episodes;
    if (viewsOf(week) > (sum.most ? viewsOf(sum.most) : 0)) sum.most = week;
  }
  return sum;
}
