import { useQuery } from "@tanstack/react-query";
import { posterQuery, type Wanted } from "../api/queries";
import styles from "./poster.module.css";

const SIZES = { small: "w92", medium: "w185", large: "w342" } as const;

/** A title's poster from TMDB; its first letter until there is one, or when there is none. It says nothing new, so it
 * has no text of its own. */
export function Poster({ title, size = "small", ...wanted }: Wanted & { title: string; size?: keyof typeof SIZES }) {
  const { data } = useQuery(posterQuery(wanted));
  return (
    <span className={styles.poster} data-size={size} aria-hidden="true">
      {data ? <img src={`/t/p/${SIZES[size]}${data}`} alt="" loading="lazy" decoding="async" /> : title.slice(0, 1)}
    </span>
  );
}
