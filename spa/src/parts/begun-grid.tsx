import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { type Begun, minutesQuery } from "../api/queries";
import { names } from "../lib/events";
import styles from "./begun-grid.module.css";
import { Poster } from "./poster";
import { useSeen } from "./use-seen";

/** Titles that were begun, as posters with what is left of each; `strip`: in one row. */
export function BegunGrid({ titles, strip = false }: { titles: Begun[]; strip?: boolean }) {
  return (
    <ul className={strip ? styles.strip : styles.grid}>
      {titles.map((title) => (
        <Card key={title.id} title={title} />
      ))}
    </ul>
  );
}

/** TMDB and Kinopub are asked for what is in sight, or nearly so: there may be hundreds. */
function Card({ title }: { title: Begun }) {
  const [place, seen] = useSeen<HTMLLIElement>();
  const [name, original] = names(title.title);
  const series = title.total !== undefined;
  return (
    <li ref={place}>
      <Poster size="large" type={series ? "show" : "movie"} kinopubItem={title.id} title={name} wait={!seen} />
      <Text fw={600} size="sm" lineClamp={2} mt={6}>
        {name}
      </Text>
      {original && (
        <Text size="xs" c="dimmed" lineClamp={1}>
          {original}
        </Text>
      )}
      {series ? <Episodes series={title} /> : <Minutes film={title} wait={!seen} />}
    </li>
  );
}

function Episodes({ series }: { series: Begun }) {
  const { t } = useTranslation("watching");
  // Kinopub's numbers come as text at times.
  const [total, watched, left] = [series.total, series.watched, series.new].map((said) => Number(said) || 0);
  return (
    <>
      <Text size="sm">{t("left", { count: left, watched, total })}</Text>
      <Bar done={watched} total={total} />
    </>
  );
}

function Minutes({ film, wait }: { film: Begun; wait: boolean }) {
  const { t } = useTranslation("watching");
  const { data, isPending } = useQuery({ ...minutesQuery(film.id), enabled: !wait });
  return (
    <>
      <Text size="sm">{isPending ? "…" : data ? t("minutes", { ...data }) : t("unfinished")}</Text>
      <Bar done={data?.done} total={data?.total} />
    </>
  );
}

/** The words above say the same. */
function Bar({ done = 0, total = 0 }: { done?: number; total?: number }) {
  return (
    <span className={styles.bar} aria-hidden="true">
      <span style={{ width: total ? `${(100 * done) / total}%` : 0 }} />
    </span>
  );
}
