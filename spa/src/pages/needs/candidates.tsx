import { Anchor, Loader, Radio, Stack, Text, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type Candidate, traktSearchQuery } from "../../api/queries";
import type { Need } from "../../lib/needs";
import { Search } from "../../parts/icons";
import { Poster } from "../../parts/poster";
import { Trouble } from "../../parts/trouble";
import styles from "./needs.module.css";

const AT_FIRST = 4;
const MOST = 10;

interface Choosing {
  need: Need;
  chosen: Candidate | null;
  onChoose: (candidate: Candidate) => void;
  /** Posters are asked for once somebody sees the card. */
  seen: boolean;
}

/** What Trakt has that might be it, and a search for the rest. */
export function Candidates({ need, chosen, onChoose, seen }: Choosing) {
  const { t } = useTranslation("needs");
  const [text, setText] = useState("");
  const [all, setAll] = useState(false);
  const [asked] = useDebouncedValue(text.trim(), 350);
  const searching = text.trim().length > 1;
  const found = useQuery(traktSearchQuery(need.type, asked));
  const offered = searching ? (found.data?.slice(0, MOST) ?? []) : need.candidates;
  const cut = !searching && !all ? offered.slice(0, AT_FIRST) : offered;
  const shown = chosen && !cut.some((each) => each.trakt_id === chosen.trakt_id) ? [chosen, ...cut] : cut;
  return (
    <Stack gap="sm">
      <TextInput
        type="search"
        label={t(`search.${need.type}`)}
        description={need.candidates.length === 0 ? t("search.none") : t("search.hint")}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        leftSection={<Search />}
        rightSection={searching && found.isFetching ? <Loader size="xs" aria-hidden="true" /> : null}
        autoComplete="off"
      />
      <Text size="sm" role="status" c="dimmed" className={styles.said}>
        {searching && (found.isFetching || asked !== text.trim()) && t("search.asking")}
        {searching && found.isSuccess && asked === text.trim() && t("search.found", { count: offered.length })}
      </Text>
      {searching && found.error ? <Trouble error={found.error} onRetry={() => void found.refetch()} /> : null}
      {shown.length > 0 && (
        <Radio.Group
          label={t("choose")}
          value={chosen ? String(chosen.trakt_id) : null}
          onChange={(id) => {
            const candidate = shown.find((each) => String(each.trakt_id) === id);
            if (candidate) onChoose(candidate);
          }}
        >
          <div className={styles.candidates}>
            {shown.map((candidate) => (
              <CandidateCard key={candidate.trakt_id} candidate={candidate} seen={seen} />
            ))}
          </div>
        </Radio.Group>
      )}
      {cut.length < offered.length && (
        <UnstyledButton className={styles.all} onClick={() => setAll(true)}>
          {t("all", { count: offered.length - cut.length })}
        </UnstyledButton>
      )}
      {chosen?.ids.slug && (
        <Anchor
          size="sm"
          href={`https://trakt.tv/${need.type === "movie" ? "movies" : "shows"}/${chosen.ids.slug}`}
          target="_blank"
          rel="noopener noreferrer"
        >
          {t("atTrakt", { title: chosen.title })}
        </Anchor>
      )}
    </Stack>
  );
}

function CandidateCard({ candidate, seen }: { candidate: Candidate; seen: boolean }) {
  const { t } = useTranslation("needs");
  const { imdb, tmdb } = candidate.ids;
  const title = candidate.title ?? t("untitled");
  return (
    <Radio.Card value={String(candidate.trakt_id)} className={styles.candidate} p="xs">
      <Radio.Indicator />
      <Poster
        title={title}
        type={candidate.type === "movie" ? "movie" : "show"}
        imdb={seen && imdb ? String(imdb) : null}
        tmdb={seen && tmdb ? Number(tmdb) : null}
      />
      <span className={styles.words}>
        <strong>{title}</strong>
        <small>{candidate.year ?? t("noYear")}</small>
        <small className={styles.slug}>{candidate.ids.slug ?? candidate.trakt_id}</small>
      </span>
    </Radio.Card>
  );
}
