"""What a body posted to /sync/history means: which films and episodes, and when each was watched."""

from collections.abc import Callable, Sequence
from typing import Any

from .catalogue import Catalogue, Episode, Movie, Season, Show
from .plays import milliseconds
from .web import Json

GROUPS = {"movies": "movie", "shows": "show", "seasons": "season", "episodes": "episode"}
TEXT_IDS, NUMBER_IDS = ("slug", "imdb"), ("trakt", "tmdb", "tvdb")

Unit = Movie | Episode
Found = tuple[Unit, int]  # what was watched, and when (milliseconds; 0 where times do not matter)
When = Callable[[Unit], int]


class Invalid(Exception):
    """422: the body is JSON but says something that Trakt does not take."""


def posted(
    catalogue: Catalogue, body: Json, now: int | None, told: Sequence[str] = ("ids", "title", "year")
) -> tuple[list[Found], dict[str, list[Json]]]:
    """What was found, and `not_found` by group with what is `told` of each item.

    `now` is None for a removal, where times mean nothing.
    """
    if not isinstance(body, dict):
        raise Invalid("the body must be an object")
    found: list[Found] = []
    missing: dict[str, list[Json]] = {group: [] for group in GROUPS}
    for group, kind in GROUPS.items():
        for item in _objects(body.get(group), group):
            when = _time_of(item, now)
            thing = _meant(catalogue, kind, item)
            named = {name: item[name] for name in told if name in item}
            if thing is None:
                missing[group].append(named)
            elif isinstance(thing, Show) and item.get("seasons"):
                chosen, absent = _chosen(thing, item["seasons"], when, now)
                found += chosen
                missing[group] += [named | {"seasons": absent}] if absent else []
            else:
                found += [(unit, when(unit)) for unit in _units(thing)]
    return found, missing


def posted_play_ids(body: Json) -> list[int]:
    """The history ids of a removal."""
    given = body.get("ids") or []
    if not isinstance(given, list) or not all(type(play_id) is int for play_id in given):
        raise Invalid("ids must be an array of integers")
    return list(given)


def refuse_other_ids(body: Json, taken: Sequence[str]) -> None:
    """Episodes are posted by these ids and nothing beside them and the time (reality: Trakt, Episodes)."""
    given = body.get("episodes") if isinstance(body, dict) else None
    for item in _objects(given, "episodes"):
        ids = item.get("ids")
        if set(item) - {"ids", "watched_at"} or not isinstance(ids, dict) or set(ids) - set(taken):
            raise Invalid(f"episodes must hold watched_at and ids of {', '.join(taken)}")


def _objects(given: Json, name: str) -> list[dict[str, Any]]:
    given = [] if given is None else given
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise Invalid(f"{name} must be an array of objects")
    return given


def _meant(catalogue: Catalogue, kind: str, item: dict[str, Any]) -> Movie | Show | Season | Episode | None:
    ids = item.get("ids")
    if ids is None and kind in ("movie", "show") and isinstance(item.get("title"), str):
        return catalogue.titled(kind, item["title"], item.get("year") or 0)
    if not isinstance(ids, dict) or not any(ids.get(name) for name in TEXT_IDS + NUMBER_IDS):
        raise Invalid("ids must hold at least one id")
    for names, kinds, word in ((TEXT_IDS, (str,), "a string"), (NUMBER_IDS, (int,), "an integer")):
        for name in names:
            if ids.get(name) is not None and type(ids[name]) not in kinds:
                raise Invalid(f"ids.{name} must be {word}")
    return catalogue.seasons.get(ids.get("trakt") or 0) if kind == "season" else catalogue.find(kind, ids)


def _time_of(item: dict[str, Any], now: int | None) -> When:
    """`watched_at`: a UTC time that ends in Z, `released`, `unknown`, or now where it is left out."""
    given = item.get("watched_at")
    if now is None or given is None:
        return lambda _: now or 0
    if given == "released":
        return lambda unit: milliseconds(unit.released)
    if given == "unknown":
        return lambda _: 0
    try:
        at = milliseconds(given) if isinstance(given, str) else None
    except ValueError:
        at = None
    if at is None:
        raise Invalid("watched_at must be a UTC datetime, released or unknown")
    return lambda _: at


def _units(thing: Movie | Show | Season | Episode) -> list[Unit]:
    if isinstance(thing, Show):
        return [episode for episode in thing.episodes() if episode.season]
    return list(thing.episodes.values()) if isinstance(thing, Season) else [thing]


def _chosen(show: Show, seasons: Json, when: When, now: int | None) -> tuple[list[Found], list[Json]]:
    """Seasons and episodes by number inside a show; the innermost `watched_at` counts. And what of it is not there."""
    found: list[Found] = []
    missing: list[Json] = []
    for wanted in _objects(seasons, "seasons"):
        season = show.seasons.get(wanted.get("number") or 0)
        inner = _time_of(wanted, now) if wanted.get("watched_at") else when
        if season is None:
            missing.append(wanted)
            continue
        numbered = _objects(wanted.get("episodes"), "episodes")
        if not numbered:
            found += [(unit, inner(unit)) for unit in _units(season)]
        absent = []
        for each in numbered:
            unit = season.episodes.get(each.get("number") or 0)
            if unit is None:
                absent.append({"number": each.get("number")})
            else:
                found.append((unit, (_time_of(each, now) if each.get("watched_at") else inner)(unit)))
        missing += [{"number": season.number, "episodes": absent}] if absent else []
    return found, missing
