"""Views and events to store."""

from typing import Any

from watchferry.models import Event, View

AT = 3_999_000_000


def view(item: int = 113, media: int = 7, at: int = AT, **more: Any) -> View:
    """An episode that was watched."""
    given: dict[str, Any] = {
        "type": "episode",
        "title": "Серия 1 / Episode 1",
        "show": "Укрытие / Silo",
        "season": 1,
        "number": media,
        "year": 2023,
        "imdb": "tt14688458",
        "duration": 2_700,
    }
    return View(item=item, media=media, watched_at=at, **(given | more))


def event(number: int = 0, **more: Any) -> Event:
    return Event(view(media=number, at=AT + 60 * number), **({"outcome": "planned", "ids": {"trakt": number}} | more))
