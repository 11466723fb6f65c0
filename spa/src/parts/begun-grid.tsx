import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Begun } from "../api/queries";
import { names } from "../lib/events";
import styles from "./begun-grid.module.css";
import { Poster } from "./poster";

/** Titles that were begun, as posters with what is left of each. */
export function BegunGrid({ titles }: { titles: Begun[] }) {
  const { t } = useTranslation("watching");
  return (
    <ul className={styles.grid}>
      {titles.map((title) => {
        const [name, original] = names(title.title);
        const series = title.total !== undefined;
        return (
          <li key={title.id}>
            <Poster size="large" type={series ? "show" : "movie"} kinopubItem={title.id} title={name} />
            <Text fw={600} size="sm" lineClamp={2} mt={6}>
              {name}
            </Text>
            {original && (
              <Text size="xs" c="dimmed" lineClamp={1}>
                {original}
              </Text>
            )}
            <Text size="sm">
              {series
                ? t("left", { count: title.new ?? 0, watched: title.watched, total: title.total })
                : t("unfinished")}
            </Text>
          </li>
        );
      })}
    </ul>
  );
}
