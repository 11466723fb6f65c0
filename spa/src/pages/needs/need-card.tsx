import { Badge, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useInViewport } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { type Candidate, sessionQuery } from "../../api/queries";
import { ignoring, type Need, type Plan, planOf } from "../../lib/needs";
import { placeName, type Shift, UNSHIFTED } from "../../lib/offsets";
import { Button } from "../../parts/button";
import { Poster } from "../../parts/poster";
import { Trouble } from "../../parts/trouble";
import { Candidates } from "./candidates";
import styles from "./needs.module.css";
import { Shifting } from "./shifting";
import type { Failed, Mending } from "./use-mend";
import { type Preview, usePreview } from "./use-preview";

/** The heading of a card, to which the focus goes when the one before it has left. */
export const headingOf = (need: Need): string => `need-${need.id}`;

interface Asked {
  need: Need;
  failed: Failed | undefined;
  onAnswer: (mending: Mending) => void;
}

export function NeedCard({ need, failed, onAnswer }: Asked) {
  const { t } = useTranslation(["needs", "common"]);
  const [seen, ref] = useSeen();
  const before = failed && failed.answer !== "ignore" ? failed.answer : null;
  const [picked, setPicked] = useState<Candidate | null>(before?.candidate ?? null);
  const [shift, setShift] = useState<Shift>(before?.shift ?? UNSHIFTED);
  // A show that lacks an episode is likely the right one: the server names it first.
  const chosen = picked ?? (need.reason === "episode_not_found" ? (need.candidates[0] ?? null) : null);
  // That it lacks them is known; asking Trakt once more would only be answered with an error.
  const lacking = picked === null && shift.season === 0 && shift.episode === 0;
  const preview = usePreview(need, seen && chosen && !lacking ? chosen.trakt_id : null, shift);
  const session = useQuery(sessionQuery());
  const pictured = seen && session.data?.kinopub.connected === true; // Kinopub is asked for the poster
  const plan = planOf(need, preview.matched, preview.watched);
  const why = whyNot(need, chosen, preview, plan);
  return (
    <Paper withBorder p="md" component="article" aria-labelledby={headingOf(need)} ref={ref}>
      <Stack>
        <div className={styles.head}>
          <Poster title={need.title} size="medium" type={need.type} kinopubItem={pictured ? need.item : null} />
          <Stack gap={6}>
            <Title order={2} size="h4" id={headingOf(need)} tabIndex={-1} className={styles.title}>
              {need.title}
            </Title>
            <Text c="dimmed" size="sm">
              {[t(`kind.${need.type}`), need.year, need.places.map(placeName).join(", ")].filter(Boolean).join(" · ")}
            </Text>
            <Group gap="xs">
              <Badge variant="light" color="gray" tt="none">
                {t(`common:reason.${need.reason}`)}
              </Badge>
              <Text size="sm">{t("seen", { count: need.seen })}</Text>
            </Group>
            <Text size="sm">{t(`why.${need.reason as Why}`)}</Text>
          </Stack>
        </div>
        <Candidates need={need} chosen={chosen} onChoose={setPicked} seen={seen} />
        {need.type === "show" && chosen && <Shifting shift={shift} onShift={setShift} preview={preview} />}
        {failed ? <Trouble error={failed.error} /> : null}
        <Group gap="sm">
          <Button
            disabled={why !== null}
            onClick={() => chosen && onAnswer({ need, plan, answer: { candidate: chosen, shift } })}
          >
            {t("use")}
          </Button>
          <Button variant="default" onClick={() => onAnswer({ need, plan: ignoring(need), answer: "ignore" })}>
            {t("ignore")}
          </Button>
          <Text size="sm" c="dimmed" className={styles.scope}>
            {why ? t(`whyNot.${why}`) : scopeOf(need, plan, t)}
          </Text>
        </Group>
      </Stack>
    </Paper>
  );
}

type Why = "not_found" | "ambiguous" | "episode_not_found";

/** Why the answer cannot be given yet; null when it can. */
function whyNot(need: Need, chosen: Candidate | null, preview: Preview, plan: Plan) {
  if (!chosen) return "choose";
  if (need.type === "movie") return null;
  if (preview.error) return need.season === null ? null : "trouble";
  if (preview.pending) return "asking";
  if (plan.keys.length === 0) return "nothing";
  if (preview.matched.length > 0 && preview.matched.every(({ to }) => to === null)) return "nothing";
  return null;
}

/** For what the answer would count. */
function scopeOf(need: Need, plan: Plan, t: ReturnType<typeof useTranslation<["needs", "common"]>>["t"]): string {
  if (need.type === "movie") return "";
  if (plan.scope === "episodes") return t("scope.episodes", { count: plan.keys.length });
  if (plan.scope === "season") return t("scope.season", { season: need.season });
  return t("scope.title");
}

/** Whether the card was in sight once. */
function useSeen() {
  const { ref, inViewport } = useInViewport<HTMLElement>();
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (inViewport) setSeen(true);
  }, [inViewport]);
  return [seen, ref] as const;
}
