"""The control API: how a test or a demo, from another process, scripts the stand-ins and reads what they saw.

JSON in and out, under `/_control/` of every address. `{side}` is `trakt` or `kinopub`;
faults, switches and logs are there for `tmdb` and `images`, too. An unknown name is 404, a wrong
argument 400, each with `{"error": …}`.
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from html import escape
from typing import TYPE_CHECKING, Any

from .app import Upstream
from .faults import Fault
from .kinopub import Kinopub
from .trakt import Trakt
from .web import Json, Request, Response, route, routes_of

if TYPE_CHECKING:
    from .stand_ins import Upstreams

MUTATIONS = ("watch", "rewatch", "start", "drift", "mark_season", "bump", "delete_row", "take_back")


class Control:
    def __init__(self, upstreams: "Upstreams") -> None:
        self.upstreams = upstreams
        self._routes = [(made, getattr(self, made.name)) for made in routes_of(type(self))]

    def answer(self, request: Request) -> Response:
        for made, handler in self._routes:
            match = made.pattern.fullmatch(request.path)
            if match and made.method == request.method:
                return self._call(handler, request, match.groupdict())
        return Response.json({"error": f"no such control: {request.method} {request.path}"}, 404)

    def _call(self, handler: Callable[..., Json], request: Request, places: dict[str, str]) -> Response:
        try:
            answer = handler(request, **places)
            return answer if isinstance(answer, Response) else Response.json(answer)
        except (LookupError, StopIteration) as error:
            return Response.json({"error": f"not found: {error}"}, 404)
        except (TypeError, ValueError, AttributeError) as error:
            return Response.json({"error": str(error)}, 400)

    def _side(self, side: str) -> Trakt | Kinopub:
        if side not in ("trakt", "kinopub"):
            raise LookupError(side)
        return self.upstreams.trakt if side == "trakt" else self.upstreams.kinopub

    def _app(self, side: str) -> Upstream:
        return {app.name: app for app in self.upstreams.apps}[side]

    # ---- faults and switches

    @route("POST", "/_control/{side}/faults")
    def add_faults(self, request: Request, side: str) -> Json:
        """One fault or a list of them, as in `faults.Fault`. The answer has the whole script."""
        given = request.json()
        for fault in given if isinstance(given, list) else [given]:
            self._app(side).faults.add(Fault(**fault))
        return self.show_faults(request, side)

    @route("GET", "/_control/{side}/faults")
    def show_faults(self, request: Request, side: str) -> Json:
        return {
            "faults": [asdict(replace(fault, headers=dict(fault.headers))) for fault in self._app(side).faults.script]
        }

    @route("DELETE", "/_control/{side}/faults")
    def clear_faults(self, request: Request, side: str) -> Json:
        self._app(side).faults.clear()
        return {"faults": []}

    @route("GET", "/_control/{side}/switches")
    def show_switches(self, request: Request, side: str) -> Json:
        return asdict(self._app(side).switches)

    @route("PUT", "/_control/{side}/switches")
    def set_switches(self, request: Request, side: str) -> Json:
        """`{name: value}`, names as in `TraktSwitches` and `KinopubSwitches`."""
        self._app(side).switches.set(**request.json())
        return self.show_switches(request, side)

    # ---- what was asked

    @route("GET", "/_control/{side}/log")
    def log(self, request: Request, side: str) -> Json:
        """`{entries, next}`; `?since=`, `path=` and `method=` (regular expressions), `user=`, `full=1` for bodies."""
        since, full = request.number("since", 0), request.arg("full") == "1"
        app = self._app(side)
        wanted = app.requests(request.arg("path"), request.arg("method"), request.arg("user") or None)
        recent = set(map(id, app.log[since:])) if since else None
        entries = [entry.as_json(full) for entry in wanted if recent is None or id(entry) in recent]
        return {"entries": entries, "next": len(app.log)}

    @route("DELETE", "/_control/{side}/log")
    def clear_log(self, request: Request, side: str) -> Json:
        self._app(side).forget()
        return {}

    @route("GET", "/_control/{side}/summary")
    def summary(self, request: Request, side: str) -> Json:
        return self._app(side).summary()

    @route("GET", "/_control/kinopub/state-changes")
    def state_changes(self, request: Request) -> Json:
        """Calls of toggle and marktime: must stay empty."""
        return {
            "calls": [
                {"user": user, "path": path, "query": query}
                for user, path, query in self.upstreams.kinopub.state_changes
            ]
        }

    # ---- people and tokens

    @route("POST", "/_control/{side}/approve")
    def approve(self, request: Request, side: str) -> Json:
        """`{user_code, user}`"""
        body = request.json()
        self._side(side).approve(body["user_code"], body["user"])
        return {}

    @route("POST", "/_control/{side}/deny")
    def deny(self, request: Request, side: str) -> Json:
        """`{user_code}`"""
        self._side(side).deny(request.json()["user_code"])
        return {}

    @route("GET", "/_control/{side}/activate")
    @route("GET", "/_control/{side}/activate/{code}")
    def activate(self, request: Request, side: str, code: str = "") -> Response:
        """The page behind a verification address, for a person at a demo: `?code=&user=` approves."""
        code, user = code or request.arg("code"), request.arg("user")
        if code and user:
            self._side(side).approve(code, user)
            return Response.html(f"Connected as {escape(user)}. You may close this page.")
        people = "".join(f"<option>{escape(name)}</option>" for name in self.upstreams.library.viewers)
        return Response.text(
            f"<!DOCTYPE html><title>Stand-in for {side}</title><h1>Connect a device to the stand-in for {side}</h1>"
            f'<form action="/_control/{side}/activate">Code <input name="code" value="{escape(code)}"> '
            f'as <select name="user">{people}</select> <button>Connect</button></form>',
            media="text/html",
        )

    @route("POST", "/_control/trakt/sign-in")
    def sign_in(self, request: Request) -> Json:
        """`{user}`: who is signed in at /oauth/authorize; null for nobody."""
        self.upstreams.trakt.sign_in(request.json()["user"])
        return {}

    @route("PUT", "/_control/trakt/redirect-uris")
    def redirect_uris(self, request: Request) -> Json:
        """`{redirect_uris: [pattern]}` of the application."""
        self.upstreams.trakt.redirect_uris = [str(uri) for uri in request.json()["redirect_uris"]]
        return {}

    @route("GET", "/_control/{side}/tokens")
    def tokens(self, request: Request, side: str) -> Json:
        return self._side(side).token_counts()

    @route("POST", "/_control/{side}/tokens/{change}")
    def change_tokens(self, request: Request, side: str, change: str) -> Json:
        """`{user}`: `expire` ends the access tokens, `revoke` both; `grant` makes a pair and answers it."""
        user, app = request.json()["user"], self._side(side)
        if change == "grant":
            made = app.grant(user)
            return {"access_token": made.access, "refresh_token": made.refresh}
        {"expire": app.expire_tokens, "revoke": app.revoke_tokens}[change](user)
        return app.token_counts()

    @route("GET", "/_control/users")
    def users(self, request: Request) -> Json:
        shown = ("slug", "name", "uuid", "vip", "locked", "deactivated", "account_limit")
        trakt = [{name: getattr(user, name) for name in shown} for user in self.upstreams.trakt.users.values()]
        return {"trakt": trakt, "kinopub": list(self.upstreams.library.viewers)}

    @route("POST", "/_control/users")
    def add_user(self, request: Request) -> Json:
        """`{user, vip?, locked?, name?, …}`: at both upstreams."""
        body = dict(request.json())
        self.upstreams.add_user(body.pop("user"), **body)
        return self.users(request)

    @route("PUT", "/_control/trakt/users/{user}")
    def change_user(self, request: Request, user: str) -> Json:
        """Any of `slug` (renames), `name`, `vip`, `locked`, `deactivated`, `account_limit`."""
        trakt, body = self.upstreams.trakt, dict(request.json())
        found = trakt.users[user]
        if "slug" in body:
            trakt.rename_user(user, body.pop("slug"))
        for name, value in body.items():
            if name not in ("name", "vip", "locked", "deactivated", "account_limit"):
                raise ValueError(f"cannot change {name!r}")
            setattr(found, name, value)
        return self.users(request)

    # ---- plays and the library

    @route("GET", "/_control/trakt/plays/{user}")
    def plays(self, request: Request, user: str) -> Json:
        """`{plays}`, newest first, as /sync/history shows them."""
        return {"plays": self.upstreams.trakt.plays(user)}

    @route("POST", "/_control/trakt/plays/{user}")
    def add_play(self, request: Request, user: str) -> Json:
        """`{kind: movie|episode, trakt_id, at}`: a play from elsewhere."""
        body = request.json()
        [thing] = self.upstreams.trakt.catalogue.by_id(body["kind"], "trakt", str(body["trakt_id"]))
        return self.upstreams.trakt.add_play(user, thing, body["at"]).as_json()  # type: ignore[arg-type]

    @route("DELETE", "/_control/trakt/plays/{user}")
    def remove_play(self, request: Request, user: str) -> Json:
        """`{id}`: the user deletes a play by hand."""
        self.upstreams.trakt.remove_play(user, request.json()["id"])
        return self.plays(request, user)

    @route("POST", "/_control/trakt/bulk-plays/{user}")
    def add_bulk(self, request: Request, user: str) -> Json:
        """`{at, show?: item, plays?: n}`: many plays with one time, as another program's bulk marking leaves them."""
        return {"ids": [play.id for play in self.upstreams.add_bulk(user, **request.json())]}

    @route("GET", "/_control/library/expected/{user}")
    def expected(self, request: Request, user: str) -> Json:
        """`{expected}` as in `library.Expected`; `?every=1` with the views that later ones replaced."""
        found = self.upstreams.expected(user, every=request.arg("every") == "1")
        return {"expected": [each.as_json() for each in found]}

    @route("GET", "/_control/library/unwatched/{user}")
    def unwatched(self, request: Request, user: str) -> Json:
        return {"unwatched": self.upstreams.library.unwatched(user)}

    @route("POST", "/_control/library/{change}")
    def mutate(self, request: Request, change: str) -> Json:
        """Any of `MUTATIONS` with its arguments by name."""
        if change not in MUTATIONS:
            raise LookupError(change)
        return {"result": getattr(self.upstreams.library, change)(**request.json())}

    @route("POST", "/_control/kinopub/shift")
    def shift(self, request: Request) -> Json:
        """`{user, after_page, bump?: media, delete?: media}`"""
        self.upstreams.kinopub.shift(**request.json())
        return {}

    # ---- everything

    @route("GET", "/_control/state")
    def state(self, request: Request) -> Json:
        made = self.upstreams
        return {
            "now": made.clock(),
            "clock_offset": made.clock.offset,
            "library": made.library_name,
            "users": self.users(request),
            "plays": {slug: len(user.plays) for slug, user in made.trakt.users.items()},
            "trakt": made.trakt.summary(),
            "kinopub": made.kinopub.summary(),
            "tmdb": made.tmdb.summary(),
            "images": made.images.summary(),
        }

    @route("POST", "/_control/clock")
    def move_clock(self, request: Request) -> Json:
        """`{advance: seconds}`: tokens and codes grow old at once."""
        self.upstreams.clock.advance(request.json()["advance"])
        return {"now": self.upstreams.clock()}

    @route("POST", "/_control/reset")
    def reset(self, request: Request) -> Json:
        """`{library?: name, tokens?: bool}`"""
        body: dict[str, Any] = request.json() if request.body else {}
        self.upstreams.reset(body.get("library"), bool(body.get("tokens")))
        return self.state(request)
