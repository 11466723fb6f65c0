import { memo } from "react";
import { useTranslation } from "react-i18next";
import { episode, names, type Row } from "../../lib/events";
import { OutcomeBadge } from "../../parts/outcome";
import { Poster } from "../../parts/poster";
import { At } from "../../parts/when";
import styles from "./run.module.css";

interface Placed {
  row: Row;
  index: number;
  /** Pixels from the first row. */
  top: number;
  height: number;
  /** While the table moves no picture is asked for. */
  moving: boolean;
}

export const EventRow = memo(function EventRow({ row: { event }, index, top, height, moving }: Placed) {
  const { t } = useTranslation(["run", "common"]);
  const [name, original] = names(event.show ?? event.title);
  const about = [episode(event), event.type === "episode" && event.title, event.year];
  const reason = event.reason && t(`common:reason.${event.reason}`);
  const film = event.type === "movie";
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={styles.event}
      style={{ transform: `translateY(${top}px)`, height }}
    >
      <div role="cell" className={styles.title}>
        <Poster
          type={film ? "movie" : "show"}
          imdb={film ? (event.trakt_ids.imdb as string | undefined) : undefined}
          tmdb={film ? (event.trakt_ids.tmdb as number | undefined) : undefined}
          kinopubItem={event.kinopub.item}
          title={name}
          wait={moving}
        />
        <span className={styles.names}>
          <span className={styles.name}>
            {name} {original && <span className={styles.original}>{original}</span>}
          </span>
          <span className={styles.about}>{about.filter(Boolean).join(" · ")}</span>
        </span>
      </div>
      <div role="cell" className={styles.time}>
        {event.watched_at ? <At time={event.watched_at} /> : "—"}
      </div>
      <div role="cell" className={styles.outcome}>
        <OutcomeBadge outcome={event.outcome} />
        {reason && <span className={styles.why}>{reason}</span>}
      </div>
    </div>
  );
});
