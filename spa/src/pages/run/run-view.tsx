import { Stack } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { forgetEvents, isActive, type Run, runQuery } from "../../api/queries";
import { Loading } from "../../parts/loading";
import { Trouble } from "../../parts/trouble";
import { Awaiting } from "./awaiting";
import { Ended } from "./ended";
import { EventsTable } from "./events-table";
import { Reasons } from "./reasons";
import { useEvents } from "./use-events";
import { Working } from "./working";

const BEGUN = ["runs", "state"];
const ENDED = [...BEGUN, "unmatched", "settings"];

/** A run as it is now: at work, waiting for its user, or over; then everything that became of every view. */
export function RunView({ id }: { id: string }) {
  const { t } = useTranslation("run");
  const client = useQueryClient();
  const run = useQuery(runQuery(id));
  const active = run.data ? isActive(run.data) : false;
  const undoes = run.data?.mode === "undo";
  const was = useRef(active);
  useEffect(() => {
    // It has begun, or come to rest: what other places know of it is out of date.
    if (was.current !== active) {
      for (const key of active ? BEGUN : ENDED) void client.invalidateQueries({ queryKey: [key] });
      if (undoes && !active) forgetEvents(client); // the run that it took back is over all the same
    }
    was.current = active;
  }, [active, undoes, client]);

  if (run.isPending) return <Loading what={t("loading")} />;
  if (!run.data) return <Trouble error={run.error} onRetry={() => void run.refetch()} />;
  return (
    <Stack gap="lg">
      {run.error ? <Trouble error={run.error} /> : null}
      {active ? <Working run={run.data} /> : <AtRest run={run.data} />}
    </Stack>
  );
}

function AtRest({ run }: { run: Run }) {
  const [chosen, setChosen] = useState<Chosen>({ outcome: null, reason: null });
  const events = useEvents(run);
  return (
    <>
      {run.status === "awaiting_confirmation" ? <Awaiting run={run} /> : <Ended run={run} {...events} />}
      <Reasons run={run} removed={events.removed} gone={events.gone} chosen={chosen} onChoose={setChosen} />
      <EventsTable run={run} {...events} chosen={chosen} onChoose={setChosen} />
    </>
  );
}

export interface Chosen {
  outcome: string | null;
  reason: string | null;
}
