"""Libraries by size, and the two verbs that fill them: `film` and `series`.

`tiny` and `large` are here; the realistic one has a file of its own.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from .titles import Title, halves
from .views import DEFAULT_USER, Expected, Library

__all__ = ["DEFAULT_USER", "Expected", "Library", "film", "large", "odd", "series", "tiny"]


def film(
    library: Library,
    name: str,
    year: int,
    imdb: str | None,
    *,
    item: int,
    tmdb: int | None = None,
    minutes: int = 120,
    parts: int = 1,
    type: str = "movie",
    known: bool = True,
    trakt: Mapping[str, Any] | None = None,
    **more: Any,
) -> Title:
    """A film on Kinopub and, where it is `known`, on Trakt. `imdb` is the real id; Kinopub shows it as an integer.

    `trakt` changes what Trakt has (title, year, popularity …); `more` changes the `Title`.
    """
    names = halves(name)
    shown = more.pop("shown", int(imdb[2:]) if imdb else None)
    title = Title(
        item, type, name, year, shown, subtype="multi" if parts > 1 else None if type == "concert" else "", **more
    )
    if known:
        entry: dict[str, Any] = {
            "title": names[-1],
            "year": year,
            "imdb": imdb,
            "tmdb": tmdb,
            "names": tuple(names),
        } | dict(trakt or {})
        title.trakt = library.catalogue.add_movie(**entry)
    return library.add(title, {0: range(1, parts + 1)}, minutes)


def series(
    library: Library,
    name: str,
    year: int,
    imdb: str | None,
    seasons: Mapping[int, int],
    *,
    item: int,
    tmdb: int | None = None,
    minutes: int = 45,
    type: str = "serial",
    known: bool = True,
    without: Iterable[tuple[int, int]] = (),
    only_trakt: Mapping[int, int] | None = None,
    trakt: Mapping[str, Any] | None = None,
    **more: Any,
) -> Title:
    """A series on Kinopub and, where it is `known`, on Trakt.

    `seasons` is how many episodes each season has on Kinopub; Trakt has the same, but for those in `without` ((season,
    number)) and with the seasons of `only_trakt` besides.
    """
    names = halves(name)
    shown = more.pop("shown", int(imdb[2:]) if imdb else None)
    title = Title(item, type, name, year, shown, **more)
    library.add(title, {season: range(1, count + 1) for season, count in seasons.items()}, minutes)
    absent = set(without)
    for unit in title.units:
        unit.lost = "episode_not_found" if (unit.season, unit.number) in absent else ""
    if known:
        numbers = {
            season: [number for number in range(1, count + 1) if (season, number) not in absent]
            for season, count in {**(only_trakt or {}), **seasons}.items()
        }
        kept = {season: found for season, found in sorted(numbers.items()) if found}
        entry: dict[str, Any] = {
            "title": names[-1],
            "year": year,
            "imdb": imdb,
            "tmdb": tmdb,
            "names": tuple(names),
        } | dict(trakt or {})
        title.trakt = library.catalogue.add_show(seasons=kept, **entry)
    return title


# ---------------------------------------------------------------- small and large


def tiny(users: Iterable[str] = (DEFAULT_USER,), now: float | None = None, seed: int = 1) -> Library:
    """One film and one episode, both finished; a second film and episode wait to be watched."""
    library = Library(now, seed)
    matrix = film(
        library, "Матрица / The Matrix", 1999, "tt0133093", item=113, tmdb=603, minutes=136, trakt={"trakt": 481}
    )
    film(library, "Начало / Inception", 2010, "tt1375666", item=740, tmdb=27205, minutes=148)
    silo = series(
        library, "Укрытие / Silo", 2023, "tt14688458", {1: 2}, item=91_002, tmdb=125988, trakt={"trakt": 180770}
    )
    for user in users:
        library.finish(user, matrix, matrix.units[0], library.now - 2 * 86_400 - 17)
        library.finish(user, silo, silo.units[0], library.now - 86_400 - 29)
    return library


def odd(users: Iterable[str] = (DEFAULT_USER,), now: float | None = None, seed: int = 1) -> Library:
    """`tiny` with names that hold slashes and tags, a show that is called by a number, and a film whose IMDb id Trakt
    does not know; all of it numbered alike."""
    library = tiny(users, now, seed)
    library.catalogue.share_numbers()
    titles = [
        film(library, "Без лица / Face/Off", 1997, "tt0119094", item=801, shown=None),
        film(library, "24/7", 2023, "tt0120001", item=802, shown=None),
        film(library, "<b>Жирный</b> / <b>Bold</b>", 2024, "tt0120002", item=803, shown=None),
        film(library, "Новинка / Brand New", 2026, "tt0120003", item=804, trakt={"imdb": None}, lost="not_found"),
        series(library, "24 часа / 24", 2001, "tt0285331", {1: 24}, item=805),
    ]
    for user in users:
        for place, title in enumerate(titles):
            library.finish(user, title, title.units[0], library.now - 40_000 - place * 7_000)
    return library


def large(n_views: int, users: Iterable[str] = (DEFAULT_USER,), now: float | None = None, seed: int = 1) -> Library:
    """As many views as asked for, a fifth of them films, the others episodes of shows with 40 each; all to be sent."""
    library = Library(now, seed)
    films = n_views // 5
    titles = [
        film(library, f"Фильм {n} / Film {n}", 1950 + n % 70, f"tt{3_000_000 + n:07d}", item=100_000 + n)
        for n in range(films)
    ]
    for n in range(0, n_views - films, 40):
        counts = min(40, n_views - films - n)
        seasons = {season: min(10, counts - (season - 1) * 10) for season in range(1, -(-counts // 10) + 1)}
        show = series(
            library, f"Сериал {n} / Series {n}", 1990 + n % 30, f"tt{5_000_000 + n:07d}", seasons, item=200_000 + n
        )
        titles.append(show)
    units = [(title, unit) for title in titles for unit in title.units]
    library.random.shuffle(units)
    step = 3 * 365 * 86_400 / max(n_views, 1)
    for user in users:
        for place, (title, unit) in enumerate(units):
            library.finish(user, title, unit, library.now - 3_600 - int(place * step))
    return library
