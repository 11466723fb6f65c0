"""The realistic library: about 60 films and 25 series with some 900 finished episodes, and everything that goes wrong.

Each oddity is one call here, with what it stands for; the expected outcome is part of the call (`lost`, `without`,
`had`, `begin`), not worked out.
"""

from collections.abc import Iterable, Sequence

from .catalogue import Movie
from .films_data import FILMS, UNSEEN
from .library import film, series
from .odd_films import OddFilms
from .odd_series import OddSeries
from .series_data import SERIES
from .titles import Title, Unit
from .views import DEFAULT_USER, Library

DAY, HOUR, MINUTE = 86_400, 3_600, 60


def realistic(users: Iterable[str] = (DEFAULT_USER,), now: float | None = None, seed: int = 1) -> Library:
    """Every user saw the same things, each an hour before the next."""
    library = Library(now, seed)
    films = [
        film(library, name, year, imdb, item=n, tmdb=tmdb, minutes=minutes)
        for n, name, year, imdb, tmdb, minutes in (*FILMS, *UNSEEN)
    ]
    plain_series = [
        series(library, name, year, imdb, dict(enumerate(counts, 1)), item=n, tmdb=tmdb, minutes=minutes)
        for n, name, year, imdb, tmdb, counts, minutes, _ in SERIES
    ]
    odd_films, odd_series = OddFilms(library), OddSeries(library)
    elsewhere = [library.catalogue.add_movie(f"Seen in a Cinema {n}", 2000 + n) for n in range(8)]
    for place, user in enumerate(users):
        told = Teller(library, user, shift=place * HOUR + 7 * place)
        for n, title in enumerate(films[: len(FILMS)]):
            told.film(title, n)
        for title, (*_, seen) in zip(plain_series, SERIES, strict=True):
            told.series(title, [unit for unit in title.units if unit.season <= seen])
        odd_films.watch(told)
        odd_series.watch(told)
        for n, movie in enumerate(elsewhere):
            library.seed(user, movie, library.now - (n + 2) * 40 * DAY)
    return library


class Teller:
    """Tells what one user did, at times that are all in the past."""

    def __init__(self, library: Library, user: str, shift: int) -> None:
        self.library, self.user, self.shift = library, user, shift
        self.random = library.random

    def ago(self, days: float) -> int:
        return int(self.library.now - self.shift - days * DAY)

    def film(self, title: Title, n: int = 1) -> None:
        """Finished. Every seventh is on Trakt already, at the same minute; every ninth at another time only."""
        at = self.ago(self.random.uniform(1, 900))
        had = n % 7 == 3
        assert isinstance(title.trakt, Movie)
        if had:
            same_minute = at - at % MINUTE + (at % MINUTE if n % 14 == 3 else (at + 31) % MINUTE)
            self.library.seed(self.user, title.trakt, same_minute)
        if n % 9 == 5:
            self.library.seed(self.user, title.trakt, at - 200 * DAY)
        self.library.finish(self.user, title, title.units[0], at, updated=n % 11 != 6, had=had)

    def evenings(self, units: Sequence[Unit]) -> list[int]:
        """Times of episodes, a few an evening, the last one some days ago."""
        at, times = 0, list[int]()
        for unit in units:
            at += unit.duration + self.random.randrange(2, 20) * MINUTE + self.random.randrange(MINUTE)
            if self.random.random() < 0.4:
                at += DAY - at % DAY + self.random.randrange(4 * HOUR)
            times.append(at)
        start = self.ago(self.random.uniform(1, 400)) - at
        return [start + each for each in times]

    def series(self, title: Title, units: Sequence[Unit], had: bool = False) -> None:
        """Finished one after another; of every 40 episodes Trakt has one at the same minute and one at another time."""
        for n, (unit, at) in enumerate(zip(units, self.evenings(units), strict=True)):
            known = title.trakt_id(unit) is not None
            if known and (had or n % 40 == 17):
                self.library.seed(self.user, title.trakt_episode(unit), at - at % MINUTE + (at + 7) % MINUTE)
            if known and n % 40 == 29:
                self.library.seed(self.user, title.trakt_episode(unit), at - 300 * DAY)
            self.library.finish(self.user, title, unit, at, updated=n % 13 != 4, had=known and (had or n % 40 == 17))
