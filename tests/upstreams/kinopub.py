"""Kinopub's stand-in: history, watching and catalogue of the library, with the oddities of the real one."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

from .app import Clock
from .kinopub_oauth import KinopubOAuth, KinopubSwitches
from .kinopub_shapes import brief, listed, media, numbers, overall, watched
from .library import Library
from .switching import of, strikes, take
from .titles import MISSING, Row, State, Title, Unit, Viewer
from .web import Outcome, Request, Response, Sleep, collapse, route

PER_PAGE, MOST_PER_PAGE = 20, 50


@dataclass(slots=True)
class HistorySwitches(KinopubSwitches):
    """How the history and /v1/watching differ from what the viewer saw. A title's switch is True or the items' ids."""

    empty_history_pages: Mapping[int, int] = field(default_factory=dict)  # page → how often it answers []; -1: always
    history_count_off: int = 0  # `total_items` says so many more
    history_pages_off: int = 0  # `total` says so many pages more
    pagination_missing: bool = False
    endless_history: bool = False  # every page is the first one, and there is always another
    thin_rows: Mapping[int, str] = field(default_factory=dict)  # item → id, timeless or itemless: what its rows hold
    watching_gone: bool | Sequence[int] = False  # 404
    watching_empty: bool | Sequence[int] = False  # no seasons and no videos in the lists
    watching_bare: bool | Sequence[int] = False  # no such lists
    odd_updated: Mapping[int, int | str] = field(default_factory=dict)  # media → its `updated`; "ms": in milliseconds
    rate_limit: int | None = None  # more requests in a second than this are 429 without Retry-After …
    rate_penalty: float = 3.0  # … and so are all for so many seconds
    base_path: str = ""  # a mirror's: nothing is found outside it


@dataclass(slots=True)
class Shift:
    """Once page `after_page` was served to `user`, a row moves to the front or is deleted."""

    user: str
    after_page: int
    bump: int | None = None
    delete: int | None = None


class Kinopub(KinopubOAuth):
    options: HistorySwitches

    def __init__(self, library: Library | None = None, clock: Clock = time.time, lock: Any = None) -> None:
        super().__init__(library, clock, lock)
        self.options = HistorySwitches()
        self._recent: deque[float] = deque()
        self._penalty_ends = 0.0
        self.on_history_page: Callable[[str, int], None] | None = None  # called after a page was served
        self.shifts: list[Shift] = []
        self.state_changes: list[tuple[str, str, list[tuple[str, str]]]] = []  # calls that must never come
        self.notified: list[tuple[str, dict[str, str]]] = []

    def shift(self, user: str, after_page: int, bump: int | None = None, delete: int | None = None) -> None:
        """Scripts one shift of rows between two pages."""
        self.shifts.append(Shift(user, after_page, bump, delete))

    # ---- before the route

    def handle(self, request: Request, sleep: Sleep = time.sleep) -> Outcome:
        base = self.options.base_path
        if not base or request.path.startswith("/_control/"):
            return super().handle(request, sleep)
        if request.path.startswith(f"{base}/"):
            return super().handle(replace(request, path=request.path.removeprefix(base)), sleep)
        with self.lock:
            self._note(request, request.path).status = 404
        return Response.html("404 Not Found", 404)

    def refusal(self, request: Request, in_flight: int) -> Response | None:
        return self._too_often(request) or super().refusal(request, in_flight)

    def _too_often(self, request: Request) -> Response | None:
        """429 by rate: whoever asks too often waits, and what is asked meanwhile is refused too (reality: Kinopub)."""
        limit, now = self.options.rate_limit, self.clock()
        if limit is None or not collapse(request.path).startswith("/v1/"):
            return None
        if now >= self._penalty_ends:
            while self._recent and self._recent[0] <= now - 1:
                self._recent.popleft()
            self._recent.append(now)
            if len(self._recent) <= limit:
                return None
            self._recent.clear()
            self._penalty_ends = now + self.options.rate_penalty
        return Response.json({"status": 429, "error": "Too Many Requests"}, 429)

    def _viewer(self, request: Request) -> Viewer:
        return self.library.viewers[self.caller(request) or ""]

    # ---- history

    @route("GET", "/v1/history")
    def history(self, request: Request) -> Response:
        """Newest first; `perpage` is cut to 50 without a word; `pagination.total` counts pages, not rows."""
        viewer = self._viewer(request)
        page, size = request.number("page", 1), min(request.number("perpage", PER_PAGE), MOST_PER_PAGE)
        rows = [self._row(viewer, row) for row in viewer.page(1 if self.options.endless_history else page, size)]
        if rows:
            empty, self.options.empty_history_pages = take(self.options.empty_history_pages, page)
            rows = [] if empty else rows
        shown = {"status": 200, "history": rows, "pagination": self._pagination(len(viewer.rows), page, size)}
        if self.options.pagination_missing:
            del shown["pagination"]
        answer = Response.json(shown)
        self._shift(viewer.name, page)
        return answer

    def _pagination(self, rows: int, page: int, size: int) -> dict[str, Any]:
        pages = max(ceil(rows / size) + self.options.history_pages_off, 0)
        pages = page + 1 if self.options.endless_history else pages
        rows = max(rows + self.options.history_count_off, 0)
        shown: dict[str, Any] = {"total": pages, "current": page, "perpage": size, "total_items": rows}
        if self.options.numbers_as_strings and page % 3 == 1:
            shown |= {"total": str(pages), "perpage": str(size)}
        return shown

    def _shift(self, user: str, page: int) -> None:
        due = [each for each in self.shifts if (each.user, each.after_page) == (user, page)]
        self.shifts = [each for each in self.shifts if each not in due]
        for each in due:
            if each.bump is not None:
                self.library.bump(user, each.bump, self.clock())
            if each.delete is not None:
                self.library.delete_row(user, each.delete)
        if self.on_history_page:
            self.on_history_page(user, page)

    def _row(self, viewer: Viewer, row: Row) -> dict[str, Any]:
        title, unit = self.library.by_media[row.media]
        item = brief(title) | {"subscribed": title.id in viewer.subscribed, "in_watchlist": False}
        if title.row_imdb is MISSING:
            del item["imdb"]
        elif title.row_imdb is not None:
            item["imdb"] = title.row_imdb
        whole = {
            "counter": row.counter,
            "first_seen": row.first_seen,
            "last_seen": row.last_seen,
            "time": row.time,
            "deleted": False,
            "item": item,
            "media": numbers(
                title,
                {
                    "id": unit.media,
                    "number": unit.number,
                    "snumber": unit.season,
                    "title": unit.title,
                    "thumbnail": f"https://m.pushbr.com/thumbs/{unit.media}.jpg",
                    "duration": unit.duration,
                },
            ),
        }
        return self._thinned(title.id, whole)

    def _thinned(self, item: int, row: dict[str, Any]) -> dict[str, Any]:
        """A row may be as thin as its item's id (reality: Kinopub, A history row)."""
        match of(self.options.thin_rows, item):
            case "id":
                return {"item": {"id": item}}
            case "timeless":
                return {"item": row["item"], "media": row["media"]}
            case "itemless":
                return {"item": None, "last_seen": row["last_seen"]}
        return row

    # ---- watching

    @route("GET", "/v1/watching")
    def watching(self, request: Request) -> Response:
        """Titles that are gone from the catalogue answer here too."""
        title = self.library.titles.get(request.number("id", 0))
        if title is None or strikes(self.options.watching_gone, title.id):
            return Response.json({"status": 404, "error": "Item not found"}, 404)
        viewer = self._viewer(request)
        item: dict[str, Any] = {"id": title.id, "title": title.name, "type": title.type}
        if not title.season_based:
            only = request.number("video", 0)
            units = [unit for unit in title.units if only in (0, unit.number)]
            item |= {"status": overall(viewer, title.units), "videos": self._watched(title, viewer, units)}
            return self._watching(item)
        asked = request.arg("season")
        seasons = title.seasons()
        item["seasons"] = [
            {
                "id": title.id * 100 + number,
                "number": number,
                "watched": sum(viewer.state(unit).status == 1 for unit in units),
                "status": overall(viewer, units),
                "episodes": self._watched(title, viewer, units),
            }
            for number, units in seasons.items()
            if asked in ("", str(number))
        ]
        item["watched"] = sum(overall(viewer, units) == 1 for units in seasons.values())
        return self._watching(item)

    def _watched(self, title: Title, viewer: Viewer, units: list[Unit]) -> list[dict[str, Any]]:
        """Each unit; some with a time that is none (reality: Kinopub, `updated` may be 0, -1 or milliseconds)."""
        shown = [watched(title, viewer, unit) for unit in units]
        for unit in shown:
            if (odd := of(self.options.odd_updated, unit["id"])) is not None:
                unit["updated"] = (unit["updated"] or 0) * 1000 if odd == "ms" else odd
        return shown

    def _watching(self, item: dict[str, Any]) -> Response:
        """Some titles without what is in them."""
        for name in ("seasons", "videos"):
            if name in item and strikes(self.options.watching_empty, item["id"]):
                item[name] = []
            if strikes(self.options.watching_bare, item["id"]):
                item.pop(name, None)
        return Response.json({"status": 200, "item": item})

    @route("GET", "/v1/watching/movies")
    def watching_movies(self, request: Request) -> Response:
        """Films that were begun and not finished."""
        viewer = self._viewer(request)
        begun = [t for t in self._listed() if not t.season_based and overall(viewer, t.units) == 0]
        return Response.json({"status": 200, "items": [listed(title) for title in begun]})

    @route("GET", "/v1/watching/serials")
    def watching_serials(self, request: Request) -> Response:
        """Series of which something was seen and something is left."""
        viewer = self._viewer(request)
        items = []
        for title in self._listed():
            seen = sum(viewer.state(unit).status == 1 for unit in title.units)
            if not title.season_based or not 0 < seen < len(title.units):
                continue
            if request.arg("subscribed") == "1" and title.id not in viewer.subscribed:
                continue
            items.append(listed(title) | {"total": len(title.units), "watched": seen, "new": len(title.units) - seen})
        return Response.json({"status": 200, "items": items})

    @route("GET", "/v1/watching/toggle")
    @route("GET", "/v1/watching/marktime")
    def change(self, request: Request) -> Response:
        """GET requests that change state (reality: Kinopub). Watchferry must never send one; it is noted here."""
        viewer = self._viewer(request)
        self.state_changes.append((viewer.name, request.path, request.query))
        title = self.library.titles.get(request.number("id", 0))
        place = (request.number("season", 0), request.number("video", 1))
        unit = next((unit for unit in title.units if (unit.season, unit.number) == place), None) if title else None
        if unit is None:
            return Response.json({"status": 404, "error": "Item not found"}, 404)
        state = viewer.states.setdefault(unit.media, State())
        state.updated = int(self.clock())
        if request.path.endswith("marktime"):
            state.status, state.time = 0, request.number("time", 0)
        else:
            state.status = -1 if state.status == 1 else 1
        return Response.json({"status": 200, "watched": int(state.status == 1)})

    @route("GET", "/v1/watching/togglewatchlist")
    @route("GET", "/v1/items/vote")
    @route("GET", "/v1/history/clear-for-media")
    @route("GET", "/v1/history/clear-for-season")
    @route("GET", "/v1/history/clear-for-item")
    def change_more(self, request: Request) -> Response:
        """More GET requests that change state (reality: Kinopub); noted, like those above."""
        viewer, asked = self._viewer(request), request.number("id", 0)
        self.state_changes.append((viewer.name, request.path, request.query))
        if request.path.endswith("/togglewatchlist"):
            viewer.subscribed ^= {asked}
        for row in [*viewer.rows.values()] if "/clear-for-" in request.path else []:
            if asked in (row.media, self.library.by_media[row.media][0].id):
                viewer.delete(row.media)
        return Response.json({"status": 200})

    # ---- catalogue

    def _listed(self) -> list[Title]:
        return [title for title in self.library.titles.values() if not title.removed]

    @route("GET", "/v1/items/{item}")
    def item(self, request: Request, item: str) -> Response:
        title = self.library.titles.get(int(item)) if item.isdigit() else None
        if title is None or title.removed:
            return Response.json({"status": 404, "error": "Item not found"}, 404)
        viewer = self._viewer(request)
        links = request.arg("nolinks") != "1"
        shown = brief(title)
        if not title.season_based:
            return Response.json(
                {"status": 200, "item": shown | {"videos": [media(viewer, unit, links) for unit in title.units]}}
            )
        shown |= {"subscribed": title.id in viewer.subscribed, "in_watchlist": title.id in viewer.subscribed}
        shown["seasons"] = [
            {
                "id": title.id * 100 + number,
                "title": "",
                "number": number,
                "watching": {"status": overall(viewer, units)},
                "episodes": [media(viewer, unit, links) for unit in units],
            }
            for number, units in title.seasons().items()
        ]
        return Response.json({"status": 200, "item": shown})

    @route("GET", "/v1/items")
    def items(self, request: Request) -> Response:
        wanted, part = request.arg("type").lower(), request.arg("title").casefold()
        found = [
            title
            for title in self._listed()
            if wanted in ("", title.type.lower()) and (len(part) < 3 or part in title.name.casefold())
        ]
        return self._catalogue_page(request, found, PER_PAGE)

    @route("GET", "/v1/items/search")
    def items_search(self, request: Request) -> Response:
        asked, wanted = request.arg("q").casefold(), request.arg("type").lower()
        found = [t for t in self._listed() if asked in t.name.casefold() and wanted in ("", t.type.lower())]
        if request.arg("sectioned") != "1":
            return self._catalogue_page(request, found, 40)
        sections: dict[str, list[dict[str, Any]]] = {}
        for title in found:
            sections.setdefault(title.type, []).append(brief(title))
        return Response.json({"status": 200, "items": sections})

    def _catalogue_page(self, request: Request, found: list[Title], default: int) -> Response:
        page, size = request.number("page", 1), min(request.number("perpage", default), MOST_PER_PAGE)
        chosen = found[(page - 1) * size : page * size]
        pagination = {"total": ceil(len(found) / size), "current": page, "perpage": size, "total_items": len(found)}
        return Response.json({"status": 200, "items": [brief(title) for title in chosen], "pagination": pagination})

    # ---- devices

    @route("POST", "/v1/device/notify")
    def notify(self, request: Request) -> Response:
        """Takes JSON or a form; some servers want the form. It sets a session cookie."""
        if self.options.notify_fails:
            return Response.json({"status": 500, "error": "Internal Server Error"}, 500)
        fields = request.form()
        if request.media_type() == "application/json" and not self.options.notify_refuses_json:
            try:
                parsed = request.json()
            except ValueError:
                parsed = None
            fields = {key: str(value) for key, value in parsed.items()} if isinstance(parsed, dict) else {}
        if not fields.get("title"):
            return Response.json({"status": 400, "error": "Missing required parameters: title"}, 400)
        self.notified.append((self.caller(request) or "", fields))
        cookie = "PHPSESSID=standin; path=/; HttpOnly"
        return Response.json({"status": 200}, headers={"Set-Cookie": cookie})
