import { useQuery } from "@tanstack/react-query";
import { posterQuery, type Wanted } from "../api/queries";
import styles from "./poster.module.css";

const SIZES = { small: "w92", medium: "w185", large: "w342" } as const;

interface Shown extends Wanted {
  title: string;
  size?: keyof typeof SIZES;
  /** Nothing is asked for yet. */
  wait?: boolean;
}

/** A title's poster from TMDB; its first letter until there is one, or when there is none. It says nothing new, so it
 * has no text of its own. */
export function Poster({ title, size = "small", wait = false, ...wanted }: Shown) {
  const query = posterQuery(wanted);
  const { data } = useQuery({ ...query, enabled: query.enabled && !wait });
  return (
    <span className={styles.poster} data-size={size} aria-hidden="true">
      {data ? <img src={`/t/p/${SIZES[size]}${data}`} alt="" loading="lazy" decoding="async" /> : title.slice(0, 1)}
    </span>
  );
}
