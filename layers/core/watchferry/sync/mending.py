"""What did not match, and what its user says of it (http-api.md, Sync: unmatched and overrides)."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, cast

from watchferry.clients.trakt import SearchType, Trakt, Work
from watchferry.errors import NotThere, Problem, RetryLater, WatchferryError
from watchferry.models import iso
from watchferry.storage.mappings import MISSING, Mappings
from watchferry.storage.overrides import Override, Overrides
from watchferry.storage.rechecks import Rechecks
from watchferry.storage.unmatched import Unmatched, UnmatchedTitles
from watchferry.sync import answers
from watchferry.sync.mapping import Seasons, names_key, names_to_ask, read_seasons

if TYPE_CHECKING:
    from watchferry.sync.bodies import Mend

MOST_CANDIDATES = 10
LOOKED_AT = 30
"""Hits of each name that are read for them."""
SEARCHES_AT_ONCE = 5
PATIENCE = 8.0
"""Seconds after which no more searches begin: a search itself may take twice five, and a request has 29."""


class Deployment(Protocol):
    """What mending needs of wiring.py."""

    clock: Callable[[], float]

    @property
    def unmatched(self) -> UnmatchedTitles: ...
    @property
    def overrides(self) -> Overrides: ...
    @property
    def rechecks(self) -> Rechecks: ...
    @property
    def mappings(self) -> Mappings: ...
    @property
    def open_trakt(self) -> Trakt: ...


def with_candidates(own: Deployment, rows: Sequence[Unmatched]) -> list[answers.Unmatched]:
    """Rows as http-api.md has them, each with what Trakt's search says of its names; none while Trakt is away.

    Rows of one show have one search; what it found is remembered for all users for a day.
    """
    wanted = {_memory_of(row): row for row in rows}
    found: dict[str, list[answers.Candidate]] = {key: each.value for key, each in own.mappings.get(wanted).items()}
    until = own.clock() + PATIENCE

    def ask(key: str) -> None:
        if own.clock() < until:
            with suppress(WatchferryError):
                candidates = _candidates(own, wanted[key], until)
                found[key] = own.mappings.put(key, candidates, kept=MISSING).value

    with ThreadPoolExecutor(SEARCHES_AT_ONCE) as pool:
        list(pool.map(ask, wanted.keys() - found.keys()))
    return [_shown(row, found.get(_memory_of(row), [])) for row in rows]


def mend(own: Deployment, user_id: str, key: str, wanted: "Mend") -> None:
    """Stores what the user says, once it is certain that it leads somewhere; the next run takes the title up again.

    Raises Problem 404 for a title that is neither unmatched nor overridden, 400 for what Trakt does not have.
    """
    item = int(key.partition("-")[0])
    waiting = own.unmatched.of_title(user_id, item)
    known = own.overrides.rules(user_id).by_item.get(item, {}).values()
    titles = [*(row.title for row in waiting), *(each.title for each in known)]
    if not titles:
        raise Problem(404, "not_found", "there is nothing to mend under this key")
    override = Override(key, titles[0], at=int(own.clock()))
    solved = [row for row in waiting if _covers(key, row)]
    override = replace(override, ignore=True) if wanted.ignore else _led(own.open_trakt, override, wanted, solved)
    own.overrides.put(user_id, override)
    own.rechecks.wish(user_id, override.title)
    own.unmatched.delete(user_id, [row.key for row in solved])


def said(override: Override) -> answers.Override:
    """What its user has said of a title."""
    return {
        "key": override.key,
        "title": override.title.title,
        "year": override.title.year,
        "type": "episode" if override.title.is_show else "movie",
        "ignore": override.ignore,
        "trakt_id": override.trakt_id or None,
        "trakt_title": override.trakt_title,
        "trakt_year": override.trakt_year,
        "season_offset": override.season_offset,
        "episode_offset": override.episode_offset,
        "at": iso(override.at),
    }


def forget(own: Deployment, user_id: str, key: str) -> None:
    """The title is as if nothing had been said of it: the next run maps it by itself. Raises Problem 404."""
    override = own.overrides.get(user_id, key)
    if override is None:
        raise Problem(404, "not_found", "there is no override under this key")
    # Before, should this be cut short in between; and after, for a run that looks in between.
    own.rechecks.wish(user_id, override.title)
    own.overrides.delete(user_id, key)
    own.rechecks.wish(user_id, override.title)


def _covers(key: str, row: Unmatched) -> bool:
    """A key of a title or a season stands for all that is narrower."""
    return row.key == key or row.key.startswith(f"{key}-")


def _led(trakt: Trakt, override: Override, wanted: "Mend", waiting: Sequence[Unmatched]) -> Override:
    trakt_id = wanted.trakt_id or 0
    if not override.title.is_show:
        if wanted.season_offset or wanted.episode_offset:
            raise Problem(400, "validation", "season_offset, episode_offset: a film has neither")
        film = _work(trakt, trakt_id, "movie")
        return replace(override, trakt_id=trakt_id, trakt_title=film.title, trakt_year=film.year, ids=film.known_ids)
    show = _work(trakt, trakt_id, "show")
    override = replace(
        override,
        trakt_id=trakt_id,
        trakt_title=show.title,
        trakt_year=show.year,
        season_offset=wanted.season_offset,
        episode_offset=wanted.episode_offset,
    )
    places = _places(override, waiting)
    try:
        there = read_seasons(trakt, trakt_id, [(season, number or 0) for season, number in places])
    except NotThere as gone:
        raise _no_such("show") from gone
    if places and not any(_is_there(there, *place) for place in places):
        raise Problem(400, "validation", f"season_offset, episode_offset: Trakt's show has no {_named(*places[0])}")
    return override


def _work(trakt: Trakt, trakt_id: int, kind: SearchType) -> Work:
    works = [getattr(hit, kind) for hit in trakt.search_id("trakt", trakt_id, kind).hits]
    found = next((work for work in works if work is not None and work.trakt == trakt_id), None)
    if found is None:
        raise _no_such(kind)
    return cast("Work", found)


def _no_such(kind: SearchType) -> Problem:
    return Problem(400, "validation", f"trakt_id: Trakt has no such {'film' if kind == 'movie' else kind}")


def _places(override: Override, waiting: Sequence[Unmatched]) -> list[tuple[int, int | None]]:
    """Where Trakt has to have some of it: what waits or, where nothing does since it was mended before, what the key
    names. Season and number; None: any.
    """
    if waiting:
        return [override.shifted(*place) for row in waiting for place in row.episodes]
    match [int(part) for part in override.key.split("-")]:
        case [_, season, number]:
            return [override.shifted(season, number)]
        case [_, season]:
            return [(override.shifted(season, 0)[0], None)]
    return []


def _is_there(seasons: Seasons, season: int, number: int | None) -> bool:
    episodes = seasons.get(str(season))
    return isinstance(episodes, Mapping) and (number is None or str(number) in episodes)


def _named(season: int, number: int | None) -> str:
    return f"season {season}" if number is None else f"S{season}E{number}"


def _memory_of(row: Unmatched) -> str:
    """The key under which its candidates are remembered."""
    return f"candidates2-{_kind(row)}-{row.show or 0}-{row.title.year}-{names_key(row.title)}"[:1000]


def _kind(row: Unmatched) -> SearchType:
    return "show" if row.title.is_show else "movie"


def _candidates(own: Deployment, row: Unmatched, until: float) -> list[answers.Candidate]:
    """The show that lacks the episode first, since it likely has it elsewhere; then those of the same year."""
    kind = _kind(row)
    hits = [*own.open_trakt.search_id("trakt", row.show, kind).hits] if row.show else []
    for name in names_to_ask(row.title):
        if own.clock() >= until:
            raise RetryLater("upstream_timeout", "Trakt's search takes too long")
        hits += own.open_trakt.search_text(name, kind, LOOKED_AT).hits
    works = [work for hit in hits if (work := getattr(hit, kind)) is not None and work.trakt is not None]
    # The sort is stable: else it is the order of Trakt's own score.
    works.sort(key=lambda work: (work.trakt != row.show, work.year != row.title.year))
    unique = {work.trakt: work for work in works}
    return [
        {"trakt_id": trakt_id, "type": kind, "title": work.title, "year": work.year, "ids": dict(work.known_ids)}
        for trakt_id, work in list(unique.items())[:MOST_CANDIDATES]
    ]


def _shown(row: Unmatched, candidates: list[answers.Candidate]) -> answers.Unmatched:
    shown: answers.Unmatched = {
        "key": row.key,
        "title": row.title.title,
        "year": row.title.year,
        "type": row.type,
        "reason": row.reason,
        "seen": row.seen,
        "candidates": candidates,
    }
    if row.episode is not None:
        shown["season"], shown["episode"] = row.episode
    return shown
