"""Access to an upstream over time: when it is renewed, by whom, and what happens if that fails (sync document 5.1)."""

import logging
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Clock, NewWiring
from tests.unit.notify.conftest import queued
from tests.upstreams import Upstreams
from watchferry.auth.credential import BELIEVED_AFTER
from watchferry.auth.grants import TokenPair
from watchferry.clients.trakt import Credential
from watchferry.errors import AppRefused, ConnectAgain, NotConnected, OutcomeUnknown, RetryLater, StopAccount, StopRun
from watchferry.storage.tokens import REFRESH_LEASE, StoredTokens
from watchferry.wiring import Wiring

USER = "u-1"
LIFETIME = {"trakt": 604_800, "kinopub": 3_600}
TOKEN_PATH = {"trakt": "/oauth/token", "kinopub": "/oauth2/token"}


class Login:
    """Harry's login at one provider, stored, and what the upstream knows of it."""

    def __init__(self, provider: Any, upstreams: Upstreams, wiring: Wiring) -> None:
        self.provider, self.wiring = provider, wiring
        self.upstream: Any = getattr(upstreams, provider)
        self.path = TOKEN_PATH[provider]
        wiring.accounts.sign_in(USER, {"slug": "harry", "name": "Harry"})
        wiring.accounts.connect(USER, provider)
        self.granted = self.sign_in()

    def sign_in(self) -> Any:
        granted = self.upstream.grant("harry")
        expires_at = int(granted.created_at) + LIFETIME[self.provider]
        pair = TokenPair(granted.access, granted.refresh, expires_at, "https://watchferry.test/")
        self.wiring.broker.pairs.connect(USER, self.provider, pair)
        return granted

    def credential(self, wiring: Wiring | None = None) -> Credential:
        """As another job would get it."""
        return (wiring or self.wiring).broker.credential(USER, self.provider)

    def row(self) -> StoredTokens:
        row = self.wiring.tokens.get(USER, self.provider)
        assert row is not None
        return row

    def newest(self) -> str:
        pairs = self.upstream.grants if self.provider == "trakt" else self.upstream.pairs
        return str(pairs[-1].access)

    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = self.upstream.token_counts()
        return counts

    def asked(self) -> int:
        return len(self.upstream.requests(self.path))


@pytest.fixture(params=["trakt", "kinopub"])
def login(request: pytest.FixtureRequest, upstreams: Upstreams, wiring: Wiring) -> Login:
    return Login(request.param, upstreams, wiring)


@pytest.fixture
def due(login: Login, clock: Clock) -> Login:
    """Its access token ends in a minute."""
    clock.advance(LIFETIME[login.provider] - 60)
    return login


def test_a_token_is_used_as_long_as_it_lasts(login: Login, clock: Clock) -> None:
    """Until a minute before `created_at + expires_in`, by whichever job."""
    clock.advance(LIFETIME[login.provider] - 61)
    for _ in range(3):
        assert login.credential().token() == login.granted.access
    assert login.asked() == 0


def test_it_is_renewed_a_minute_before_its_end(due: Login) -> None:
    """Once, for all later jobs too; both tokens of the new pair are stored."""
    token = due.credential().token()
    assert token == due.newest() != due.granted.access
    assert due.credential().token() == token
    assert due.asked() == 1
    assert due.row().expires_at == int(due.wiring.clock()) + LIFETIME[due.provider]


def test_renewal_after_renewal(login: Login, clock: Clock) -> None:
    """The rotated refresh token is the one that is used next."""
    credential = login.credential()
    for _ in range(5):
        clock.advance(LIFETIME[login.provider])
        assert credential.token() == login.newest()
    assert (login.counts()["refreshes_served"], login.counts()["refreshes_refused"]) == (5, 0)


def test_a_lifetime_that_changes(login: Login, clock: Clock) -> None:
    """Only `expires_in` counts: hours now, whatever it was before (sync document 5.1)."""
    clock.advance(LIFETIME[login.provider])
    login.upstream.options.set(token_lifetime=7_200)
    first = login.credential().token()
    clock.advance(7_200 - 61)
    assert login.credential().token() == first
    clock.advance(1)
    assert login.credential().token() != first


@pytest.mark.parametrize("missing", ["created_at", "expires_in", "refresh_token", "token_type"])
def test_answers_that_leave_something_out(due: Login, clock: Clock, missing: str) -> None:
    """No `created_at`: it was now. No `expires_in`: good until a 401. No `refresh_token`: the old one stays."""
    answer = {
        "access_token": "fresh",
        "refresh_token": "next",
        "expires_in": "86400",
        "created_at": int(clock.now),
        "token_type": "bearer",
    }
    del answer[missing]
    due.upstream.faults.add(path=due.path, status=200, body=answer)
    assert due.credential().token() == "fresh"
    assert due.row().expires_at == (0 if missing == "expires_in" else int(clock.now) + 86400)
    opened = due.wiring.broker.pairs.open(due.row())
    assert opened.refresh == (due.granted.refresh if missing == "refresh_token" else "next")
    if missing == "expires_in":
        clock.advance(10 * 365 * 86400)
        assert due.credential().token() == "fresh"


def test_a_401_renews(login: Login) -> None:
    """`renewed` of the token that is stored refreshes it."""
    credential = login.credential()
    old = credential.token()
    assert credential.renewed(old) == credential.token() == login.newest() != old
    assert login.asked() == 1


def test_a_401_for_a_token_that_is_stored_no_more(login: Login) -> None:
    """Somebody else has renewed it: theirs is used."""
    credential = login.credential()
    old = credential.token()
    theirs = login.credential().renewed(old)
    assert credential.renewed(old) == theirs
    assert login.asked() == 1


def test_a_new_sign_in_is_noticed_at_the_401(login: Login) -> None:
    """A job that began before goes on with the new pair."""
    credential = login.credential()
    old = credential.token()
    fresh = login.sign_in()
    assert credential.renewed(old) == fresh.access
    assert login.asked() == 0


def test_a_host_that_takes_its_time(due: Login, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh without an answer is tried again only where time is left for it; the lease is free for the next."""
    host = due.wiring.broker.hosts[due.provider]
    asked = []

    def slow(*_: object) -> None:
        asked.append(clock.now)
        clock.advance(10)
        raise OutcomeUnknown("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(type(host), "refresh", slow)
        for left, tries in ((25, 2), (24, 1), (14, 0)):
            asked.clear()
            credential = due.wiring.broker.credential(USER, due.provider, until=clock.now + left)
            with pytest.raises(RetryLater):
                credential.token()
            assert len(asked) == tries
    assert due.credential().token() == due.newest() != due.granted.access


NOT_ITS_OWN_FORM: list[Any] = [
    "",
    "<html><body><h1>400 Bad Request</h1></body></html>",
    "Bad Request",
    [],
    {"message": "Forbidden"},
    {"error": {"code": 1016}},
    {"error": None},
    {"status": 400, "error": "Bad Request"},
    {"error": "server_error"},
]
"""What edges and gateways answer in place of a token endpoint, and words that are not about the refresh token."""


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("body", NOT_ITS_OWN_FORM, ids=repr)
def test_an_edge_ends_no_sign_in(due: Login, status: int, body: Any) -> None:
    """Later: nobody is told to connect again, and the next refresh succeeds with the same refresh token."""
    due.upstream.faults.add(path=due.path, status=status, body=body)
    with pytest.raises(RetryLater):
        due.credential().token()
    assert (due.row().status, due.row().lease_owner) == ("ok", None)
    account = due.wiring.accounts.get(USER)
    assert account is not None
    assert account.paused_reason is None
    assert due.credential().token() == due.newest() != due.granted.access
    assert queued(due.wiring) == []


@pytest.mark.parametrize("edge", [400, 401])
def test_an_edge_that_refuses_for_a_day_is_believed(due: Login, clock: Clock, edge: int) -> None:
    """Hour after hour, in processes that know nothing of each other; then only a new sign-in helps, and it is told."""
    due.upstream.options.set(token_edge=edge)
    for _ in range(BELIEVED_AFTER // 3600):
        with pytest.raises(RetryLater):
            due.credential().token()
        assert due.row().status == "ok"
        clock.advance(3600)
    with pytest.raises(ConnectAgain):
        due.credential().token()
    assert due.row().status == "reauth_required"
    assert {each["kind"] for each in queued(due.wiring)} == {"reauth_required"}
    due.upstream.options.set(token_edge=0)
    due.sign_in()
    assert due.credential().token() != due.granted.access


@pytest.mark.parametrize("mended", ["success", "sign-in"])
def test_an_edge_that_comes_and_goes(due: Login, clock: Clock, mended: str) -> None:
    """A refresh that succeeds, or a new sign-in, ends the doubt: the next edge has a day of its own."""
    due.upstream.options.set(token_edge=400)
    with pytest.raises(RetryLater):
        due.credential().token()
    clock.advance(3600)
    due.upstream.options.set(token_edge=0)
    if mended == "success":
        due.credential().token()
    else:
        due.sign_in()
    clock.advance(BELIEVED_AFTER + LIFETIME[due.provider])
    due.upstream.options.set(token_edge=400)
    for _ in range(2):
        with pytest.raises(RetryLater):
            due.credential().token()
        clock.advance(BELIEVED_AFTER - 1)
    assert due.row().status == "ok"


def test_the_services_own_word_counts_at_once(due: Login) -> None:
    """After any number of edges: what the host says itself is believed."""
    due.upstream.options.set(token_edge=401)
    with pytest.raises(RetryLater):
        due.credential().token()
    due.upstream.options.set(token_edge=0)
    due.upstream.revoke_tokens("harry")
    with pytest.raises(ConnectAgain):
        due.credential().token()


def test_a_sign_in_while_an_edge_answers(due: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """The doubt is about the old pair: the new one is used, and nothing is noted of it."""
    host = due.wiring.broker.hosts[due.provider]
    refresh = type(host).refresh
    fresh = []
    due.upstream.options.set(token_edge=400)

    def meanwhile(self: Any, pair: TokenPair) -> TokenPair:
        fresh.append(due.sign_in())
        return refresh(self, pair)

    monkeypatch.setattr(type(host), "refresh", meanwhile)
    assert due.credential().token() == fresh[0].access
    assert due.row().doubted_since is None


@pytest.mark.parametrize("word", ["invalid_grant", "invalid_refresh_token"])
@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_refresh(due: Login, status: int, word: str, caplog: pytest.LogCaptureFixture) -> None:
    """In the host's own form, with 400 or 401: the row and the account say that the person must connect again."""
    due.upstream.revoke_tokens("harry")
    due.upstream.faults.add(path=due.path, status=status, body={"error": word})
    for _ in range(2):
        with pytest.raises(ConnectAgain):
            due.credential().token()
    assert due.asked() == 1, "a dead token is tried once"
    assert due.row().status == "reauth_required"
    account = due.wiring.accounts.get(USER)
    assert account is not None
    assert account.paused_reason == "reauth_required"
    assert due.granted.refresh not in caplog.text


def test_connecting_again_mends_it(due: Login) -> None:
    """The new pair is used, the status is `ok`."""
    due.upstream.revoke_tokens("harry")
    with pytest.raises(ConnectAgain):
        due.credential().token()
    fresh = due.sign_in()
    assert due.credential().token() == fresh.access
    assert due.row().status == "ok"


def test_a_refusal_counts_only_for_the_stored_version(due: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the old pair was tried, the person signed in again: the refusal is about nothing."""
    host = due.wiring.broker.hosts[due.provider]
    refresh = type(host).refresh
    due.upstream.revoke_tokens("harry")
    fresh = []

    def meanwhile(self: Any, pair: TokenPair) -> TokenPair:
        fresh.append(due.sign_in())
        return refresh(self, pair)

    monkeypatch.setattr(type(host), "refresh", meanwhile)
    assert due.credential().token() == fresh[0].access
    assert due.row().status == "ok"


def test_a_refresh_that_a_sign_in_overtook(due: Login, upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sign-in's pair stays, and the refreshed one is given back."""
    host = due.wiring.broker.hosts[due.provider]
    refresh = type(host).refresh
    fresh = []

    def meanwhile(self: Any, pair: TokenPair) -> TokenPair:
        rotated = refresh(self, pair)
        fresh.append(due.sign_in())
        return rotated

    monkeypatch.setattr(type(host), "refresh", meanwhile)
    assert due.credential().token() == fresh[0].access
    assert due.wiring.broker.pairs.open(due.row()).refresh == fresh[0].refresh
    if due.provider == "trakt":
        assert upstreams.trakt.token_counts()["revoked"] == 1


@pytest.mark.parametrize("again", [False, True])
def test_a_refresh_that_a_disconnect_overtook(due: Login, monkeypatch: pytest.MonkeyPatch, again: bool) -> None:
    """Nothing comes back to life; not even when the account was connected anew in the same moment."""
    host = due.wiring.broker.hosts[due.provider]
    refresh = type(host).refresh
    fresh = []

    def meanwhile(self: Any, pair: TokenPair) -> TokenPair:
        rotated = refresh(self, pair)
        due.wiring.broker.disconnect(USER, due.provider)
        if again:
            fresh.append(due.sign_in())
        return rotated

    monkeypatch.setattr(type(host), "refresh", meanwhile)
    if again:
        assert due.credential().token() == fresh[0].access
    else:
        with pytest.raises(NotConnected):
            due.credential().token()
        assert due.wiring.tokens.get(USER, due.provider) is None


def test_the_deployments_own_key_is_not_the_persons_fault(due: Login) -> None:
    """`invalid_client` is a mistyped secret: it must not throw everybody out."""
    due.upstream.client_secret = "rotated by the owner, not yet told here"
    for _ in range(2):
        with pytest.raises(AppRefused):
            due.credential().token()
    assert due.row().status == "ok"
    assert due.row().lease_owner is None
    assert [(each["to"], each["kind"]) for each in queued(due.wiring)] == [("operator", "app_refused")]
    assert [(each.provider, each.path) for each in due.wiring.refusals.all()] == [(due.provider, None)]
    account = due.wiring.accounts.get(USER)
    assert account is not None
    assert account.paused_reason is None


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"preset": "firewall"}, StopRun),
        ({"preset": "rate_limited"}, RetryLater),
        ({"preset": "locked"}, StopAccount),
        ({"preset": "unavailable", "times": 2}, RetryLater),
        ({"reset": True, "times": 2}, RetryLater),
        ({"delay": 60.0, "status": 200, "times": 2}, RetryLater),
        ({"preset": "html_ok", "times": 2}, RetryLater),
        ({"status": 404}, RetryLater),
    ],
)
def test_trouble_that_is_not_the_tokens(due: Login, fault: dict[str, Any], error: type[Exception]) -> None:
    """Nothing is marked, the lease is given up, and the next who comes succeeds."""
    due.upstream.faults.add(path=due.path, **fault)
    with pytest.raises(error):
        due.credential().token()
    assert (due.row().status, due.row().lease_owner) == ("ok", None)
    assert due.credential().token() == due.newest()


@pytest.mark.parametrize("fault", [{"preset": "bad_gateway"}, {"reset": True}, {"delay": 60.0, "status": 504}])
def test_a_refresh_without_an_answer_is_tried_once_more(due: Login, fault: dict[str, Any]) -> None:
    """The first one never got there: the second succeeds, under the same lease."""
    due.upstream.faults.add(path=due.path, **fault)
    assert due.credential().token() == due.newest()
    assert due.asked() == 2


def test_a_refresh_whose_answer_was_lost(due: Login) -> None:
    """The upstream has rotated the pair and nobody knows the new one: only a new sign-in helps, and it is said."""
    due.upstream.faults.add(path=due.path, reset=True, when="after")
    with pytest.raises(ConnectAgain):
        due.credential().token()
    assert due.asked() == 2
    assert due.row().status == "reauth_required"


def throttled(*_: Any, **__: Any) -> Any:
    raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": ""}}, "UpdateItem")


def test_a_lost_write_of_a_rotated_token_is_repeated(due: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it holds: the old pair is dead already."""
    rotate, failures = type(due.wiring.tokens).rotate, iter(range(6))

    def unlucky(self: Any, *given: Any, **named: Any) -> StoredTokens:
        if next(failures, None) is not None:
            throttled()
        return rotate(self, *given, **named)

    monkeypatch.setattr(type(due.wiring.tokens), "rotate", unlucky)
    token = due.credential().token()
    assert token == due.newest()
    assert due.credential().token() == token
    assert (due.asked(), due.counts()["refreshes_refused"]) == (1, 0)


def test_a_write_whose_answer_is_lost(due: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """It held: writing it again changes nothing and is no conflict."""
    rotate, lost = type(due.wiring.tokens).rotate, iter([True])

    def unheard(self: Any, *given: Any, **named: Any) -> StoredTokens:
        row = rotate(self, *given, **named)
        if next(lost, False):
            throttled()
        return row

    monkeypatch.setattr(type(due.wiring.tokens), "rotate", unheard)
    version = due.row().version
    assert due.credential().token() == due.newest()
    assert due.row().version == version + 1
    assert due.counts()["revoked"] == 0


def test_a_write_that_never_holds(
    due: Login, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """CRITICAL, with the user and without the token; the caller may try again later."""
    monkeypatch.setattr(type(due.wiring.tokens), "rotate", throttled)
    with pytest.raises(RetryLater):
        due.credential().token()
    [line] = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert (vars(line)["user_id"], vars(line)["provider"]) == (USER, due.provider)
    assert due.newest() not in caplog.text + repr([vars(record) for record in caplog.records])


def test_without_kms_nothing_is_rotated(due: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be sealed afterwards is not asked for."""
    monkeypatch.setattr(type(due.wiring.vault), "seal", throttled)
    with pytest.raises(ClientError):
        due.credential().token()
    assert due.asked() == 0
    assert due.row().lease_owner is None


def test_who_waits_gets_the_others_token(due: Login, new_wiring: NewWiring) -> None:
    """The lease is taken: the row is watched until the new pair is there."""
    other = due.row()
    assert due.wiring.tokens.lease(USER, due.provider, version=other.version, owner="somebody else")
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            sealed = due.wiring.broker.pairs.seal(USER, due.provider, TokenPair("theirs", "r", 0))
            due.wiring.tokens.rotate(
                USER,
                due.provider,
                version=other.version,
                sealed=sealed.value,
                sealed_key=sealed.key,
                expires_at=int(due.wiring.clock()) + 3600,
            )

    assert due.credential(new_wiring(pause=pause)).token() == "theirs"
    assert due.asked() == 0
    assert len(pauses) == 3


def test_nobody_waits_for_ever(due: Login, clock: Clock) -> None:
    """RetryLater after some 25 seconds: the request it is for ends at 30."""
    assert due.wiring.tokens.lease(USER, due.provider, version=due.row().version, owner="slow")
    began = clock.now
    with pytest.raises(RetryLater):
        due.credential().token()
    assert 24 < clock.now - began < 28
    assert due.asked() == 0


def test_a_lease_of_the_dead_ends(due: Login, clock: Clock) -> None:
    """Whoever held it crashed; the next one refreshes when the lease is over, never before."""
    assert due.wiring.tokens.lease(USER, due.provider, version=due.row().version, owner="crashed")
    clock.advance(REFRESH_LEASE - 10)
    assert due.credential().token() == due.newest()
    assert due.asked() == 1


def test_an_account_that_is_not_there(wiring: Wiring) -> None:
    """NotConnected."""
    for provider in ("trakt", "kinopub"):
        with pytest.raises(NotConnected):
            wiring.broker.credential("nobody", provider).token()


def test_tokens_of_another_row_do_not_open(login: Login) -> None:
    """A sealed pair is bound to its user and provider: copied to another row it is worthless."""
    row = login.row()
    login.wiring.accounts.sign_in("u-2", {"slug": "draco", "name": "Draco"})
    login.wiring.tokens.connect(
        "u-2", login.provider, sealed=row.sealed, sealed_key=row.sealed_key, expires_at=row.expires_at
    )
    with pytest.raises(Exception, match=r"^$"):
        login.wiring.broker.credential("u-2", login.provider).token()


def test_a_refused_refresh_is_told_once(due: Login) -> None:
    """To the user and to the operator; not again by the next one who asks."""
    due.upstream.revoke_tokens("harry")
    for _ in range(3):
        with pytest.raises(ConnectAgain):
            due.credential().token()
    notices = queued(due.wiring)
    assert sorted(each["to"] for each in notices) == ["operator", "webhook"]
    assert {(each["kind"], each["slug"]) for each in notices} == {("reauth_required", "harry")}
    assert all(each["detail"].startswith(f"{due.provider.capitalize()} has to be connected") for each in notices)
    names_the_cause = "free Trakt account can have only one connected application" in notices[0]["detail"]
    assert names_the_cause == (due.provider == "trakt")
