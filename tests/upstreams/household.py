"""A library as many a newcomer has one: 60 films and 30 series of 30 episodes, all of them seen."""

from collections.abc import Iterable

from .library import DEFAULT_USER, film, series
from .views import Library

FILMS, SHOWS, EPISODES = 60, 30, 30


def household(users: Iterable[str] = (DEFAULT_USER,), now: float | None = None, seed: int = 1) -> Library:
    """960 views, all to be sent, in the last three years."""
    library = Library(now, seed)
    titles = [
        film(library, f"Фильм {n} / Film {n}", 1960 + n, f"tt{3_500_000 + n:07d}", item=300_000 + n)
        for n in range(FILMS)
    ]
    titles += [
        series(
            library,
            f"Сериал {n} / Series {n}",
            1990 + n,
            f"tt{5_500_000 + n:07d}",
            dict.fromkeys(range(1, 4), EPISODES // 3),
            item=400_000 + n,
        )
        for n in range(SHOWS)
    ]
    units = [(title, unit) for title in titles for unit in title.units]
    library.random.shuffle(units)
    step = 3 * 365 * 86_400 // len(units)
    for user in users:
        for place, (title, unit) in enumerate(units):
            library.finish(user, title, unit, library.now - 3_600 - place * step)
    return library
