"""Who asks, and where a credential may stand (http-api.md, Who is calling)."""

from collections.abc import Mapping

import pytest

from tests.conftest import Clock, NewWiring
from tests.unit.proxy.conftest import Client, NewClient
from tests.upstreams import Upstreams
from watchferry.storage.budgets import RATES

FOREIGN: list[tuple[str, Mapping[str, str]]] = [
    ("/tmdb/3/movie/603?api_key=foreign-one", {}),
    ("/tmdb/3/movie/603", {"Authorization": "Bearer eyJ.foreign.one"}),
    ("/trakt/movies/trending", {"Authorization": "Bearer foreign-one"}),
    ("/trakt/movies/trending", {"trakt-api-key": "foreign-one"}),
    ("/kinopub/v1/history?access_token=foreign-one", {}),
]


@pytest.mark.parametrize(
    "path", ["/tmdb/3/movie/603", "/trakt/movies/trending", "/trakt/sync/history", "/kinopub/v1/items"]
)
def test_nobody(stranger: Client, upstreams: Upstreams, path: str) -> None:
    """401 `unauthenticated`; nothing goes upstream."""
    assert (stranger.get(path).status, stranger.get(path).code) == (401, "unauthenticated")
    assert not any(app.requests() for app in upstreams.apps)


@pytest.mark.parametrize(("path", "headers"), FOREIGN)
def test_foreign_credentials(stranger: Client, upstreams: Upstreams, path: str, headers: Mapping[str, str]) -> None:
    """401 `unauthenticated` unless the deployment forwards them; nothing goes upstream."""
    said = stranger.send("GET", path, headers=headers)
    assert (said.status, said.code) == (401, "unauthenticated")
    assert not any(app.requests() for app in upstreams.apps)


@pytest.mark.parametrize(("path", "headers"), FOREIGN)
def test_foreign_credentials_beside_a_session(
    harry: Client, upstreams: Upstreams, path: str, headers: Mapping[str, str]
) -> None:
    """The session counts; the other credential goes nowhere."""
    assert harry.send("GET", path, headers=headers).status == 200
    for app in upstreams.apps:
        for entry in app.requests():
            assert "foreign-one" not in str((entry.query, entry.headers))
            assert "eyJ.foreign.one" not in str(entry.headers)


@pytest.mark.parametrize(("path", "headers"), FOREIGN)
def test_passthrough(new_client: NewClient, upstreams: Upstreams, path: str, headers: Mapping[str, str]) -> None:
    """Where it is on they go out as they came, with none of ours beside them, and nothing of it is remembered."""
    stranger = new_client(None, proxy_passthrough="true")
    app = {"/tmd": upstreams.tmdb, "/tra": upstreams.trakt, "/kin": upstreams.kinopub}[path[:4]]
    for _ in range(2):
        said = stranger.send("GET", path, headers=headers)
        assert said.cache == "Watchferry; fwd=bypass"
    sent = [str((entry.query, entry.headers)) for entry in app.requests()]
    assert len(sent) == 2
    assert all("foreign-one" in each or "eyJ.foreign.one" in each for each in sent)
    assert all(upstreams.trakt.client_id not in each for each in sent)
    assert all(upstreams.tmdb.read_access_token not in each for each in sent)


def test_passthrough_works_with_a_right_credential(new_client: NewClient, upstreams: Upstreams) -> None:
    """Status and body are the upstream's own, a refusal too."""
    stranger = new_client(None, proxy_passthrough="true")
    token = upstreams.trakt.grant("harry").access
    own = {"Authorization": f"Bearer {token}", "trakt-api-key": upstreams.trakt.client_id}
    assert stranger.send("GET", "/trakt/users/settings", headers=own).status == 200
    assert stranger.get(f"/tmdb/3/movie/603?api_key={upstreams.tmdb.api_key}").json["id"] == 603
    refused = stranger.get("/tmdb/3/movie/603?api_key=abc")
    assert (refused.status, refused.json["status_code"]) == (401, 7)
    assert stranger.get("/tmdb/3/movie/603").code == "unauthenticated"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/tmdb/3/movie/603?api_key=wf_{}", {}),
        ("/tmdb/3/movie/603?api%5Fkey=wf_{}", {}),
        ("/tmdb/3/movie/603", {"Authorization": "Bearer wf_{}"}),
        ("/tmdb/3/movie/603", {"Authorization": "bearer  wf_{}"}),
        ("/trakt/movies/trending", {"Authorization": "Bearer wf_{}", "trakt-api-key": "client"}),
        ("/trakt/movies/trending", {"trakt-api-key": "wf_{}"}),
        ("/kinopub/v1/history?page=1&access_token=wf_{}", {}),
        ("/kinopub/v1/history", {"Authorization": "Bearer wf_{}"}),
    ],
)
@pytest.mark.parametrize("passthrough", ["true", "false"])
def test_tokens_of_ours_never_go_upstream(
    new_client: NewClient, upstreams: Upstreams, path: str, headers: Mapping[str, str], passthrough: str
) -> None:
    """One that is not known is 401, wherever it stands, even where foreign ones are let through."""
    token = "A" * 43
    sent = {name: value.format(token) for name, value in headers.items()}
    said = new_client(None, proxy_passthrough=passthrough).send("GET", path.format(token), headers=sent)
    assert (said.status, said.code) == (401, "unauthenticated")
    assert not any(app.requests() for app in upstreams.apps)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/tmdb/3/movie/603?api_key={}", {}),
        ("/tmdb/3/movie/603", {"Authorization": "Bearer {}"}),
        ("/trakt/users/settings", {"Authorization": "Bearer {}", "trakt-api-key": "client"}),
        ("/trakt/users/settings", {"trakt-api-key": "{}"}),
        ("/kinopub/v1/history?page=1&access_token={}&perpage=2", {}),
        ("/kinopub/v1/history", {"Authorization": "Bearer {}"}),
    ],
)
def test_a_token_of_ours_stands_where_the_upstream_s_own_would(
    new_wiring: NewWiring, new_client: NewClient, upstreams: Upstreams, path: str, headers: Mapping[str, str]
) -> None:
    """It is swapped for the real credential, and goes nowhere itself; revoked, it opens nothing."""
    wiring = new_wiring()
    new_client(wiring=wiring)
    made, token = wiring.api_tokens.make("harry", "Kodi")
    program = new_client(None, wiring=wiring)
    sent = {name: value.format(token) for name, value in headers.items()}
    assert program.send("GET", path.format(token), headers=sent).status == 200
    for app in upstreams.apps:
        for entry in app.requests():
            assert token not in str((entry.path, entry.query, entry.headers))
    wiring.api_tokens.revoke("harry", made.token_id)
    assert program.send("GET", path.format(token), headers=sent).code == "unauthenticated"


def test_a_program_may_write(new_wiring: NewWiring, new_client: NewClient) -> None:
    """With its token in Authorization, from wherever it is."""
    wiring = new_wiring()
    new_client(wiring=wiring)
    _, token = wiring.api_tokens.make("harry", "Kodi")
    sent = {"Authorization": f"Bearer {token}", "X-CSRF": "", "Sec-Fetch-Site": "", "Content-Type": "application/json"}
    body = b'{"movies":[{"ids":{"trakt":481},"watched_at":"2024-01-01T00:00:00Z"}]}'
    assert new_client(None, wiring=wiring).send("POST", "/trakt/sync/history", headers=sent, body=body).status == 201


def test_somebody_who_has_left(new_wiring: NewWiring, new_client: NewClient) -> None:
    """The account's end is the end of every session and token."""
    wiring = new_wiring()
    harry = new_client(wiring=wiring)
    wiring.accounts.table.delete({"user_id": "harry"})
    for path in ("/tmdb/3/movie/603", "/trakt/users/settings"):
        assert harry.get(path).code == "unauthenticated"


@pytest.mark.parametrize("path", ["/tmdb/3/movie/603?api_key=abc", "/kinopub/v1/history?access_token=abc"])
def test_a_credential_in_a_link_of_another_site(harry: Client, stranger: Client, path: str) -> None:
    """403 `csrf`, whoever is signed in."""
    for client in (harry, stranger):
        assert client.get(path, Sec_Fetch_Site="cross-site").code == "csrf"
    assert harry.get(path, Sec_Fetch_Site="same-origin").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF": ""},
        {"Origin": "https://evil.test"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_writes_with_a_cookie_come_from_here(harry: Client, upstreams: Upstreams, headers: Mapping[str, str]) -> None:
    """403 `csrf` otherwise, and no play is written."""
    assert harry.send("POST", "/trakt/sync/history", headers=headers, body=b"{}").code == "csrf"
    assert not upstreams.trakt.requests()


def test_without_a_read_access_token(new_client: NewClient, upstreams: Upstreams) -> None:
    """503 `not_configured` names what is missing; the other upstreams work."""
    harry = new_client(tmdb_read_access_token_parameter="")
    said = harry.get("/tmdb/3/movie/603")
    assert (said.status, said.code) == (503, "not_configured")
    assert "TmdbReadAccessToken" in said.json["detail"]
    assert harry.get("/trakt/movies/trending").status == 200
    assert not upstreams.tmdb.requests()


def test_somebody_who_has_disconnected(new_client: NewClient, new_wiring: NewWiring) -> None:
    """409 `not_connected` for what needs their token; what is for all goes on."""
    wiring = new_wiring()
    harry = new_client(wiring=wiring)
    for provider in ("trakt", "kinopub"):
        wiring.tokens.delete("harry", provider)
    for path in ("/trakt/users/settings", "/trakt/sync/history", "/kinopub/v1/history", "/kinopub/v1/items/113"):
        assert (harry.get(path).status, harry.get(path).code) == (409, "not_connected")
    assert harry.get("/trakt/movies/trending").status == 200


def test_a_refused_token_is_renewed_once(harry: Client, upstreams: Upstreams) -> None:
    """401 → one refresh → once more, writes as well; then the answer is whole."""
    for app, path in ((upstreams.trakt, "/trakt/sync/history"), (upstreams.kinopub, "/kinopub/v1/history")):
        app.expire_tokens("harry")  # type: ignore[attr-defined]
        assert harry.get(path).status == 200
        assert app.token_counts()["refreshes_served"] == 1  # type: ignore[attr-defined]
    upstreams.trakt.expire_tokens("harry")
    body = b'{"movies":[{"ids":{"trakt":481},"watched_at":"2024-01-01T00:00:00Z"}]}'
    said = harry.send("POST", "/trakt/sync/history", headers={"Content-Type": "application/json"}, body=body)
    assert (said.status, said.json["added"]["movies"]) == (201, 1)


@pytest.mark.parametrize(("left", "refreshes"), [(15.5, 1), (14.5, 0)])
def test_a_refresh_has_its_time(harry: Client, upstreams: Upstreams, clock: Clock, left: float, refreshes: int) -> None:
    """None begins that might not end before the function does, with the rotated pair: 504; the next call does it."""
    for app, path in ((upstreams.trakt, "/trakt/sync/history"), (upstreams.kinopub, "/kinopub/v1/history")):
        app.expire_tokens("harry")  # type: ignore[attr-defined]
        said = harry.send("GET", path, arrived=clock.now - 25 + left)
        assert said.status == (200 if refreshes else 504)
        assert refreshes or said.code == "upstream_timeout"
        assert app.token_counts()["refreshes_served"] == refreshes  # type: ignore[attr-defined]
        assert harry.get(path).status == 200


def test_waiting_for_another_s_refresh_ends_with_the_request(
    new_client: NewClient, new_wiring: NewWiring, upstreams: Upstreams, clock: Clock
) -> None:
    """504 at its deadline."""
    wiring = new_wiring()
    harry = new_client(wiring=wiring)
    row = wiring.tokens.get("harry", "trakt")
    assert row is not None
    wiring.tokens.lease("harry", "trakt", version=row.version, owner="somebody")
    upstreams.trakt.expire_tokens("harry")
    began = clock.now
    said = harry.send("GET", "/trakt/sync/history", arrived=began - 20)
    assert (said.status, said.code) == (504, "upstream_timeout")
    assert clock.now - began < 7


def test_access_that_is_gone(harry: Client, upstreams: Upstreams) -> None:
    """409 `reauth_required` once the refresh is refused."""
    upstreams.trakt.revoke_tokens("harry")
    said = harry.get("/trakt/sync/history")
    assert (said.status, said.code, said.json["provider"]) == (409, "reauth_required", "trakt")


def test_what_is_for_all_carries_nobody_s_token(harry: Client, upstreams: Upstreams) -> None:
    """Trakt's public answers and TMDB's are fetched with the application's credential alone."""
    for path in ("/trakt/movies/trending", "/trakt/shows/180770/seasons/1", "/trakt/search/imdb/tt0133093?type=movie"):
        assert harry.get(path).status == 200
    for entry in upstreams.trakt.requests():
        assert "authorization" not in entry.headers
        assert entry.user is None
    harry.get("/tmdb/3/movie/603")
    (entry,) = upstreams.tmdb.requests()
    assert entry.headers["authorization"] == f"Bearer {upstreams.tmdb.read_access_token}"


def test_writes_take_turns_with_the_sync(harry: Client, upstreams: Upstreams, new_client: NewClient) -> None:
    """Trakt's one write a second per user is shared: a burst waits its turn, or is told to."""
    upstreams.trakt.options.limits = True
    body = b'{"movies":[{"ids":{"trakt":481},"watched_at":"2024-01-01T00:00:00Z"}]}'

    def post() -> int:
        return harry.send("POST", "/trakt/sync/history", headers={"Content-Type": "application/json"}, body=body).status

    assert [post() for _ in range(4)] == [201] * 4
    assert not [entry for entry in upstreams.trakt.requests() if entry.status == 429]


def test_a_write_counts_from_its_answer(new_client: NewClient, new_wiring: NewWiring, clock: Clock) -> None:
    """The sync's next one leaves a second later: until then this one may not have arrived."""
    wiring = new_wiring()
    harry = new_client(wiring=wiring)
    assert (
        harry.send("POST", "/trakt/sync/history", headers={"Content-Type": "application/json"}, body=b"{}").status
        == 201
    )
    assert wiring.budgets.wait("harry", "POST") == pytest.approx(1.02, abs=0.002)


def test_a_write_with_a_renewed_token_waits_its_turn_too(harry: Client, upstreams: Upstreams) -> None:
    upstreams.trakt.expire_tokens("harry")
    sent = {"Content-Type": "application/json"}
    assert harry.send("POST", "/trakt/sync/history", headers=sent, body=b"{}").status == 201
    refused, taken = upstreams.trakt.requests("^/sync/history", "POST")
    assert taken.at - refused.at >= 1


@pytest.mark.parametrize(("lost", "status"), [(6, 201), (100, 429)])
def test_a_write_gets_its_turn_beside_a_long_run(
    new_client: NewClient, new_wiring: NewWiring, clock: Clock, lost: int, status: int
) -> None:
    """Whose POSTs come first again and again; but not for ever: the program gets an answer in time."""
    turns = iter(range(100))

    def another_posts() -> None:
        wiring.budgets.answered("harry", "POST", wiring.budgets.take("harry", "POST", RATES["POST"]))

    def pause(seconds: float) -> None:
        clock.advance(seconds)
        if next(turns) < lost:
            another_posts()

    wiring = new_wiring(pause=pause)
    harry = new_client(wiring=wiring)
    another_posts()
    began = clock.now
    said = harry.send("POST", "/trakt/sync/history", headers={"Content-Type": "application/json"}, body=b"{}")
    assert said.status == status
    assert clock.now - began < 12


def test_a_limit_that_trakt_named_is_obeyed(harry: Client, upstreams: Upstreams) -> None:
    """The 429 comes back as it is; the next write is not even sent."""
    upstreams.trakt.faults.add(
        path="^/sync/history", method="POST", preset="rate_limited", headers={"Retry-After": "30"}
    )
    sent = {"Content-Type": "application/json"}
    first = harry.send("POST", "/trakt/sync/history", headers=sent, body=b"{}")
    assert (first.status, first.headers["retry-after"], "x-ratelimit" in first.headers) == (429, "30", True)
    second = harry.send("POST", "/trakt/sync/history", headers=sent, body=b"{}")
    assert (second.status, second.code) == (429, "rate_limited")
    assert 25 <= int(second.headers["retry-after"]) <= 30
    assert len(upstreams.trakt.requests(method="POST")) == 1
