"""Everything that can go wrong upstream, a row each: nothing is lost, nothing is doubled, and the person is told.

All rows happen at the same time, each to a person of its own: a run that meets the fault, then the end of the trouble,
one more film, and a run after it. The sync document §5 and reality.md say what each fault means.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.stack.deployed import Deployed
from tests.stack.person import Person, Plays, follow
from tests.upstreams import Fault

pytestmark = pytest.mark.stack

SKIPPED = {"duplicate": 1, "episode_not_found": 1, "not_completed": 2, "not_found": 1}
"""Of a run without trouble."""

POST = {"method": "POST", "path": "^/sync/history$"}
HISTORY = {"method": "GET", "path": "^/sync/history"}
MAPPING = {"method": "GET", "path": "^/(search|shows)/"}
KINOPUB_HISTORY = {"path": "^/v1/history"}
WATCHING = {"path": "^/v1/watching"}
FOR_EVER: dict[str, Any] = {"times": None}
AFTER = {"when": "after"}

CLIENTS_PATIENCE = 20.0
"""Seconds after which our HTTP client gives up on an answer."""

MOST_CALLS = 60
"""Of a run of 14 rows in 9 titles, at both upstreams, whatever happens: trouble must not be answered with a storm."""

Change = Callable[[Person], object]


def nothing(_: Person) -> None:
    pass


@dataclass(frozen=True)
class Row:
    """One fault, and what the person sees of it. What heals it is, at least, that the fault is gone."""

    name: str
    trakt: Sequence[Mapping[str, Any]] = ()
    kinopub: Sequence[Mapping[str, Any]] = ()
    before: Change = nothing
    heal: Change = nothing
    status: str = "succeeded"
    code: str | None = None
    paused: str | None = None
    trakt_status: str = "ok"
    kinopub_status: str = "ok"
    refreshes: tuple[int, int] = (0, 0)
    """Of Trakt's and Kinopub's tokens."""
    wait: float = 0
    """Seconds between the fault and the next call of its kind, at least."""
    own_titles: bool = False
    """Titles that nobody else maps."""
    batch_size: int = 50
    """One batch, or three."""


def each(name: str, faults: Mapping[str, Mapping[str, Any]], on: Mapping[str, Any], **more: Any) -> list[Row]:
    return [Row(f"{name}: {kind}", trakt=[{**on, **fault}], **more) for kind, fault in faults.items()]


def user(person: Person) -> Any:
    return person.at.upstreams.trakt.users[person.slug]


def go_on(person: Person) -> None:
    """What the message says: when the account is free again, switch the sync on."""
    for name, value in (("locked", False), ("deactivated", False), ("account_limit", None)):
        setattr(user(person), name, value)
    person.settings(enabled=True)


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

ROWS = [
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
]


@dataclass
class Story:
    """What happened to one person."""

    row: Row
    person: Person
    faults: list[Fault] = field(default_factory=list)
    first: dict[str, Any] = field(default_factory=dict)
    plays: Plays = field(default_factory=Plays)
    state: dict[str, Any] = field(default_factory=dict)
    session: dict[str, Any] = field(default_factory=dict)
    refused: tuple[int, str] | None = None
    """What a start during the pause was told."""
    calls: int = 0
    refreshes: tuple[int, int] = (0, 0)
    second: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    """The state after the second run."""


@pytest.fixture(scope="module")
def stories(deployed: Deployed) -> dict[str, Story]:
    """All rows at once."""
    people = deployed.people([row.name for row in ROWS])
    told = [Story(row, person) for row, person in zip(ROWS, people, strict=True)]
    for story in told:
        begin(story)
    first = follow({story.person: story.person.start() for story in told}, 120)
    for story in told:
        story.first = first[story.person]
        take_stock(story)
        heal(story)
    second = follow({story.person: story.person.start() for story in told}, 60)
    for story in told:
        story.second, story.after = second[story.person], story.person.state
    return {story.row.name: story for story in told}


def begin(story: Story) -> None:
    """The usual week, and the trouble."""
    row, person = story.row, story.person
    person.usual(person.at.new_shelf() if row.own_titles else None)
    person.settings(batch_size=row.batch_size)
    row.before(person)
    for app, faults in ((person.at.upstreams.trakt, row.trakt), (person.at.upstreams.kinopub, row.kinopub)):
        story.faults += [app.faults.add(user=person.slug, **fault) for fault in faults]


def take_stock(story: Story) -> None:
    """What can be seen when the first run is over."""
    person = story.person
    story.plays = person.plays
    story.state, story.session = person.state, person.session
    story.calls = len(person.calls("trakt")) + len(person.calls("kinopub"))
    story.refreshes = (
        sum(entry.status == 200 for entry in person.at.upstreams.trakt.requests("^/oauth/token", user=person.slug)),
        sum(entry.status == 200 for entry in person.at.upstreams.kinopub.requests("^/oauth2/token", user=person.slug)),
    )
    if story.row.paused:
        answer = person.web.post("sync/runs", json={"mode": "sync"})
        story.refused = answer.status_code, answer.json().get("code", "")


def heal(story: Story) -> None:
    """The trouble is over, and the film that was begun is finished."""
    person = story.person
    for app in (person.at.upstreams.trakt, person.at.upstreams.kinopub):
        app.faults.script[:] = [fault for fault in app.faults.script if fault.user != person.slug]
    story.row.heal(person)
    unfinished = [view for view in person.expected() if view.reason == "not_completed" and view.kind == "movie"]
    person.watch_now(unfinished[0].item)


@pytest.fixture(params=ROWS, ids=lambda row: row.name)
def story(request: pytest.FixtureRequest, stories: dict[str, Story]) -> Story:
    return stories[request.param.name]


def test_the_fault_happened(story: Story) -> None:
    """Every scripted fault struck, as often as it was to."""
    for fault in story.faults:
        assert fault.struck >= (fault.times or 1), fault


def test_what_the_person_sees(story: Story) -> None:
    """The run's end and its word; whether the account is paused, and which one has to be looked after."""
    row, run = story.row, story.first
    assert (run["status"], run["error"] and run["error"]["code"]) == (row.status, row.code), run
    assert story.state["paused_reason"] == row.paused
    assert story.session["trakt"]["status"] == row.trakt_status
    assert story.session["kinopub"]["status"] == row.kinopub_status
    assert story.refused == ((409, row.paused) if row.paused else None)
    assert row.code is None or " " in run["error"]["detail"], "in words"
    assert (run["counts"]["sent"] > 0) == (row.status in {"succeeded", "partial"})


def test_nothing_is_sent_twice_or_unfinished(story: Story) -> None:
    """Trouble or not: Trakt has no play that it had before or that nobody finished, and none twice."""
    extra = story.plays - story.person.wanted
    assert not extra
    if story.row.status == "succeeded":
        assert story.first["counts"]["sent"] == 8
        assert story.first["counts"]["skipped"] == SKIPPED
    assert story.plays.total() == story.person.had.total() + story.first["counts"]["sent"]


def test_nothing_is_lost(story: Story) -> None:
    """The run after the trouble succeeds; then Trakt has every finished view, once, to the second."""
    assert (story.second["status"], story.second["error"]) == ("succeeded", None)
    assert story.after["paused_reason"] is None
    assert story.person.plays == story.person.wanted
    assert story.first["counts"]["sent"] + story.second["counts"]["sent"] == 9


def test_one_refresh(story: Story) -> None:
    """An access token that is refused is renewed once, however many calls meet it."""
    assert story.refreshes == story.row.refreshes


def test_no_storm(story: Story) -> None:
    """Trouble is not answered with more and more calls."""
    assert story.calls <= MOST_CALLS


@pytest.mark.parametrize("row", [row for row in ROWS if row.wait], ids=lambda row: row.name)
def test_waiting_as_told(stories: dict[str, Story], row: Row) -> None:
    """After a 429 the next call of that kind comes no sooner than Retry-After says."""
    [fault] = row.trakt
    calls = stories[row.name].person.calls("trakt", fault["path"], fault["method"])
    limited = [entry.status for entry in calls].index(429)
    assert calls[limited + 1].at - calls[limited].at >= row.wait - 0.05
