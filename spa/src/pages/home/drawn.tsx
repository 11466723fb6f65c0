import { Skeleton, Text, VisuallyHidden } from "@mantine/core";
import { useInViewport } from "@mantine/hooks";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { localeOf } from "../../i18n";
import { summed, viewsOf, type Week, weekText } from "../../lib/weeks";
import styles from "./drawn.module.css";

const Bars = lazy(() => import("./bars"));

/** The picture, the same in a sentence, and a table for who does not see it. */
export default function Drawn({ weeks, cut }: { weeks: Week[]; cut: boolean }) {
  const { t, i18n } = useTranslation("home");
  const { films, episodes, most } = summed(weeks);
  const { ref, inViewport } = useInViewport();
  const [seen, setSeen] = useState(false);
  if (inViewport && !seen) setSeen(true);
  if (!most) return <Text c="dimmed">{t("chart.none")}</Text>;
  return (
    <figure className={styles.figure}>
      <div className={styles.legend} aria-hidden="true">
        <span data-kind="films">{t("chart.films")}</span>
        <span data-kind="episodes">{t("chart.episodes")}</span>
      </div>
      <div ref={ref} className={styles.chart} aria-hidden="true">
        <Suspense fallback={<Skeleton height="100%" />}>
          {seen ? <Bars weeks={weeks} /> : <Skeleton height="100%" />}
        </Suspense>
      </div>
      <Text component="figcaption" size="sm" c="dimmed">
        {t("chart.says", {
          films: t("chart.nFilms", { count: films }),
          episodes: t("chart.nEpisodes", { count: episodes }),
        })}{" "}
        {t("chart.most", { count: viewsOf(most), week: weekText(most.monday, localeOf(i18n.language)) })}{" "}
        {cut && t("chart.cut")}
      </Text>
      <VisuallyHidden>
        <Table weeks={weeks} />
      </VisuallyHidden>
    </figure>
  );
}

function Table({ weeks }: { weeks: readonly Week[] }) {
  const { t, i18n } = useTranslation("home");
  const locale = localeOf(i18n.language);
  return (
    <table>
      <caption>{t("chart.table")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("chart.week")}</th>
          <th scope="col">{t("chart.films")}</th>
          <th scope="col">{t("chart.episodes")}</th>
        </tr>
      </thead>
      <tbody>
        {weeks
          .filter((week) => viewsOf(week) > 0)
          .map(({ monday, films, episodes }) => (
            <tr key={monday}>
              <th scope="row">{weekText(monday, locale)}</th>
              <td>{films}</td>
              <td>{episodes}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}
