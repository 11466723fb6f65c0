"""What upstreams can do to a run, a row each. The sync document §5 and reality.md say what each fault means."""

from collections.abc import Mapping
from typing import Any

from tests.stack.person import Person
from tests.stack.trouble import Row

POST = {"method": "POST", "path": "^/sync/history$"}
HISTORY = {"method": "GET", "path": "^/sync/history"}
MAPPING = {"method": "GET", "path": "^/(search|shows)/"}
KINOPUB_HISTORY = {"path": "^/v1/history"}
WATCHING = {"path": "^/v1/watching"}
FOR_EVER: dict[str, Any] = {"times": None}
AFTER = {"when": "after"}

CLIENTS_PATIENCE = 20.0
"""Seconds after which our HTTP client gives up on an answer."""


def each(name: str, faults: Mapping[str, Mapping[str, Any]], on: Mapping[str, Any], **more: Any) -> list[Row]:
    return [Row(f"{name}: {kind}", trakt=[{**on, **fault}], **more) for kind, fault in faults.items()]


def user(person: Person) -> Any:
    return person.at.upstreams.trakt.users[person.slug]


def go_on(person: Person) -> None:
    """What the message says: when the account is free again, switch the sync on."""
    for name, value in (("locked", False), ("deactivated", False), ("account_limit", None)):
        setattr(user(person), name, value)
    person.settings(enabled=True)


def leave_trakt(person: Person) -> None:
    assert person.web.delete("auth/trakt").status_code == 204


def leave_kinopub(person: Person) -> None:
    assert person.web.delete("auth/kinopub").status_code == 204


SERVER_ERRORS = {str(status): {"status": status} for status in (500, 502, 503, 504, 520, 521, 522)}
REFUSALS = {"JSON": {"preset": "app_refused"}, "text": {"preset": "app_dead"}, "HTML": {"preset": "firewall"}}
REFUSAL_CODES = {"JSON": "app_refused", "text": "app_refused", "HTML": "upstream_firewall"}
LIMITS = {
    "seconds": ({"preset": "rate_limited"}, 2.0),
    "date": ({"preset": "rate_limited_date"}, 1.0),
    "nothing": ({"preset": "rate_limited_bare"}, 1.0),
    "HTML": ({"preset": "edge_429"}, 1.0),
}
TRANSIENT = {
    "500": {"status": 500},
    "503": {"preset": "unavailable"},
    "522": {"preset": "edge_522"},
    "reset": {"reset": True},
    "garbage": {"preset": "garbage"},
    "HTML": {"preset": "html_ok"},
}

UPSTREAMS = [
    Row("nothing at all"),
    # Tokens (§5.1): one refresh, then a new sign-in.
    Row(
        "Trakt's token has expired",
        before=lambda person: person.at.upstreams.trakt.expire_tokens(person.slug),
        refreshes=(1, 0),
    ),
    Row("401 on a POST", trakt=[{**POST, "preset": "unauthorized"}], refreshes=(1, 0)),
    Row("401 on a read", trakt=[{**HISTORY, "preset": "unauthorized"}], refreshes=(1, 0)),
    Row(
        "Trakt refuses the refresh",
        before=lambda person: person.at.upstreams.trakt.revoke_tokens(person.slug),
        heal=lambda person: person.sign_in(),
        status="failed",
        code="reauth_required",
        paused="reauth_required",
        trakt_status="reauth_required",
    ),
    Row(
        "Kinopub's token has expired",
        before=lambda person: person.at.upstreams.kinopub.expire_tokens(person.slug),
        refreshes=(0, 1),
    ),
    Row("Kinopub: 401", kinopub=[{**WATCHING, "preset": "kinopub_unauthorized"}], refreshes=(0, 1)),
    Row(
        "Kinopub refuses the refresh",
        before=lambda person: person.at.upstreams.kinopub.revoke_tokens(person.slug),
        heal=lambda person: person.connect_kinopub(),
        status="failed",
        code="reauth_required",
        paused="reauth_required",
        kinopub_status="reauth_required",
    ),
    # The account: stop, and say why (§5.1; reality.md, Statuses with meaning).
    Row(
        "420: the account is full",
        before=lambda person: setattr(user(person), "account_limit", person.had.total() + 3),
        heal=go_on,
        status="partial",
        code="account_limit",
        paused="account_limit",
        batch_size=3,
    ),
    Row(
        "423: locked",
        before=lambda person: setattr(user(person), "locked", True),
        heal=go_on,
        status="failed",
        code="account_locked",
        paused="account_locked",
        trakt_status="account_locked",
    ),
    Row(
        "423: deactivated",
        before=lambda person: setattr(user(person), "deactivated", True),
        heal=go_on,
        status="failed",
        code="account_locked",
        paused="account_locked",
        trakt_status="account_locked",
    ),
    Row(
        "423 after the first batch",
        trakt=[{**POST, **FOR_EVER, "preset": "locked", "skip": 1}],
        batch_size=3,
        heal=go_on,
        status="partial",
        code="account_locked",
        paused="account_locked",
        trakt_status="account_locked",
    ),
    Row("426: VIP only", trakt=[{**POST, **FOR_EVER, "preset": "vip_only"}], status="failed", code="vip_required"),
    *(
        Row(f"403 on a {verb}: {kind}", trakt=[{**on, **FOR_EVER, **fault}], status="failed", code=REFUSAL_CODES[kind])
        for verb, on in (("read", HISTORY), ("POST", POST))
        for kind, fault in REFUSALS.items()
    ),
    # Limits (§5.2): wait as long as they say.
    *(
        Row(f"429 on a {verb}: {kind}", trakt=[{**on, **fault}], wait=wait)
        for verb, on in (("read", HISTORY), ("POST", POST))
        for kind, (fault, wait) in LIMITS.items()
    ),
    # A POST whose outcome is not known: read back before it is sent again (reality.md).
    *each("POST before its effect", SERVER_ERRORS | {"reset": {"reset": True}}, POST),
    *each("POST after its effect", SERVER_ERRORS | {"reset": {"reset": True}}, {**POST, **AFTER}),
    Row("POST answered too late, effect later still", trakt=[{**POST, "delay": CLIENTS_PATIENCE + 0.5}]),
    Row("POST without an answer", trakt=[{**POST, **AFTER, "delay": CLIENTS_PATIENCE + 5}]),
    *each(
        "POST with effect", {"201 garbage": {"preset": "garbage"}, "201 HTML": {"preset": "html_ok"}}, {**POST, **AFTER}
    ),
    *each(
        "POST without effect",
        {
            "200 HTML": {"preset": "html_ok"},
            "201 added nothing": {"status": 201, "body": {"added": {"movies": 0, "episodes": 0}, "not_found": {}}},
            "409": {"preset": "conflict"},
            "422, so in halves": {"preset": "validation"},
        },
        POST,
    ),
    Row(
        "POST never works",
        trakt=[{**POST, **FOR_EVER, "preset": "unavailable"}],
        status="failed",
        code="not_all_sent",
    ),
    Row(
        "POST works once",
        trakt=[{**POST, **FOR_EVER, "preset": "unavailable", "skip": 1}],
        batch_size=3,
        status="partial",
        code="not_all_sent",
    ),
    # Reads: tried again (§5.2), and given up in the end.
    *each("Trakt's history", TRANSIENT, HISTORY),
    *each("mapping", TRANSIENT, MAPPING, own_titles=True),
    Row(
        "Trakt is away",
        trakt=[{**HISTORY, **FOR_EVER, "preset": "bad_gateway"}],
        status="failed",
        code="upstream_unreachable",
    ),
    *(Row(f"Kinopub: {kind}", kinopub=[{**WATCHING, **fault, "times": 2}]) for kind, fault in TRANSIENT.items()),
    *(
        Row(f"Kinopub's history: {kind}", kinopub=[{**KINOPUB_HISTORY, **fault}])
        for kind, fault in {**TRANSIENT, "429": {"status": 429}}.items()
    ),
    Row("Kinopub: 429 without Retry-After", kinopub=[{**WATCHING, "status": 429, "times": 4}]),
    Row(
        "Kinopub: a firewall",
        kinopub=[{**KINOPUB_HISTORY, **FOR_EVER, "preset": "firewall"}],
        status="failed",
        code="upstream_firewall",
    ),
    Row(
        "Kinopub is away",
        kinopub=[{**KINOPUB_HISTORY, **FOR_EVER, "preset": "unavailable"}],
        status="failed",
        code="upstream_unreachable",
    ),
    Row("partial not_found, a batch among others", batch_size=3),
    # Hours of it: every scheduled run fails, the account stays as it is, and the first good hour makes up for all.
    Row(
        "5xx storm over three hourly runs, on reads",
        kinopub=[{**FOR_EVER, "preset": "bad_gateway"}],
        hours=3,
        status="failed",
        code="upstream_unreachable",
    ),
    Row(
        "5xx storm over three hourly runs, on POSTs",
        trakt=[{**POST, **FOR_EVER, "preset": "gateway_timeout"}],
        hours=3,
        status="failed",
        code="not_all_sent",
    ),
    # The person leaves in the middle. Kinopub is not needed any more once it is read; without Trakt the run is over,
    # and what it has not sent comes with the return.
    Row(
        "Trakt is disconnected while a run reads",
        kinopub=[{**WATCHING, **AFTER}],
        meanwhile=leave_trakt,
        heal=lambda person: person.sign_in(),
        status="failed",
        code="not_connected",
    ),
    Row(
        "Kinopub is disconnected while a run reads",
        kinopub=[{**KINOPUB_HISTORY, **AFTER}],
        meanwhile=leave_kinopub,
        heal=lambda person: person.connect_kinopub(),
    ),
    Row(
        "Trakt is disconnected while a run sends, before the last POST's effect",
        trakt=[{**POST, "skip": 2}],
        meanwhile=leave_trakt,
        heal=lambda person: person.sign_in(),
        batch_size=3,
        status="partial",
        code="not_connected",
    ),
    Row(
        "Trakt is disconnected while a run sends, after the POST's effect",
        trakt=[{**POST, **AFTER}],
        meanwhile=leave_trakt,
        heal=lambda person: person.sign_in(),
    ),
    Row(
        "Trakt is disconnected while a run sends, and the POST's answer is lost",
        trakt=[{**POST, **AFTER, "status": 503}],
        meanwhile=leave_trakt,
        heal=lambda person: person.sign_in(),
        status="failed",
        code="not_connected",
        unseen=8,
    ),
    Row(
        "Kinopub is disconnected while a run sends",
        trakt=[{**POST, **AFTER}],
        meanwhile=leave_kinopub,
        heal=lambda person: person.connect_kinopub(),
        batch_size=3,
    ),
]
