"""What Trakt knows: films, shows, seasons and episodes, found by ids or by text."""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Ids = Mapping[str, Any]


def slug_of(text: str, otherwise: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or otherwise


def _plex(kind: str, trakt: int, slug: str) -> dict[str, str]:
    """Ids of films and shows hold a record beside numbers and words."""
    return {"guid": hashlib.sha1(f"{kind} {trakt}".encode()).hexdigest()[:12], "slug": slug}


@dataclass(slots=True, eq=False)
class Movie:
    trakt: int
    title: str
    year: int | None
    imdb: str | None = None
    tmdb: int | None = None
    slug: str = ""
    names: tuple[str, ...] = ()  # translations and aliases, which text search reads too
    popularity: float = 0.0  # lifts a film in the ranking, however badly its title fits
    _brief: dict[str, Any] | None = None

    kind = "movie"
    tvdb = None

    def ids(self) -> dict[str, Any]:
        plex = _plex(self.kind, self.trakt, self.slug)
        return {"trakt": self.trakt, "slug": self.slug, "imdb": self.imdb, "tmdb": self.tmdb, "plex": plex}

    def brief(self) -> dict[str, Any]:
        if self._brief is None:
            self._brief = {"title": self.title, "year": self.year, "ids": self.ids()}
        return self._brief

    @property
    def released(self) -> str:
        return f"{self.year or 2000}-06-15T00:00:00.000Z"


@dataclass(slots=True, eq=False)
class Episode:
    show: "Show"
    trakt: int
    season: int
    number: int
    title: str
    tvdb: int | None = None
    tmdb: int | None = None
    imdb: str | None = None
    _brief: dict[str, Any] | None = None

    kind = "episode"
    slug = ""

    def brief(self) -> dict[str, Any]:
        if self._brief is None:
            ids = {"trakt": self.trakt, "tvdb": self.tvdb, "imdb": self.imdb, "tmdb": self.tmdb}
            self._brief = {"season": self.season, "number": self.number, "title": self.title, "ids": ids}
        return self._brief

    @property
    def released(self) -> str:
        month, day = divmod(self.number - 1, 28)
        year = (self.show.year or 2000) + max(self.season - 1, 0)
        return f"{year}-{month % 12 + 1:02d}-{day + 1:02d}T01:00:00.000Z"


@dataclass(slots=True, eq=False)
class Season:
    trakt: int
    number: int
    tvdb: int | None = None
    tmdb: int | None = None
    episodes: dict[int, Episode] = field(default_factory=dict)

    kind = "season"

    def brief(self) -> dict[str, Any]:
        return {"number": self.number, "ids": {"trakt": self.trakt, "tvdb": self.tvdb, "tmdb": self.tmdb}}


@dataclass(slots=True, eq=False)
class Show:
    trakt: int
    title: str
    year: int | None
    imdb: str | None = None
    tmdb: int | None = None
    tvdb: int | None = None
    slug: str = ""
    names: tuple[str, ...] = ()
    popularity: float = 0.0
    seasons: dict[int, Season] = field(default_factory=dict)
    _brief: dict[str, Any] | None = None

    kind = "show"

    def ids(self) -> dict[str, Any]:
        ids = {"trakt": self.trakt, "slug": self.slug, "tvdb": self.tvdb, "imdb": self.imdb, "tmdb": self.tmdb}
        return ids | {"plex": _plex(self.kind, self.trakt, self.slug)}

    def brief(self) -> dict[str, Any]:
        if self._brief is None:
            self._brief = {"title": self.title, "year": self.year, "ids": self.ids()}
        return self._brief

    def episodes(self) -> Iterable[Episode]:
        return (episode for season in self.seasons.values() for episode in season.episodes.values())


Thing = Movie | Show | Episode
ID_TYPES = ("trakt", "imdb", "tmdb", "tvdb", "slug")  # the order in which Trakt tries the ids of one item
FIRST_TRAKT_ID = {"movie": 700_000, "show": 200_000, "season": 400_000, "episode": 7_000_000}


class Catalogue:
    """All titles, with an index by id and one by the beginnings of words."""

    def __init__(self) -> None:
        self.movies: list[Movie] = []
        self.shows: list[Show] = []
        self.seasons: dict[int, Season] = {}
        self._by_id: defaultdict[tuple[str, str, str], list[Thing]] = defaultdict(list)
        self._words: defaultdict[str, set[int]] = defaultdict(set)
        self._titled: list[tuple[Movie | Show, list[list[str]]]] = []  # with the words of each of its names
        self._used = dict(FIRST_TRAKT_ID)

    def share_numbers(self) -> None:
        """From now on films, shows, seasons and episodes are numbered alike: each number is one of each kind."""
        self._used = dict.fromkeys(self._used, max(self._used.values()))

    def _trakt_id(self, kind: str) -> int:
        self._used[kind] += 3  # real ids have gaps
        return self._used[kind]

    def add_movie(self, title: str, year: int | None, **parts: Any) -> Movie:
        trakt = parts.pop("trakt", None) or self._trakt_id("movie")
        slug = slug_of(title, "movie-" + str(trakt)) + (f"-{year}" if year else "")
        while self._by_id.get(("movie", "slug", slug)):
            slug += "-2"
        movie = Movie(trakt, title, year, slug=slug, **parts)
        self.movies.append(movie)
        self._index(movie)
        return movie

    def add_show(self, title: str, year: int | None, seasons: Mapping[int, Iterable[int]], **parts: Any) -> Show:
        """A show with the given episode numbers by season number."""
        trakt = parts.pop("trakt", None) or self._trakt_id("show")
        slug = slug_of(title, "show-" + str(trakt))
        if self._by_id.get(("show", "slug", slug)):
            slug += f"-{year}"
        while self._by_id.get(("show", "slug", slug)):
            slug += "-2"
        show = Show(trakt, title, year, slug=slug, **parts)
        for number, episode_numbers in seasons.items():
            season = Season(self._trakt_id("season"), number)
            season.tvdb, season.tmdb = season.trakt + 1_500_000, season.trakt - 100_000
            show.seasons[number] = self.seasons[season.trakt] = season
            for episode_number in episode_numbers:
                self.add_episode(show, season, episode_number)
        self.shows.append(show)
        self._index(show)
        return show

    def add_episode(self, show: Show, season: Season, number: int) -> Episode:
        trakt = self._trakt_id("episode")
        tvdb, tmdb = trakt + 1_300_000, trakt - 3_000_000
        imdb = f"tt{trakt + 20_000_000}" if trakt % 4 else None  # ids.imdb can be null
        episode = Episode(show, trakt, season.number, number, f"Episode {number}", tvdb, tmdb, imdb)
        season.episodes[number] = episode
        self._index(episode)
        return episode

    def _index(self, thing: Thing) -> None:
        for id_type in ID_TYPES:
            value = getattr(thing, id_type)
            if value:
                self._by_id[thing.kind, id_type, str(value)].append(thing)
        if isinstance(thing, Episode):
            return
        names = [words(name) for name in (thing.title, *thing.names)]
        for word in {word for name in names for word in name}:
            self._words[word[:4]].add(len(self._titled))
        self._titled.append((thing, names))

    # ---- by id

    def by_id(self, kind: str, id_type: str, value: str) -> list[Thing]:
        return self._by_id.get((kind, id_type, value), [])

    def find(self, kind: str, ids: Ids) -> Thing | None:
        """The item that a posted `ids` object means: the first id that Trakt knows decides."""
        for id_type in ID_TYPES:
            value = ids.get(id_type)
            if value is None:
                continue
            numeric = id_type == "slug" and str(value).isdigit()
            if found := self.by_id(kind, "trakt" if numeric else id_type, str(value)):
                return found[0]
        return None

    def titled(self, kind: str, title: str, year: int) -> Thing | None:
        wanted = (kind, title, year)
        return next((thing for thing, _ in self._titled if (thing.kind, thing.title, thing.year) == wanted), None)

    def show(self, reference: str) -> Show | None:
        """A show by what may stand in a path: Trakt id, slug or IMDb id. A slug of digits is read as an id."""
        for id_type in ("trakt",) if reference.isdigit() else ("slug", "imdb"):
            for thing in self.by_id("show", id_type, reference):
                if isinstance(thing, Show):
                    return thing
        return None

    # ---- by text

    def search(self, kinds: Iterable[str], query: str) -> list[tuple[float, Movie | Show]]:
        """Titles that fit a query more or less, best first, each with a score (a float, as the real ones)."""
        asked = parse_query(query)
        if asked is None:
            return []
        wanted, unwanted = asked
        kinds = set(kinds)
        places = set[int]().union(*(self._words.get(word[:4], set()) for word in wanted))
        hits = []
        for place in sorted(places):
            thing, names = self._titled[place]
            if thing.kind not in kinds or any(word in name for word in unwanted for name in names):
                continue
            fit = max(_fit(wanted, name) for name in names)
            if fit >= 0.3:
                hits.append((round(fit * 90 + thing.popularity + thing.trakt % 97 / 100, 6), thing))
        return sorted(hits, key=lambda hit: -hit[0])


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold().replace("ё", "е"))


def _fit(wanted: list[str], name: list[str]) -> float:
    """1 when all words are the same, less the more differ; a common beginning counts half."""
    if not name:
        return 0.0
    got = sum(1.0 if word in name else 0.5 if any(word[:4] == other[:4] for other in name) else 0.0 for word in wanted)
    return got / max(len(wanted), len(name))


def parse_query(query: str) -> tuple[list[str], list[str]] | None:
    r"""Words to find and words to shun; None for a query that the search engine cannot read.

    The OpenAPI document, search: `+ - && || ! ( ) { } [ ] ^ " ~ * ? : /` have a meaning unless a backslash precedes
    them. Here: `-x` and `!x` shun, `field:` names a field that no title has, unbalanced brackets, quotes and slashes
    find nothing, the others are ignored.
    """
    bare = re.sub(r"\\.", "\x00", query)
    pairs_open = any(bare.count(opening) != bare.count(closing) for opening, closing in ("()", "[]", "{}"))
    if pairs_open or bare.count('"') % 2 or bare.count("/") % 2:
        return None
    wanted, unwanted = list[str](), list[str]()
    for piece in re.sub(r"/[^/]*/", " ", bare).split():
        if re.match(r"[-!]\w", piece):
            unwanted += words(piece)
        else:
            wanted += words(re.sub(r"\w+:", " ", piece))
    return (wanted, unwanted) if wanted else None
