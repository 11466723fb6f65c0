"""Titles for people with a small history: of everything one, so that a run takes seconds."""

from dataclasses import dataclass

from tests.upstreams import Library, film, series
from tests.upstreams.titles import Title

HOUR, DAY = 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Shelf:
    films: list[Title]
    """Six, on Trakt."""
    unknown: Title
    """A film that Trakt does not have."""
    show: Title
    """Six episodes; Trakt has all but the fifth."""

    @classmethod
    def fill(cls, library: Library, number: int) -> "Shelf":
        """The same titles with other ids and names for every number."""
        item, imdb = 1_000_000 + 100 * number, 8_000_000 + 100 * number
        return cls(
            films=[
                film(library, f"Фильм {number}.{n} / Film {number}.{n}", 2001, f"tt{imdb + n}", item=item + n)
                for n in range(6)
            ],
            unknown=film(
                library,
                f"Нет {number} / None {number}",
                2002,
                f"tt{imdb + 10}",
                item=item + 10,
                known=False,
                lost="not_found",
            ),
            show=series(
                library,
                f"Сериал {number} / Show {number}",
                2010,
                f"tt{imdb + 20}",
                {1: 6},
                item=item + 20,
                without=[(1, 5)],
            ),
        )
