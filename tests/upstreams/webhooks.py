"""Discord, Slack and ntfy as receivers of webhooks, on one address: as strict as the real ones are about a body.

Discord: discord.com/developers/docs/resources/webhook, Execute Webhook. Slack: docs.slack.dev, Incoming webhooks.
ntfy: docs.ntfy.sh/publish, Message templating; its server's own templates and errors.
"""

import json
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.upstreams.web import Outcome, Request, Response, Sleep

TOKEN = "sEcReT-0123456789abcdef"
"""In every address: whoever knows it can post."""

DISCORD = f"/api/webhooks/1234567890/{TOKEN}"
SLACK = f"/services/T0000/B0000/{TOKEN}"
NTFY = f"/wf_{TOKEN}"

NTFY_MESSAGE = 4096
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a person sees."""

    at: str
    title: str
    text: str
    body: Any = field(repr=False)
    """What came, as JSON."""

    @property
    def pings(self) -> bool:
        """Whether it rings at everybody who reads the channel."""
        if self.at == "discord":
            quiet = self.body.get("allowed_mentions") == {"parse": []}
            return not quiet and re.search(r"@everyone|@here|<@", self.text) is not None
        return self.at == "slack" and re.search(r"<[!@#]", self.text) is not None


@dataclass(slots=True)
class Receivers:
    shown: list[Shown] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    next: list[Response] = field(default_factory=list)
    """Answers to the next requests, whatever they are."""
    deleted: set[str] = field(default_factory=set)
    """Paths of webhooks that are gone."""
    changed: threading.Condition = field(default_factory=threading.Condition)

    def handle(self, request: Request, sleep: Sleep = time.sleep) -> Outcome:
        with self.changed:
            self.requests.append(request)
            outcome = self.next.pop(0) if self.next else self._answer(request)
            self.changed.notify_all()
            return outcome

    def wait(self, number: int, seconds: float = 30) -> list[Shown]:
        """What is shown, once there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.shown) >= number, seconds), self.shown
            return list(self.shown)

    def heard(self, number: int, seconds: float = 30) -> list[Request]:
        """The requests, once there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= number, seconds), self.requests
            return list(self.requests)

    def _answer(self, request: Request) -> Response:
        if request.path.startswith("/api/webhooks/"):
            return self._discord(request)
        if request.path.startswith("/services/"):
            return self._slack(request)
        return self._ntfy(request)

    def _discord(self, request: Request) -> Response:
        if request.path in self.deleted or not request.path.endswith(TOKEN):
            return Response.json({"message": "Unknown Webhook", "code": 10015}, 404)
        if request.method != "POST":
            return Response.json({"message": "405: Method Not Allowed", "code": 0}, 405)
        if not request.headers.get("user-agent"):
            return Response.html("Forbidden", 403)
        if request.media_type() != "application/json":
            return Response.json({"message": "Cannot send an empty message", "code": 50006}, 400)
        try:
            body = request.json()
            content = body.get("content")
        except (ValueError, AttributeError):
            return Response.json({"message": "The request body contains invalid JSON.", "code": 50109}, 400)
        wrong = (content is not None and (not isinstance(content, str) or len(content) > 2000)) or (
            "allowed_mentions" in body and not isinstance(body["allowed_mentions"], dict)
        )
        if wrong or any(name in body for name in ("components", "poll", "thread_name", "flags", "embeds", "username")):
            return Response.json({"message": "Invalid Form Body", "code": 50035, "errors": {}}, 400)
        if not (content or "").strip():
            return Response.json({"message": "Cannot send an empty message", "code": 50006}, 400)
        title, _, text = content.partition("\n")
        self.shown.append(Shown("discord", title.strip("*"), text, body))
        return Response(204)

    def _slack(self, request: Request) -> Response:
        if request.path in self.deleted or not request.path.endswith(TOKEN):
            return Response.text("no_service", 404)
        try:
            body = request.json()
        except ValueError:
            return Response.text("invalid_payload", 400)
        if request.media_type() != "application/json" or not isinstance(body, dict):
            return Response.text("invalid_payload", 400)
        if not isinstance(body.get("text"), str) or not body["text"].strip():
            return Response.text("no_text", 400)
        if any(name in body for name in ("blocks", "attachments", "channel")):
            return Response.text("invalid_blocks", 400)
        title, _, text = body["text"].partition("\n")
        self.shown.append(Shown("slack", title.strip("*"), text, body))
        return Response.text("ok")

    def _ntfy(self, request: Request) -> Response:
        def refused(status: int, code: int, error: str) -> Response:
            return Response.json({"code": code, "http": status, "error": error}, status)

        if not re.fullmatch(r"/[-_A-Za-z0-9]{1,64}", request.path) or request.method not in ("POST", "PUT"):
            return refused(404, 40401, "page not found")
        try:
            text = request.body.decode()
        except UnicodeDecodeError:
            return refused(400, 40018, "invalid request: message is not UTF-8")
        title, body = "", None
        if request.headers.get("x-template", "").lower() in ("1", "yes", "true"):
            try:
                body = json.loads(text)
            except ValueError:
                return refused(400, 40042, "invalid request: message body must be JSON if templating is enabled")
            rendered = {}
            for name in ("x-title", "x-message"):
                template = request.headers.get(name, "")
                if not template.isascii():
                    return refused(400, 40043, "invalid request: could not parse template")
                rendered[name] = re.sub(r"\{\{\s*\.(\w+)\s*\}\}", lambda found: _as_go(body, found[1]), template)
            title, text = rendered["x-title"].strip(), rendered["x-message"].strip()
        if len(title.encode()) > NTFY_MESSAGE or len(text.encode()) > NTFY_MESSAGE:
            return refused(400, 40041, "invalid request: message or title is too large after replacing template")
        self.shown.append(Shown("ntfy", title, text or "triggered", body))
        return Response.json(
            {"id": "x", "event": "message", "topic": request.path[1:], "title": title, "message": text}
        )


def _as_go(body: Any, name: str) -> str:
    """What Go's text/template writes for a field of a map."""
    value = body.get(name) if isinstance(body, dict) else None
    return "<no value>" if value is None else str(value)
