"""What the properties of this folder are tried on: views and titles, and hypothesis set to find the same every time."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from watchferry.models import Title, View

steadily = settings(max_examples=100, derandomize=True, deadline=None, database=None)

NOON = 1_790_000_040
"""A whole minute."""

times = st.integers(NOON - 10 * 86_400, NOON)


def film(media: int = 1, at: int = NOON, **more: Any) -> View:
    told = {"item": media, "title": f"Film {media}", "duration": 7200, "imdb": f"tt{media:07d}", "year": 1999}
    return View(**{"type": "movie", "media": media, "watched_at": at, **told, **more})


def episode(media: int = 1, at: int = NOON, **more: Any) -> View:
    told = {"item": 90, "title": "", "show": "Silo", "season": 1, "number": media, "duration": 2700}
    return View(**{"type": "episode", "media": media, "watched_at": at, **told, **more})


def title(**more: Any) -> Title:
    told = {"type": "movie", "title": "Матрица / The Matrix", "year": 1999, "imdb": "tt0133093", "details_known": True}
    return Title(**{"item": 113, "rows": {1: NOON}, **told, **more})


def show(**more: Any) -> Title:
    told = {"item": 90, "type": "serial", "title": "Укрытие / Silo", "year": 2023, "imdb": "tt14688458"}
    return title(**{**told, **more})
