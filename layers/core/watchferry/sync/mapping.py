"""§4.2 of the sync document: from Kinopub's titles to Trakt's ids.

Films with an IMDb id need no look-up. Shows are found by IMDb id, their episodes by season and number in the show's
seasons, which come in one call. Without an IMDb id a title is searched by text and accepted only when its name and year
leave no doubt. What Trakt said is remembered for all users; what a user has said of a title counts for more, and for
that user alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from watchferry.clients.kinopub import Kinopub
from watchferry.clients.trakt import Episode, SearchHit, SearchType, Season, Trakt
from watchferry.errors import NotThere, Rejected, RetryLater
from watchferry.models import Event, Ids, Reason, Title, View, imdb_id
from watchferry.storage.mappings import FOUND, MISSING, Mappings, Remembered
from watchferry.storage.overrides import Override, Rules
from watchferry.storage.unmatched import Unmatched, unmatched_of
from watchferry.sync.names import name_key, same_name

SEASONS_KEPT = 7 * 86400
SEASONS_ASKED_AGAIN_AFTER = 6 * 3600
"""An episode that is not in the remembered seasons may have been added since: the short memory for misses."""

type Seasons = Mapping[str, Mapping[str, Ids] | int]
"""season → number → ids; strings, since it is stored as JSON.

An int in place of a season's episodes: it counts so many (0: nobody said) and they were not all shown. To be asked for.
"""


@dataclass(frozen=True, slots=True)
class Unmapped:
    reason: Reason


@dataclass(frozen=True, slots=True)
class Mapped:
    """One title's views, each with its ids, or why it has none."""

    title: Title
    views: tuple[tuple[View, Ids], ...]
    skips: tuple[Event, ...]
    show: int | None = None

    @property
    def unmatched(self) -> list[Unmatched]:
        return unmatched_of(self.title, self.skips, self.show)


@dataclass(slots=True)
class Mapper:
    trakt: Trakt
    kinopub: Kinopub
    mappings: Mappings
    clock: Callable[[], float]
    rules: Rules
    remembered: dict[str, Remembered]

    def load(self, titles: Sequence[Title]) -> None:
        """Reads what is remembered of these titles, in two reads of a hundred keys each."""
        self.remembered.update(self.mappings.get(key for title in titles for key in _keys(title)))
        keys = [key for title in titles if title.is_show for key in _keys(title)]
        found = [self.remembered[key].value for key in keys if key in self.remembered]
        # By IMDb id it is Trakt's id, by text all ids, and a word where there is none.
        shows = [hit["trakt"] if isinstance(hit, dict) else hit for hit in found if not isinstance(hit, str)]
        rules = [rule for title in titles if title.is_show for rule in self.rules.by_item.get(title.item, {}).values()]
        shows += [rule.trakt_id for rule in rules if not rule.ignore]
        self.remembered.update(self.mappings.get(f"seasons-{show}" for show in shows))

    def map(self, title: Title, views: Sequence[View]) -> Mapped:
        """Raises RetryLater and its kin; a title that Trakt does not have is an answer, not an error."""
        ruled = [(self.rules.of(view), view) for view in views]
        ignored = tuple(Event(view, "skipped", "ignored") for rule, view in ruled if rule and rule.ignore)
        found = [view for rule, view in ruled if rule is None]
        told: dict[str, tuple[Override, list[View]]] = {}
        for rule, view in ruled:
            if rule and not rule.ignore:
                told.setdefault(rule.key, (rule, []))[1].append(view)
        mapped = [self._as_found(title, found)] if found else []
        mapped += [self._as_told(title, part, rule) for rule, part in told.values()]
        return Mapped(
            mapped[0].title if mapped else title,
            tuple(pair for each in mapped for pair in each.views),
            (*ignored, *(skip for each in mapped for skip in each.skips)),
            next((each.show for each in mapped if each.show), None),
        )

    def _as_found(self, title: Title, views: Sequence[View]) -> Mapped:
        detailed = self._with_details(title)
        if detailed is not title:
            title = detailed
            self.load([title])
        views = [replace(view, imdb=title.imdb, year=title.year) for view in views]
        if title.is_show:
            show = self._show(title)
            return _unmapped(title, views, show) if isinstance(show, Unmapped) else self._episodes(title, show, views)
        found: Ids | Unmapped = {"imdb": title.imdb} if title.imdb else self._search(title, "movie")
        if isinstance(found, Unmapped):
            return _unmapped(title, views, found)
        return Mapped(title, tuple((view, found) for view in views), ())

    def _as_told(self, title: Title, views: Sequence[View], rule: Override) -> Mapped:
        if title.is_show:
            return self._episodes(title, rule.trakt_id, views, rule.shifted)
        return Mapped(title, tuple((view, rule.ids) for view in views), ())

    def _with_details(self, title: Title) -> Title:
        """A history row may lack `imdb`, or the name or the year that a text search needs (reality.md, Kinopub)."""
        if title.imdb or (title.details_known and title.year is not None and title.title):
            return title
        try:
            item = self.kinopub.item(title.item)
        except (NotThere, Rejected):
            return title  # it left the catalogue: what the row says is all that there is
        return replace(
            title,
            title=title.title or item.title,
            imdb=imdb_id(item.imdb),
            year=item.year or title.year,
            details_known=True,
        )

    def _episodes(
        self,
        title: Title,
        show: int,
        views: Sequence[View],
        place_of: Callable[[int, int], tuple[int, int]] = lambda season, number: (season, number),
    ) -> Mapped:
        places = [place_of(view.season or 0, view.number or 0) for view in views]
        seasons = self._seasons(show, places)
        mapped: list[tuple[View, Ids]] = []
        skips: list[Event] = []
        for view, (season, number) in zip(views, places, strict=True):
            ids = _ids_of(seasons, season, number)
            if ids and view.number is not None:
                mapped.append((view, ids))
            else:
                skips.append(Event(view, "skipped", "episode_not_found"))
        return Mapped(title, tuple(mapped), tuple(skips), show)

    def _show(self, title: Title) -> int | Unmapped:
        if title.imdb is None:
            found = self._search(title, "show")
            return found if isinstance(found, Unmapped) else int(found["trakt"])
        key = f"show-{title.imdb}"
        if key not in self.remembered:
            shows = self.trakt.search_id("imdb", title.imdb, "show")
            answer = best_hit(shows.hits, "show", complete=shows.complete)
            value: int | str = answer.reason if isinstance(answer, Unmapped) else int(answer["trakt"])
            self._remember(key, value)
        value = self.remembered[key].value
        return Unmapped(value) if isinstance(value, str) else value  # type: ignore[arg-type]

    def _search(self, title: Title, kind: SearchType) -> Ids | Unmapped:
        key = _search_key(title, kind)
        if key not in self.remembered:
            found = [self.trakt.search_text(name, kind) for name in names_to_ask(title)]
            hits = [hit for each in found for hit in each.hits]
            answer = sure_hit(title, hits, kind, complete=all(each.complete for each in found))
            self._remember(key, answer.reason if isinstance(answer, Unmapped) else dict(answer))
        value = self.remembered[key].value
        return Unmapped(value) if isinstance(value, str) else value  # type: ignore[arg-type]

    def _seasons(self, show: int, places: Iterable[tuple[int, int]]) -> Seasons:
        """`places`: the seasons and numbers that are looked for."""
        places = list(places)
        key = f"seasons-{show}"
        known = self.remembered.get(key)
        if known is not None and not any(isinstance(known.value.get(str(season)), int) for season, _ in places):
            complete = all(_ids_of(known.value, *place) is not None for place in places)
            if complete or known.at > self.clock() - SEASONS_ASKED_AGAIN_AFTER:
                return known.value  # type: ignore[no-any-return]
        try:
            seasons = read_seasons(self.trakt, show, places)
        except NotThere:
            seasons = {}
        self._remember(key, seasons, kept=SEASONS_KEPT)
        return seasons

    def _remember(self, key: str, value: Any, kept: int | None = None) -> None:
        if kept is None:
            kept = MISSING if isinstance(value, str) else FOUND
        self.remembered[key] = self.mappings.put(key, value, kept=kept)


def unmappable(title: Title, views: Sequence[View]) -> Mapped:
    """Trakt refuses what is asked of this title: for its user it is one that was not found, and can be mended."""
    return _unmapped(title, views, Unmapped("not_found"))


def _unmapped(title: Title, views: Sequence[View], why: Unmapped) -> Mapped:
    return Mapped(title, (), tuple(Event(view, "skipped", why.reason) for view in views))


def best_hit(hits: Sequence[SearchHit], kind: SearchType, *, complete: bool = True) -> Ids | Unmapped:
    """§4.2.1: none is `not_found`; of several the highest score, without a single highest one `ambiguous`.

    Nor is one the highest where there are more that nobody has read.
    """
    found = {
        work.trakt: (hit.score, work)
        for hit in hits
        if (work := getattr(hit, kind)) is not None and work.trakt is not None
    }
    if not found:
        return Unmapped("not_found")
    ranked = sorted(found.values(), key=lambda pair: pair[0] or 0.0, reverse=True)
    if not complete or (len(ranked) > 1 and (ranked[0][0] is None or ranked[0][0] == ranked[1][0])):
        return Unmapped("ambiguous")
    return ranked[0][1].known_ids  # type: ignore[no-any-return]


def sure_hit(title: Title, hits: Sequence[SearchHit], kind: SearchType, *, complete: bool = True) -> Ids | Unmapped:
    """A hit counts when its title equals one of the names and the year is the same; exactly one such hit maps.

    Where there are more hits that nobody has read, one may not be the only one.
    """
    sure = {
        work.trakt: work.known_ids
        for hit in hits
        if (work := getattr(hit, kind)) is not None
        and any(same_name(work.title or "", name) for name in title.names)
        and work.year is not None
        and work.year == title.year
    }
    if len(sure) == 1 and complete and None not in sure:
        return sure.popitem()[1]  # type: ignore[no-any-return]
    return Unmapped("ambiguous" if sure else "not_found")


def names_key(title: Title) -> str:
    """For a memory of what was found by these names: another one whenever one of them is not the same."""
    return "/".join(sorted(name_key(name) for name in title.names))


def names_to_ask(title: Title) -> list[str]:
    """Trakt's titles are mostly in Latin letters: where one of the names is, the others are not asked for."""
    latin = [name for name in title.names if any("a" <= letter <= "z" for letter in name.lower())]
    return list(dict.fromkeys(latin or title.names))


def read_seasons(trakt: Trakt, show: int, places: Sequence[tuple[int, int]]) -> Seasons:
    """The show's seasons in one call; of those that are looked for, a call for each that it does not show whole.

    Raises NotThere of a show that Trakt does not have, RetryLater where a season counts episodes and shows none: then
    nobody knows whether an episode is there.
    """
    shown = {season.number: season for season in trakt.seasons(show)}
    # The documented form, a call per season, for a Trakt that leaves the episodes out of the one call.
    left_out = all(season.episodes is None for season in shown.values())
    seasons = dict(index_seasons(shown.values()))
    for number in sorted({season for season, _ in places if season >= 0}):
        season = shown.get(number) or (Season(number=number) if left_out else None)
        if season is not None and not season.is_whole:
            seasons[str(number)] = _season(trakt, show, season)
    return seasons


def _season(trakt: Trakt, show: int, season: Season) -> Mapping[str, Ids]:
    found = dict(_by_number(season.readable))
    with suppress(NotThere):
        found |= _by_number(trakt.season(show, season.number))
    if season.counted and not found:
        detail = f"Trakt counts {season.counted} episodes in season {season.number} of its show {show} and shows none"
        raise RetryLater("upstream_empty", detail, service="trakt")
    return found


def index_seasons(seasons: Iterable[Season]) -> Seasons:
    return {
        str(season.number): _by_number(season.readable) if season.is_whole else season.counted for season in seasons
    }


def _by_number(episodes: Iterable[Episode]) -> Mapping[str, Ids]:
    return {str(episode.number): episode.known_ids for episode in episodes}


def _ids_of(seasons: Seasons, season: int, number: int) -> Ids | None:
    episodes = seasons.get(str(season), {})
    return None if isinstance(episodes, int) else episodes.get(str(number))


def _keys(title: Title) -> list[str]:
    if title.is_show:
        return [f"show-{title.imdb}"] if title.imdb else [_search_key(title, "show")]
    return [] if title.imdb else [_search_key(title, "movie")]


def _search_key(title: Title, kind: SearchType) -> str:
    # 2: names were compared otherwise before, and what was found by that must not be mixed with it.
    return f"search2-{kind}-{title.year}-{names_key(title)}"[:1000]
