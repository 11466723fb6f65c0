"""Trakt's history of one user: what is read, what is posted, what is removed."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from .catalogue import Episode, Movie
from .plays import Key, Play, milliseconds, utc
from .switching import take
from .trakt_base import TraktBase, account_limit
from .trakt_posted import GROUPS, Invalid, posted, posted_play_ids, refuse_other_ids
from .trakt_state import TraktUser, settings_of
from .web import Json, Request, Response, route


class SyncRoutes(TraktBase):
    # ---- reading

    @route("GET", "/users/settings")
    def settings(self, request: Request) -> Response:
        return Response.json(settings_of(self.user_of(request)))

    @route("GET", "/sync/last_activities")
    def last_activities(self, request: Request) -> Response:
        """Times of the last change, not of the newest play."""
        if self.options.activities_empty:
            return Response.json({})
        seen = self.clock() - self.options.activities_lag
        changed = {
            group: max((at for at in times if at <= seen), default=0.0)
            for group, times in self.user_of(request).changed.items()
        }
        never = utc(0)
        fields = {
            "movies": "watched collected rated watchlisted favorited commented paused hidden",
            "episodes": "watched collected rated watchlisted commented paused",
            "shows": "rated watchlisted favorited commented hidden dropped",
            "seasons": "rated watchlisted commented hidden",
            "comments": "liked reacted blocked",
            "lists": "liked reacted updated commented",
            "watchlist": "updated",
            "favorites": "updated",
            "collaborations": "updated",
            "account": "settings followed following pending requested",
            "saved_filters": "updated",
            "notes": "updated",
        }
        shown: dict[str, Any] = {"all": utc(round(max(changed.values()) * 1000))}
        for group, names in fields.items():
            shown[group] = {f"{name}_at": never for name in names.split()}
        for group, at in changed.items():
            shown[group]["watched_at"] = utc(round(at * 1000))
        return Response.json(shown)

    @route("GET", "/sync/history")
    @route("GET", "/sync/history/{kind}")
    @route("GET", "/sync/history/{kind}/{reference}")
    def history(self, request: Request, kind: str = "", reference: str = "") -> Response:
        """Newest first; `start_at` and `end_at` both count in. `id` is an int64."""
        key = self._history_key(kind, reference)
        if key is None:
            return Response(404)
        try:
            start, end = (
                milliseconds(text) if (text := request.arg(name)) else None for name in ("start_at", "end_at")
            )
        except ValueError as error:
            return Response.json({"error": "bad_request", "error_description": str(error)}, 400)
        page, limit = self.page_of(request)
        endless, shuffle = self.options.endless_history, self.random if self.options.shuffles_equal_times else None
        kept = self.user_of(request).plays
        plays, total = kept.page(key, start, end, 1 if endless else page, limit, shuffle=shuffle)
        hidden = set(self.options.hidden_titles)
        shown = [play.as_json() for play in plays if hidden.isdisjoint(play.titles())] if plays else []
        if plays and not reference and self._empties(page):
            shown = []
        return self.paged(shown, total, page, limit, pages=page + 1 if endless else None)

    def _empties(self, page: int) -> bool:
        """Whether a page of the whole history answers [] this time (reality: Trakt, Pages)."""
        empty, self.options.empty_pages = take(self.options.empty_pages, page)
        return empty

    def _history_key(self, kind: str, reference: str) -> Key | None:
        if kind and kind not in GROUPS:
            return None
        if not reference:
            return kind, None
        if kind == "shows":
            show = self.catalogue.show(reference)
            return (kind, show.trakt) if show else None
        return (kind, int(reference)) if reference.isdigit() else None

    @route("GET", "/sync/watched/movies")
    def watched_movies(self, request: Request) -> Response:
        return self._watched(request, "movies")

    @route("GET", "/sync/watched/shows")
    def watched_shows(self, request: Request) -> Response:
        return self._watched(request, "shows")

    def _watched(self, request: Request, group: str) -> Response:
        """Paginated since 2026; `seasons` only with `extended=progress` (reality: Trakt)."""
        progress = "progress" in request.arg("extended").split(",")
        grouped: dict[int, list[Play]] = {}
        for play in self.user_of(request).plays:
            thing = play.thing
            if (group == "movies") == isinstance(thing, Movie):
                grouped.setdefault((thing if isinstance(thing, Movie) else thing.show).trakt, []).append(play)
        page, limit = self.page_of(request)
        limit = min(limit, 100) if progress else limit
        chosen = list(grouped.values())[(page - 1) * limit : page * limit]
        return self.paged([_watched_entry(plays, progress) for plays in chosen], len(grouped), page, limit)

    # ---- writing

    @route("POST", "/sync/history")
    def add_history(self, request: Request) -> Response:
        """Never dedupes: what is posted is stored, as often as it is posted (reality: Trakt)."""
        user = self.user_of(request)
        try:
            body = request.json()
            if self.options.episodes_by:
                refuse_other_ids(body, self.options.episodes_by)
            told = ("watched_at",) if self.options.not_found_by_time else ("ids", "title", "year")
            found, missing = posted(self.catalogue, body, round(self.clock() * 1000), told)
        except Invalid as error:
            return Response.json({"errors": {"base": [str(error)]}}, 422)
        except ValueError:
            return Response.json({"error": "bad_request", "error_description": "the body is not JSON"}, 400)
        if user.account_limit is not None and len(user.plays) + len(found) > user.account_limit:
            return account_limit(user.account_limit, user.vip, self.options.account_limit_bare)
        for thing, at in found:
            self.store(user, thing, at)
        return Response.json(self._added([thing for thing, _ in found], missing), self.options.history_status)

    def _added(self, stored: list[Movie | Episode], missing: dict[str, list[Json]]) -> Json:
        """The answer to a POST, in the forms in which it was seen (reality: Trakt, Counts and lists)."""
        options, added = self.options, _counts(stored)
        if options.not_found_nested:
            missing["episodes"] = [_in_a_show(entry) for entry in missing["episodes"]]
        if options.not_found_wrapped:
            missing = {group: [entries] if entries else [] for group, entries in missing.items()}
        answer: dict[str, Any] = {"added": _counts([]) if options.added_zero else added, "not_found": missing}
        if options.history_updated or options.added_zero:
            answer["updated"] = added if options.added_zero else _counts([])
        return [answer] if options.wrapped_answer else answer

    @route("POST", "/sync/history/remove")
    def remove_history(self, request: Request) -> Response:
        """By history ids, or by items: then every play of each goes."""
        user = self.user_of(request)
        try:
            body = request.json()
            found, missing = posted(self.catalogue, body, now=None)
            ids = posted_play_ids(body)
        except Invalid as error:
            return Response.json({"errors": {"base": [str(error)]}}, 422)
        except ValueError:
            return Response.json({"error": "bad_request", "error_description": "the body is not JSON"}, 400)
        ids += [play.id for thing in {thing for thing, _ in found} for play in user.plays.of(thing)]
        gone = [(play_id, user.plays.remove(play_id)) for play_id in ids]
        removed = [play.thing for _, play in gone if play]
        self._touch(user, removed)
        missing["ids"] = [play_id for play_id, play in gone if play is None]
        return Response.json({"deleted": _counts(removed), "not_found": missing})

    def store(self, user: TraktUser, thing: Movie | Episode, at: int, action: str = "watch") -> Play:
        """One more play (`at` in milliseconds), with an id that none had before."""
        at -= at % 60_000 if self.options.minute_times else 0
        self.last_play_id += 7
        play = Play(self.last_play_id, at, thing, action)
        user.plays.add(play)
        self._touch(user, [thing])
        return play

    def _touch(self, user: TraktUser, things: Iterable[Movie | Episode]) -> None:
        for thing in things:
            times = user.changed["movies" if isinstance(thing, Movie) else "episodes"]
            if not times or times[-1] != self.clock():
                times.append(self.clock())


def _counts(things: Iterable[Movie | Episode]) -> dict[str, int]:
    kinds = Counter(thing.kind for thing in things)
    return {"movies": kinds["movie"], "episodes": kinds["episode"]}


def _in_a_show(entry: Json) -> Json:
    """The other shape of an episode in `not_found`: inside a show's season, neither of which Trakt can name."""
    return {"show": {"ids": {}}, "seasons": [{"number": None, "episodes": [{"number": None, **entry}]}]}


def _without_plex(brief: Json) -> Json:
    """As /sync/watched shows films and shows."""
    return brief | {"ids": {name: value for name, value in brief["ids"].items() if name != "plex"}}


def _watched_entry(plays: list[Play], progress: bool) -> dict[str, Any]:
    """One film or show with its plays, which are newest first."""
    thing = plays[0].thing
    entry: dict[str, Any] = {
        "plays": len(plays),
        "last_watched_at": plays[0].watched_at,
        "last_updated_at": plays[0].watched_at,
    }
    if isinstance(thing, Movie):
        return entry | {"movie": _without_plex(thing.brief())}
    entry |= {"reset_at": None, "show": _without_plex(thing.show.brief())}
    if progress:
        seasons: dict[int, dict[int, list[Play]]] = {}
        for play in plays:
            if isinstance(play.thing, Episode):
                seasons.setdefault(play.thing.season, {}).setdefault(play.thing.number, []).append(play)
        entry["seasons"] = [
            {
                "number": number,
                "episodes": [
                    {"number": each, "plays": len(of), "last_watched_at": of[0].watched_at}
                    for each, of in sorted(episodes.items())
                ],
            }
            for number, episodes in sorted(seasons.items())
        ]
    return entry
