"""The forms in which Kinopub shows titles and units."""

from typing import Any

from .titles import MISSING, Title, Unit, Viewer


def numbers(title: Title, fields: dict[str, Any]) -> dict[str, Any]:
    """Numbers as strings, for titles that have them so (reality: Kinopub, Numbers as strings); ids stay numbers."""
    if not title.text_numbers:
        return fields
    return {key: str(value) if type(value) is int and key != "id" else value for key, value in fields.items()}


def brief(title: Title) -> dict[str, Any]:
    """A title as history rows, lists and /v1/items/{id} begin it."""
    shown = {
        "id": title.id,
        "type": title.type,
        "subtype": title.subtype,
        "title": title.name,
        "year": title.year,
        "duration": {"average": title.length / max(len(title.units), 1), "total": title.length},
        "imdb": title.imdb,
        "imdb_rating": 7.5 if title.imdb else None,
        "kinopoisk": title.id + 300_000 if title.id % 5 else None,
        "kinopoisk_rating": 7.1,
        "finished": True,
        "created_at": title.created_at,
        "updated_at": title.created_at + 86_400,
        "posters": posters(title),
    }
    if title.imdb is MISSING:
        del shown["imdb"]
    return shown


def posters(title: Title) -> dict[str, str]:
    base = "https://m.pushbr.com/poster/item"
    return {size: f"{base}/{size}/{title.id}.jpg" for size in ("small", "medium", "big")}


def listed(title: Title) -> dict[str, Any]:
    subtype = title.subtype or ""
    return {"id": title.id, "type": title.type, "subtype": subtype, "title": title.name, "posters": posters(title)}


def overall(viewer: Viewer, units: list[Unit]) -> int:
    """The status of a film or season: that of its units where they agree, else begun."""
    found = {viewer.state(unit).status for unit in units}
    return found.pop() if len(found) == 1 else 0


def watched(title: Title, viewer: Viewer, unit: Unit) -> dict[str, Any]:
    """A unit in /v1/watching."""
    state = viewer.state(unit)
    size = numbers(title, {"number": unit.number, "duration": unit.duration, "time": state.time})
    return {"id": unit.media, "title": unit.title, **size, "status": state.status, "updated": state.updated}


def media(viewer: Viewer, unit: Unit, links: bool) -> dict[str, Any]:
    """A unit in /v1/items/{id}."""
    state = viewer.state(unit)
    shown: dict[str, Any] = {
        "id": unit.media,
        "number": unit.number,
        "snumber": unit.season,
        "title": unit.title,
        "duration": unit.duration,
        "watched": int(state.status == 1),
        "watching": {"status": state.status, "time": state.time},
    }
    if links:
        url = f"https://cdn.example/hls/{unit.media}/master.m3u8"
        shown["files"] = [{"w": 1920, "h": 1080, "quality": "1080p", "url": {"http": url, "hls": url}}]
    return shown
