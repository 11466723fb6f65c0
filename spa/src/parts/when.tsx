import { useTranslation } from "react-i18next";
import { localeOf } from "../i18n";
import { inUtc, moment, relative } from "../lib/time";
import { useNow } from "./use-now";

/** A time in the viewer's zone, UTC on hover. */
export function At({ time }: { time: string }) {
  const { i18n } = useTranslation();
  const locale = localeOf(i18n.language);
  const at = new Date(time);
  return (
    <time dateTime={time} title={inUtc(at, locale)}>
      {moment(at, locale)}
    </time>
  );
}

/** “12 minutes ago”, and it goes on counting. */
export function Ago({ time }: { time: string }) {
  const { i18n } = useTranslation();
  const locale = localeOf(i18n.language);
  const now = useNow(15_000);
  const at = new Date(time);
  return (
    <time dateTime={time} title={`${moment(at, locale)} · ${inUtc(at, locale)}`}>
      {relative(at, now, locale)}
    </time>
  );
}
