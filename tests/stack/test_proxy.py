"""The proxy of the deployed stack: the documents' testing checklist, from a browser's point of view.

Upstreams are on this machine's ports; CloudFront, API Gateway, the function and its role are those of template.yaml.
"""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.cloud.stack import LocalTransport
from tests.stack.deployed import POLICY, Deployed
from tests.stack.person import Person
from tests.upstreams.tmdb import png

pytestmark = pytest.mark.stack

SIZES = ["w92", "w154", "w185", "w300", "w342", "w500", "w780", "w1280", "original"]


@pytest.fixture(scope="module")
def person(deployed: Deployed) -> Person:
    return deployed.person("proxied")


@pytest.fixture
def site(deployed: Deployed) -> Iterator[httpx.Client]:
    """A browser that asks for images: no session, no header of ours."""
    with httpx.Client(transport=LocalTransport(), base_url=deployed.stack.site_url) as client:
        yield client


@pytest.fixture(scope="module")
def known(deployed: Deployed) -> dict[str, Any]:
    """Ids of the library that the documents' examples need."""
    catalogue = deployed.library.catalogue
    show = next(show for show in catalogue.shows if show.tmdb and 1 in show.seasons and show.imdb)
    movie = next(movie for movie in catalogue.movies if movie.tmdb and movie.imdb)
    item = next(iter(deployed.library.titles))
    return {"movie": movie.tmdb, "imdb": movie.imdb, "tv": show.tmdb, "show": show.trakt, "item": item}


CHECKLIST = [
    "tmdb/3/configuration",
    "tmdb/3/configuration/countries",
    "tmdb/3/configuration/jobs",
    "tmdb/3/configuration/languages",
    "tmdb/3/configuration/primary_translations",
    "tmdb/3/configuration/timezones",
    "tmdb/3/movie/{movie}",
    "tmdb/3/movie/{movie}/images",
    "tmdb/3/movie/{movie}/videos",
    "tmdb/3/tv/{tv}",
    "tmdb/3/tv/{tv}/images",
    "tmdb/3/tv/{tv}/season/1",
    "tmdb/3/tv/{tv}/season/1/images",
    "tmdb/3/tv/{tv}/season/1/episode/1",
    "tmdb/3/tv/{tv}/season/1/episode/1/external_ids",
    "tmdb/3/find/{imdb}?external_source=imdb_id",
    "tmdb/3/search/movie?query=the&page=1",
    "tmdb/3/search/tv?query=the",
    "trakt/users/settings",
    "trakt/movies/trending?page=1&limit=3",
    "trakt/shows/trending?page=1&limit=3&extended=full",
    "trakt/sync/watched/movies",
    "trakt/sync/watched/shows?extended=full",
    "trakt/sync/history?limit=5",
    "trakt/sync/history/shows",
    "trakt/sync/history/shows/{show}",
    "trakt/sync/history/movies?start_at=2014-09-01T09:10:11.000Z",
    "trakt/sync/history/episodes",
    "trakt/sync/last_activities",
    "trakt/search/imdb/{imdb}?type=movie",
    "trakt/search/movie?query=matrix",
    "trakt/search/show?query=the",
    "trakt/shows/{show}/seasons/1?extended=episodes",
    "kinopub/v1/history?page=1&perpage=5",
    "kinopub/v1/watching?id={item}",
    "kinopub/v1/watching/movies",
    "kinopub/v1/watching/serials?subscribed=0",
    "kinopub/v1/items?type=movie",
    "kinopub/v1/items/search?q=matrix",
    "kinopub/v1/items/{item}?nolinks=1",
]


@pytest.mark.parametrize("path", CHECKLIST)
def test_every_endpoint(person: Person, known: dict[str, Any], path: str) -> None:
    """GET gives what the upstream itself says, HEAD the same without a body; by the real path, with doubled slashes."""
    path = path.format(**known)
    got = person.web.get(path.replace("/", "//", 1))
    assert got.status_code == 200, got.text
    assert got.json() == direct(person, path)
    headed = person.web.head(path)
    assert (headed.status_code, headed.content) == (200, b"")
    pages = {name: value for name, value in got.headers.items() if name.startswith("x-pagination")}
    assert pages.items() <= dict(headed.headers).items()


def direct(person: Person, path: str) -> Any:
    """The answer without a proxy between."""
    at = person.at.upstreams
    prefix, _, rest = path.partition("/")
    headers = {"user-agent": "Watchferry/direct"}
    if prefix == "tmdb":
        headers |= {"authorization": f"Bearer {at.tmdb.read_access_token}"}
        return httpx.get(f"{at.tmdb_url}/{rest}", headers=headers).json()
    if prefix == "trakt":
        own = [grant.access for grant in at.trakt.grants if grant.user == person.slug and not grant.ended]
        headers |= {"trakt-api-key": at.trakt.client_id, "trakt-api-version": "2", "authorization": f"Bearer {own[-1]}"}
        return httpx.get(f"{at.trakt_url}/{rest}", headers=headers).json()
    token = at.kinopub.grant(person.slug).access
    joint = "&" if "?" in rest else "?"
    return httpx.get(f"{at.kinopub_url}/{rest}{joint}access_token={token}", headers=headers).json()


def test_a_play_is_written(person: Person) -> None:
    """POST /sync/history, by a page of ours: Trakt's 201, and the play is there."""
    film = person.at.shelf.films[0]
    body = {"movies": [{"watched_at": "2024-01-01T12:00:00.000Z", "ids": film.trakt.ids()}]}  # type: ignore[union-attr]
    said = person.web.post("trakt/sync/history", json=body)
    assert (said.status_code, said.json()["added"]["movies"]) == (201, 1)
    assert [play["watched_at"] for play in person.at.upstreams.trakt.plays(person.slug)] == ["2024-01-01T12:00:00.000Z"]
    refused = person.web.post("trakt/sync/history", json=body, headers={"x-csrf": "0"})
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf")


@pytest.mark.parametrize(
    "path",
    [
        "kinopub/v1/watching/toggle?id=113",
        "kinopub/v1/watching/marktime?id=113&time=5",
        "kinopub//v1//watching//toggle",
        "kinopub/v1/watching/%74oggle",
        "trakt/oauth/authorize",
        "trakt/users/me/watched",
        "tmdb/3/account",
        "tmdb/3/movie/603%2f..%2f..%2faccount",
        "tmdb/3/movie/603/%2e%2e/%2e%2e/account",
        "tmdb/3/movie/603%00",
        "tmdb/3/movie/603%3fapi_key=x",
        "tmdb/4/list/1",
        "tmdb",
        "trakt/",
    ],
)
def test_nothing_else(person: Person, path: str) -> None:
    """404 `unknown_endpoint`, whatever the path is written like."""
    said = person.web.get(path)
    assert (said.status_code, said.json()["code"]) == (404, "unknown_endpoint")


def test_nobody_signed_in(deployed: Deployed) -> None:
    """401, also for credentials of the upstreams' own and for tokens of ours that never were."""
    web = deployed.web()
    token = "wf_" + "A" * 43
    for path in ("tmdb/3/movie/603", f"tmdb/3/movie/603?api_key={token}", "trakt/sync/history", "kinopub/v1/history"):
        for headers in (
            {},
            {"authorization": "Bearer x"},
            {"authorization": f"Bearer {token}"},
            {"trakt-api-key": token},
        ):
            said = web.get(path, headers=headers)
            assert (said.status_code, said.json()["code"]) == (401, "unauthenticated")
    said = web.get(f"tmdb/3/movie/603?api_key={token}", headers={"sec-fetch-site": "cross-site"})
    assert (said.status_code, said.json()["code"]) == (403, "csrf")


def test_misses_of_one_key_are_one_call(deployed: Deployed, person: Person) -> None:
    """Across functions, and the upstream takes its time. (Each that comes beside others is a process to be started.)"""
    tmdb = deployed.upstreams.tmdb
    movie = [movie for movie in deployed.library.catalogue.movies if movie.tmdb][7].tmdb
    tmdb.faults.add(path=f"/movie/{movie}/videos", delay=3.0, when="after")
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda _: person.web.get(f"tmdb/3/movie/{movie}/videos"), range(4)))
    assert {(said.status_code, said.content) for said in got} == {(200, got[0].content)}
    assert len(tmdb.requests(f"/movie/{movie}/videos")) == 1
    assert sum("fwd=miss; stored" in said.headers["cache-status"] for said in got) == 1


def test_the_cache_says_what_it_did(deployed: Deployed, person: Person) -> None:
    """Miss, hit with an age, bypass; and 304 for who has the answer."""
    movie = [movie for movie in deployed.library.catalogue.movies if movie.tmdb][8].tmdb
    first, again = (person.web.get(f"tmdb/3/movie/{movie}") for _ in range(2))
    assert first.headers["cache-status"] == "Watchferry; fwd=miss; stored"
    assert re.fullmatch(r"Watchferry; hit; ttl=(3600|35\d\d)", again.headers["cache-status"])
    assert int(again.headers["age"]) < 60
    assert again.content == first.content
    known = person.web.get(f"tmdb/3/movie/{movie}", headers={"if-none-match": first.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    assert person.web.get("trakt/sync/history").headers["cache-status"] == "Watchferry; fwd=bypass"


def test_large_answers(deployed: Deployed, person: Person) -> None:
    """Bodies too large for a row come whole from S3; above what Lambda can carry it is 502 `upstream_too_large`."""
    import random

    letters = random.Random(5).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=900_000)
    plain = {"Content-Encoding": "identity"}
    movie = [movie for movie in deployed.library.catalogue.movies if movie.tmdb][9].tmdb
    path = f"/3/movie/{movie}/images"
    deployed.upstreams.tmdb.faults.add(path=path, when="after", body={"x": "".join(letters)}, headers=plain)
    first, again = (person.web.get(f"tmdb{path}") for _ in range(2))
    assert first.json() == again.json() == {"x": "".join(letters)}
    assert again.headers["cache-status"].startswith("Watchferry; hit")
    deployed.upstreams.tmdb.faults.add(path="/3/tv/1/images", status=200, body={"x": "y" * 4_500_000})
    said = person.web.get("tmdb/3/tv/1/images")
    assert (said.status_code, said.json()["code"]) == (502, "upstream_too_large")


@pytest.mark.parametrize(
    ("preset", "told"), [("app_dead", "switched off"), ("app_refused", "application key"), ("firewall", "firewall")]
)
def test_what_is_wrong_with_trakt(deployed: Deployed, person: Person, preset: str, told: str) -> None:
    """A 403 says in `detail` which one it is."""
    deployed.upstreams.trakt.faults.add(path="^/sync/last_activities", user=person.slug, preset=preset)
    said = person.web.get("trakt/sync/last_activities")
    assert said.status_code == 403
    assert told in said.json()["detail"]


def test_a_refused_token_is_renewed(deployed: Deployed) -> None:
    """By the function's own rights: one refresh at each upstream, and the answer."""
    person = deployed.person("renewed")
    deployed.upstreams.trakt.expire_tokens(person.slug)
    deployed.upstreams.kinopub.expire_tokens(person.slug)
    for path in ("trakt/sync/history", "kinopub/v1/history", "trakt/users/settings"):
        assert person.web.get(path).status_code == 200
    deployed.upstreams.trakt.revoke_tokens(person.slug)
    said = person.web.get("trakt/sync/history")
    assert (said.status_code, said.json()["code"]) == (409, "reauth_required")


# ---------------------------------------------------------------- images


@pytest.mark.parametrize("size", SIZES)
def test_images(site: httpx.Client, size: str) -> None:
    """Every listed size, byte for byte, for a day, for anybody; nothing of the caller goes to the image host."""
    said = site.get(f"/t/p/{size}/abc123.jpg?x=1", headers={"cookie": "a=b", "authorization": "Bearer x"})
    assert (said.status_code, said.content) == (200, png("abc123.jpg"))
    assert (said.headers["content-type"], said.headers["cache-control"]) == ("image/jpeg", "public, max-age=86400")
    assert said.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in said.headers["content-security-policy"]
    assert site.head(f"/t/p/{size}/abc123.jpg").status_code == 200


def test_images_by_a_path_of_tmdb_s(deployed: Deployed, site: httpx.Client) -> None:
    """Which begins with a slash of its own: doubled ones are one, and the image host sees one."""
    for path in ("/t/p/w500//joined.jpg", "/t/p//w500///joined.jpg"):
        said = site.get(path)
        assert (said.status_code, said.content) == (200, png("joined.jpg"))
    assert {entry.path for entry in deployed.upstreams.images.requests("joined.jpg")} == {"/t/p/w500/joined.jpg"}


def test_nothing_of_the_caller_reaches_the_image_host(deployed: Deployed, site: httpx.Client) -> None:
    """No cookie, no credential, no query."""
    site.get("/t/p/w92/mine.jpg?token=x", headers={"cookie": "__Host-session=x", "authorization": "Bearer x"})
    (entry,) = deployed.upstreams.images.requests("mine.jpg")
    assert entry.query == []
    assert not {"cookie", "authorization"} & entry.headers.keys()


@pytest.mark.parametrize(
    "path",
    [
        "/t/p/w501/abc.jpg",
        "/t/p/w500/abc.html",
        "/t/p/w500/abc.jpg/x",
        "/t/p/w500/a.b.jpg",
        "/t/p/w500/%2e%2e%2fabc.jpg",
        "/t/p/w500/..%5cabc.jpg",
        "/t/p/w500/.jpg",
        "/t/p/",
        "/t/p/w500/",
        "/t/p/W500/abc.jpg",
        "/t/p/w500/" + "a" * 200 + ".jpg",
    ],
)
def test_no_other_paths(deployed: Deployed, site: httpx.Client, path: str) -> None:
    """404 in our own form; the image host is not asked."""
    before = len(deployed.upstreams.images.log)
    said = site.get(path)
    assert (said.status_code, said.json()["code"]) == (404, "unknown_endpoint")
    assert len(deployed.upstreams.images.log) == before


def test_only_images(deployed: Deployed, site: httpx.Client) -> None:
    """A page in an image's place does not come through; an error's page cannot run."""
    faults = deployed.upstreams.images.faults
    faults.add(path="hostile", status=200, body="<html><script>alert(1)</script>")
    said = site.get("/t/p/w500/hostile.jpg")
    assert (said.status_code, json.loads(said.content)["code"]) == (502, "upstream_refused")
    assert b"script" not in said.content
    faults.add(path="hostile", status=404, body="<html><script>alert(1)</script>")
    said = site.get("/t/p/w500/hostile.jpg")
    assert said.status_code == 404
    assert "sandbox" in said.headers["content-security-policy"]
    assert said.headers["x-content-type-options"] == "nosniff"


def test_images_are_read_only(site: httpx.Client) -> None:
    """GET and HEAD."""
    for method in ("POST", "PUT", "DELETE"):
        assert site.request(method, "/t/p/w500/abc.jpg").status_code in {403, 405}


def test_policy_of_every_answer(person: Person) -> None:
    """An answer of another server is on our origin, and never runs."""
    for fault in ({"preset": "html_ok"}, {"status": 500}, {"status": 200, "body": "<svg onload='x'/>"}):
        person.at.upstreams.trakt.faults.add(path="^/sync/last_activities", user=person.slug, **fault)  # type: ignore[arg-type]
        said = person.web.get("trakt/sync/last_activities")
        assert said.headers["content-security-policy"] == POLICY
