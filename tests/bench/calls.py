"""Calls of the upstreams: what an idle run takes, and what the first run takes against what it cannot do without."""

from collections import Counter
from dataclasses import astuple, dataclass
from math import ceil
from typing import Any, Self

from tests.bench.figures import Figure, show
from tests.bench.metered import Metered
from tests.bench.options import Options
from tests.upstreams.kinopub import MOST_PER_PAGE
from tests.upstreams.titles import MISSING, Title
from watchferry.storage.account import SyncSettings

USER = "harry"
SLACK = 1.05
TWO_DAYS = 2 * 86_400
READINGS = 2
KINDS = ("movie", "episode")


@dataclass(frozen=True, slots=True)
class Needed:
    """The calls that a first run cannot do without: from what the library says, and nothing that the program does."""

    history_pages: int
    titles: int
    titles_without_imdb: int
    shows_twice: int
    batches: int
    trakt_pages: int
    """Of Trakt's own history, which is read twice: rows with equal times may change places between pages."""

    @classmethod
    def of(cls, world: Metered) -> Self:
        library, trakt = world.upstreams.library, world.upstreams.trakt
        rows = library.viewers[USER].rows
        titles = {title.id: title for title, _ in (library.by_media[media] for media in rows)}
        expected = world.upstreams.expected(USER)
        sent = [each for each in expected if each.outcome == "sent"]
        start = min(each.watched_at for each in expected if each.watched_at) - TWO_DAYS
        kinds = Counter(str(play.as_json()["type"]) for play in trakt.users[USER].plays if play.at >= start * 1000)
        return cls(
            history_pages=ceil(len(rows) / MOST_PER_PAGE),
            titles=len(titles),
            titles_without_imdb=sum(not _row_tells_imdb(title) for title in titles.values()),
            shows_twice=2 * sum(title.season_based for title in titles.values()),
            batches=ceil(len(sent) / SyncSettings().views_a_post(len(sent))),
            trakt_pages=READINGS * sum(max(1, ceil(kinds[each] / trakt.options.page_cap)) for each in KINDS),
        )

    @property
    def total(self) -> int:
        return sum(astuple(self))


def _row_tells_imdb(title: Title) -> bool:
    said: Any = title.imdb if title.row_imdb is None else title.row_imdb
    return said is not MISSING and said not in (None, 0, "0", "")


def bench(options: Options) -> None:
    world = Metered("realistic", [USER])
    needed = Needed.of(world)
    run = world.run(USER)
    sent = sum(each.outcome == "sent" for each in world.upstreams.expected(USER))
    made = world.calls()
    by_kind = {**_counts("Kinopub", world.upstreams.kinopub), **_counts("Trakt", world.upstreams.trakt)}
    parts = ", ".join(f"{name.replace('_', ' ')} {getattr(needed, name)}" for name in Needed.__slots__)
    show(
        options.out,
        f"Calls of a first run, realistic library, {run.counts['history']} history rows",
        [
            Figure.exactly("sent", run.counts["sent"], sent),
            Figure.told("Kinopub + Trakt", f"{made['kinopub']} + {made['trakt']}"),
            Figure.at_most(f"calls / {needed.total}", sum(made.values()) / needed.total, SLACK, note=parts),
            *(Figure.told(name, f"{count}") for name, count in by_kind.items()),
        ],
    )
    for minutes in (10, 60):
        idle(options, world, minutes)


def idle(options: Options, world: Metered, minutes: int) -> None:
    kinopub, trakt = world.upstreams.kinopub, world.upstreams.trakt
    kinopub.forget()
    trakt.forget()
    world.now += minutes * 60
    run = world.run(USER)
    renewals = len(kinopub.requests(method="POST")) + len(trakt.requests("^/oauth/", method="POST"))
    show(
        options.out,
        f"Calls of an idle run, {minutes} minutes later",
        [
            Figure.exactly("status", run.status, "succeeded"),
            Figure.exactly("Kinopub", len(kinopub.requests(method="GET")), 1),
            Figure.exactly("Trakt", len(trakt.requests("^/(?!oauth/)")), 0),
            Figure.told("renewals of a token", f"{renewals}", note="Kinopub's lives an hour"),
        ],
    )


def _counts(name: str, app: Any) -> dict[str, int]:
    return {f"  {name} {call}": count for call, count in sorted(app.summary()["counts"].items())}
