"""Shapes against what the real services answered and against Trakt's own OpenAPI document, where those are at hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Stand

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


def recorded(name: str) -> Any:
    file = SHARED / name
    if not file.is_file():
        pytest.skip(f"the recorded answers are not here: ../shared/data/{name}")
    return json.loads(file.read_text())


def unknown(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """Keys of ours that theirs do not have, all the way down; lists are compared by their first entries."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        extra = [f"{where}.{key}" for key in ours if key not in theirs]
        return extra + [
            line for key in ours if key in theirs for line in unknown(ours[key], theirs[key], f"{where}.{key}")
        ]
    if isinstance(ours, list) and isinstance(theirs, list) and ours and theirs:
        return unknown(ours[0], theirs[0], f"{where}[]")
    if type(ours) is not type(theirs) and None not in (ours, theirs) and not isinstance(ours, int | float):
        return [f"{where}: {type(ours).__name__} instead of {type(theirs).__name__}"]
    return []


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/search/movie?query=Matrix", "search.json"),
        ("/sync/history/movies", "movieHistory.json"),
        ("/sync/history/episodes", "episodeHistory.json"),
        ("/shows/silo/seasons?extended=full", "seasons.json"),
        ("/shows/silo/seasons/1", "seasonEpisodes.json"),
        ("/sync/watched/shows?extended=progress", "watchedShows.json"),
        ("/movies/trending", "moviesTrending.json"),
        ("/shows/trending", "showsTrending.json"),
        ("/users/settings", "settings.json"),
    ],
)
def test_trakts_answers_have_no_key_of_their_own(shelf: Stand, path: str, file: str) -> None:
    """Every key of the stand-in's answer is in the recorded one, with a value of the same type."""
    theirs = recorded(f"trakt/{file}")
    assert unknown(shelf.api("GET", path).json(), theirs) == []


def test_kinopubs_answers_have_no_key_of_their_own(shelf: Stand) -> None:
    """Films and series in /v1/watching and /v1/items; posters are in the documents only."""
    watching, items = recorded("kinopub/watching.json"), recorded("kinopub/items.json")
    known = {"posters"}
    for item, theirs in (("9722", watching["9722"]), ("8632", watching["8632"])):
        ours = shelf.kino("/v1/watching", id=item).json()
        assert unknown(ours, theirs) == []
        assert set(theirs["item"]) <= set(ours["item"])
    for item, theirs in (("9722", items["9722"]), ("8632", items["8632"])):
        ours = shelf.kino(f"/v1/items/{item}", nolinks=1).json()
        assert set(theirs["item"]) <= set(ours["item"])
        assert {line.removeprefix(".item.") for line in unknown(ours, theirs)} <= known


def test_the_real_titles_of_the_library_are_as_recorded(shelf: Stand) -> None:
    """Numbers, types, years and IMDb ids of titles that both have."""
    real = {item["id"]: item for item in recorded("kinopub/catalogue.json")}
    for item, entry in recorded("kinopub/items.json").items():
        real[int(item)] = entry["item"]
    changed = {"Happy People: A Year in the Taiga"}  # shown without its IMDb id here
    compared = 0
    for title in shelf.upstreams.library.titles.values():
        if (theirs := real.get(title.id)) is None or any(name in title.name for name in changed):
            continue
        assert (title.type, title.year, title.imdb) == (theirs["type"], theirs["year"], theirs["imdb"])
        compared += 1
    assert compared >= 6


def known_keys(schema: dict[str, Any]) -> tuple[set[str], set[str], dict[str, Any]]:
    """Required keys, all keys, and the schemas of an object; alternatives count together."""
    required, fields = set(schema.get("required", [])), dict(schema.get("properties", {}))
    for choice in ("oneOf", "anyOf", "allOf"):
        for each in schema.get(choice, []):
            _, _, more = known_keys(each)
            fields = more | fields
    return required, set(fields), fields


def violations(value: Any, schema: dict[str, Any], where: str = "") -> list[str]:
    """Keys that are missing or unknown."""
    if isinstance(value, list):
        items = schema.get("items", {})
        return [line for each in value[:3] for line in violations(each, items, f"{where}[]")]
    if not isinstance(value, dict):
        return []
    required, known, fields = known_keys(schema)
    if not known:
        return []
    lines = [f"{where}.{key} is missing" for key in required - set(value)]
    lines += [f"{where}.{key} is unknown" for key in set(value) - known]
    for key in set(value) & known:
        lines += violations(value[key], fields[key], f"{where}.{key}")
    return lines


FILM = {"movies": [{"ids": {"imdb": "tt0000111"}, "watched_at": "2026-01-01T10:00:00.000Z"}]}
# Not in the document, or not demanded by the real answers: what was recorded lacks it too.
TOLERATED = {
    ".not_found.ids is unknown",
    ".permissions is unknown",
    ".limits.recommendations is missing",
    "[].episodes is unknown",
    "[].movie is unknown",
    "[].episode is unknown",
    "[].show is unknown",
}


def tolerable(line: str) -> bool:
    return line in TOLERATED or line.startswith(".browsing.")


@pytest.mark.parametrize(
    ("method", "path", "template", "body"),
    [
        ("GET", "/search/imdb/tt0133093?type=movie", "/search/{id_type}/{id}", None),
        ("GET", "/search/movie,show?query=Matrix", "/search/{type}", None),
        ("GET", "/shows/silo/seasons", "/shows/{id}/seasons", None),
        ("GET", "/shows/silo/seasons?extended=episodes", "/shows/{id}/seasons", None),
        ("GET", "/shows/silo/seasons/1", "/shows/{id}/seasons/{season}", None),
        ("GET", "/sync/last_activities", "/sync/last_activities", None),
        ("GET", "/users/settings", "/users/settings", None),
        ("POST", "/sync/history", "/sync/history", FILM),
        ("POST", "/sync/history/remove", "/sync/history/remove", {"ids": [42]}),
    ],
)
def test_trakts_answers_fit_its_openapi_document(
    shelf: Stand, method: str, path: str, template: str, body: Any
) -> None:
    """Nothing that is required is missing, nothing is there that the document does not know."""
    document = recorded("openapi/trakt.json")
    answer = document["paths"][template][method.lower()]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    ours = shelf.api(method, path, json=body).json()
    assert [line for line in violations(ours, schema) if not tolerable(line)] == []


def test_oauth_answers_fit_the_openapi_document(stand: Stand) -> None:
    """Codes, tokens and refusals."""
    paths = recorded("openapi/trakt.json")["paths"]

    def schema(path: str, status: str) -> dict[str, Any]:
        return dict(paths[path]["post"]["responses"][status]["content"]["application/json"]["schema"])

    codes = stand.oauth("/oauth/device/code").json()
    assert violations(codes, schema("/oauth/device/code", "200")) == []
    tokens = stand.refresh(stand.trakt.grant("harry").refresh).json()
    assert violations(tokens, schema("/oauth/token", "200")) == []
    assert violations(stand.refresh("unknown").json(), schema("/oauth/token", "400")) == []


def test_removal_answers_as_the_older_document_shows(stand: Stand) -> None:
    """`deleted` and, under `not_found`, the ids that were none."""
    example = recorded("openapi/trakt-legacy-examples.json")["paths"]["/sync/history/remove"]["post"]["responses"][
        "200"
    ]
    theirs = example["content"]["application/json"]["examples"]["response"]["value"]
    ours = stand.api("POST", "/sync/history/remove", json={"ids": [23, 42]}).json()
    assert set(ours) == set(theirs)
    assert ours["not_found"]["ids"] == theirs["not_found"]["ids"] == [23, 42]
