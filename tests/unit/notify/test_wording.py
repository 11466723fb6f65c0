"""One body that Discord, Slack, ntfy and programs understand, whatever an upstream or a user made of its parts."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.upstreams.web import Request, Response
from tests.upstreams.webhooks import DISCORD, NTFY, SLACK, Receivers, Shown
from watchferry.notify.notices import DEPLOYMENT, KINDS, Kind, Notice
from watchferry.notify.wording import FOR_NTFY, TITLES, operator_mail, webhook_body

SITE = "https://d111.cloudfront.example"
HEADERS = {"content-type": "application/json", "user-agent": "Watchferry/1"} | {
    name.lower(): value for name, value in FOR_NTFY.items()
}


def notice(kind: Kind = "run_failed", slug: str = "harry", detail: str = "Trakt answered 503") -> Notice:
    return Notice("webhook", kind, "u-1", slug, "a_code", detail, 1_790_000_000, "run-1")


def shown(path: str, told: Notice) -> Shown:
    receivers = Receivers()
    answer = receivers.handle(Request("POST", path, headers=HEADERS, body=webhook_body(told, SITE)))
    assert isinstance(answer, Response)
    assert answer.status in (200, 204), answer
    (what,) = receivers.shown
    return what


@pytest.mark.parametrize("path", [DISCORD, SLACK, NTFY])
@pytest.mark.parametrize("kind", KINDS)
def test_every_receiver_shows_every_kind(path: str, kind: Kind) -> None:
    """A title, whose it is, and what to do."""
    what = shown(path, notice(kind))
    assert what.title == f"Watchferry: {TITLES[kind]}"
    assert what.text.startswith("harry: Trakt answered 503")
    if what.at != "ntfy":  # ntfy has X-Click for it
        assert SITE in what.text


def test_programs() -> None:
    """Find everything by name."""
    told = json.loads(webhook_body(notice(), SITE))
    assert {name: told[name] for name in ("kind", "code", "user", "title", "message", "run_id", "at", "site_url")} == {
        "kind": "run_failed",
        "code": "a_code",
        "user": "harry",
        "title": "Watchferry: A sync has failed",
        "message": "harry: Trakt answered 503",
        "run_id": "run-1",
        "at": "2026-09-21T14:13:20Z",
        "site_url": SITE,
    }


@given(st.text(max_size=60), st.text(max_size=5000), st.sampled_from(KINDS))
@example("@everyone", "<!channel> <@U1> <@&1> @here & {{.x}} </a>", "test")
@example("harry", "\U0001f600" * 5000, "test")
def test_any_words(slug: str, detail: str, kind: Kind) -> None:
    """Fit into every receiver, and ring at nobody."""
    for path in (DISCORD, SLACK, NTFY):
        assert not shown(path, notice(kind, slug, detail)).pings


@given(st.text(max_size=60), st.text(max_size=500), st.sampled_from([kind for kind in KINDS if kind != "app_refused"]))
def test_operator(slug: str, detail: str, kind: Kind) -> None:
    """A subject that SNS takes; who and what, and nothing that was said to the user."""
    subject, text = operator_mail(notice(kind, slug, f"secret {detail}"))
    assert subject.isascii()
    assert 0 < len(subject) < 100
    assert "\n" not in subject
    assert f"User: {slug}\n" in text
    assert "Code: a_code\n" in text
    assert "Run: run-1\n" in text
    assert "secret" not in text.replace(slug, "")


@pytest.mark.parametrize("upstream", ["Trakt", "Kinopub"])
def test_owner_of_a_refused_application(upstream: str) -> None:
    """Which upstream it is, what it said, what it means for the users, and what may help; no user is named."""
    told = Notice(
        "operator", "app_refused", DEPLOYMENT, upstream, "app_refused", f"{upstream} said no (403)", 1_790_000_000
    )
    subject, text = operator_mail(told)
    assert subject == f"Watchferry: {upstream} refuses this application"
    assert text.startswith(f"{upstream} said no (403).\n")
    assert "nobody has to connect again" in text
    assert f"{upstream.upper()}_CLIENT_SECRET" in text
    assert "User:" not in text
    assert DEPLOYMENT not in text
