"""One request as a handler sees it, and its answer."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self
from urllib.parse import parse_qsl

from watchferry.errors import Problem
from watchferry.http_api.cookies import SESSION_COOKIE, cookies_of
from watchferry.http_api.credentials import sent_token

if TYPE_CHECKING:
    from aws_lambda_powertools.shared.cookies import Cookie
    from pydantic import BaseModel

    from watchferry.settings import Settings
    from watchferry.storage.account import Account
    from watchferry.storage.accounts import Accounts
    from watchferry.storage.api_tokens import ApiToken, ApiTokens
    from watchferry.storage.sessions import Session, Sessions

LARGEST_BODY = 64 * 1024
"""Bytes. Nothing that we take is longer."""

THE_WAY_OUT = "/api/account"
"""Routes of export and deletion."""

ID = re.compile(r"[A-Za-z0-9_-]{1,1024}")
"""What ids, keys and cursors are made of (http-api.md, Fine print)."""


class Deployment(Protocol):
    """What requests need of wiring.py."""

    settings: "Settings"

    @property
    def site_url(self) -> str: ...

    @property
    def sessions(self) -> "Sessions": ...

    @property
    def api_tokens(self) -> "ApiTokens": ...

    @property
    def accounts(self) -> "Accounts": ...


@dataclass(frozen=True, slots=True)
class Answer[S: int = int, B = object]:
    """`body`: JSON for a mapping or a list; text and bytes need a `content_type` if they are no JSON; None for none.

    What a handler of ours says that it returns (`Ok[Run]`) is what openapi.py describes.
    """

    status: S = 200  # type: ignore[assignment]
    body: B = None  # type: ignore[assignment]
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence["Cookie"] = ()
    content_type: str = "application/json"


type Ok[B] = Answer[Literal[200], B]
type Created[B] = Answer[Literal[201], B]
type Accepted[B] = Answer[Literal[202], B]
type Done = Answer[Literal[204], None]


@dataclass
class Call:
    """A request. Header names are in lower case; `path` is decoded and begins with /api."""

    event: Mapping[str, Any] = field(repr=False)
    deployment: Deployment = field(repr=False)
    method: str
    path: str
    request_id: str
    headers: Mapping[str, str] = field(repr=False)
    route: str | None = None
    """The rule that matched, for the log."""
    code: str | None = None
    """The problem that became of it, for the log."""

    @classmethod
    def of(cls, event: Mapping[str, Any], deployment: Deployment) -> Self:
        """From API Gateway's payload 2.0; what is missing there is empty here."""
        context = event.get("requestContext") or {}
        return cls(
            event=event,
            deployment=deployment,
            method=str((context.get("http") or {}).get("method", "")).upper(),
            path=str(event.get("rawPath") or "/"),
            request_id=str(context.get("requestId") or "unknown"),
            headers={str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()},
        )

    # Who is calling

    @cached_property
    def token(self) -> "ApiToken | None":
        """The token that a program sent; None when none was. Raises Problem 401 for one that is unknown here."""
        sent = sent_token(self.headers)
        if sent is None:
            return None
        found = self.deployment.api_tokens.find(sent)
        if found is None:
            raise Problem(401, "unauthenticated", "this token is not known here, or was revoked")
        return found

    @cached_property
    def session(self) -> "Session | None":
        """The living session of the cookie; looked up when it is first asked for."""
        return self.deployment.sessions.find(self.session_id) if self.session_id else None

    @property
    def user_id(self) -> str:
        """A token wins over a cookie beside it. Raises Problem 401 `unauthenticated` when nobody is calling."""
        caller = self.token or self.session
        if caller is None:
            raise _unauthenticated()
        return caller.user_id

    @cached_property
    def account(self) -> "Account":
        """The caller's account. Raises Problem 401 when it is gone: sessions and tokens may outlive it by seconds.

        403 `not_allowed` for whom the deployment does not serve any more, but for taking what is theirs and leaving.
        """
        found = self.deployment.accounts.get(self.user_id)
        if found is None:
            raise _unauthenticated()
        may_leave = (self.route or "").startswith(THE_WAY_OUT)
        if not may_leave and not self.deployment.settings.serves(found.slug, found.user_id):
            raise Problem(403, "not_allowed", "this deployment does not serve this Trakt account any more")
        return found

    @cached_property
    def cookies(self) -> Mapping[str, str]:
        return cookies_of(self.event.get("cookies"), self.headers.get("cookie", ""))

    @property
    def session_id(self) -> str | None:
        """As the browser sent it, known to us or not."""
        return self.cookies.get(SESSION_COOKIE)

    # What is asked

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The first value of each name."""
        found: dict[str, str] = {}
        for name, value in parse_qsl(str(self.event.get("rawQueryString") or ""), keep_blank_values=True):
            found.setdefault(name, value)
        return found

    def cursor(self) -> str | None:
        """`?cursor=`. Raises Problem 400 when it cannot be one of ours."""
        cursor = self.query.get("cursor") or None
        if cursor is not None and not ID.fullmatch(cursor):
            raise Problem(400, "validation", "cursor: not one that was given out here")
        return cursor

    def accepts(self, media_type: str) -> bool:
        """Whether `Accept` names this very type."""
        named = self.headers.get("accept", "").lower().split(",")
        return any(part.split(";")[0].strip() == media_type for part in named)

    @property
    def takes_gzip(self) -> bool:
        return takes_gzip(self.headers.get("accept-encoding", ""))

    @cached_property
    def body(self) -> bytes:
        """As `content`, for what we take ourselves."""
        return self.content(LARGEST_BODY)

    def content(self, largest: int) -> bytes:
        """The body as it was sent.

        Raises Problem 413 above `largest` bytes, 400 for broken base64 (API Gateway sends none).
        """
        text = str(self.event.get("body") or "")
        too_long = len(text) > largest * 2
        try:
            encoded = bool(self.event.get("isBase64Encoded")) and not too_long
            content = base64.b64decode(text, validate=True) if encoded else text.encode()
        except binascii.Error as error:
            raise Problem(400, "validation", "the body cannot be decoded") from error
        if too_long or len(content) > largest:
            raise Problem(413, "too_large", f"a body may have {largest} bytes at most")
        return content

    def json[T: "BaseModel"](self, shape: type[T]) -> T:
        """The body as `shape` (a model made from bodies.Body); an absent body counts as `{}`.

        Raises Problem 400 `validation`, which names each field and what is wrong with it, but repeats no value.
        """
        from pydantic import ValidationError

        try:
            return shape.model_validate_json(self.body or b"{}")
        except ValidationError as error:
            wrong = [_told(found["loc"], found["type"], found["msg"]) for found in error.errors(include_input=False)]
            # `from None`: the cause shows what was sent, and a log may show the cause.
            raise Problem(400, "validation", "; ".join(wrong[:10])) from None


@lru_cache(64)
def takes_gzip(accept_encoding: str) -> bool:
    """RFC 9110, 12.5.3: a weight of 0 is a no; what is named counts for more than `*`."""
    said: dict[str, bool] = {}
    for part in accept_encoding.lower().replace(" ", "").split(","):
        name, _, weight = part.partition(";")
        said[name] = weight.rstrip("0").rstrip(".") not in {"q=", "q=0"}
    return said.get("gzip", said.get("*", False))


def _unauthenticated() -> Problem:
    return Problem(401, "unauthenticated", "sign in first, or send an API token")


def _told(where: Sequence[int | str], kind: str, message: str) -> str:
    field_name = ".".join(str(part)[:64] for part in where)
    if kind == "json_invalid":
        return "the body is not JSON"
    if kind == "extra_forbidden":
        return f"{field_name}: there is no such field"
    if kind == "missing":
        return f"{field_name}: is missing"
    return f"{field_name or 'the body'}: {message}"
