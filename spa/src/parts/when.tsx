import { useTranslation } from "react-i18next";
import { inUtc, moment, relative } from "../lib/time";
import { useNow } from "./use-now";

/** A time in the viewer's zone, UTC on hover. */
export function At({ time }: { time: string }) {
  const { i18n } = useTranslation();
  const at = new Date(time);
  return (
    <time dateTime={time} title={inUtc(at, i18n.language)}>
      {moment(at, i18n.language)}
    </time>
  );
}

/** “12 minutes ago”, and it goes on counting. */
export function Ago({ time }: { time: string }) {
  const { i18n } = useTranslation();
  const now = useNow(15_000);
  const at = new Date(time);
  return (
    <time dateTime={time} title={`${moment(at, i18n.language)} · ${inUtc(at, i18n.language)}`}>
      {relative(at, now, i18n.language)}
    </time>
  );
}
