"""When two names are the same, wherever names are compared."""

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.sync.examples import steadily, title
from watchferry.clients.trakt import SearchHit
from watchferry.sync.mapping import Unmapped, names_key, sure_hit
from watchferry.sync.names import name_key, same_name

SAME = [
    ("Матрица", "МАТРИЦА"),
    ("Straße", "STRASSE"),
    ("WALL·E", "Wall-E"),
    ("«Ёлки»", "Елки"),
    ("Ёж", "еж"),
    ("Don’t Look Up", "Don't Look Up"),
    ("Tom & Jerry", "Tom and Jerry"),
    ("Tom&Jerry", "tom AND jerry"),
    ("Война и мир", "Война & мир"),
    ("Война & мир", "Война and мир"),
    ("Mission: Impossible", "Mission Impossible"),
    ("S.W.A.T.", "SWAT"),
    ("  Silo ", "S i l o"),
    ("Face/Off", "Face Off"),
    ("Кто-то", "«кто то»…"),
    ("й", "и\u0306"),
    ("Ё", "Е\u0308"),
    ("Amélie", "Ame\u0301lie"),
]
NOT_SAME = [
    ("Мой", "Мои"),
    ("й", "и"),
    ("Mädchen", "Madchen"),
    ("Amélie", "Amelie"),
    ("Band", "B&"),
    ("Sand", "S and"),
    ("Мия", "М&я"),
    ("Tom & Jerry", "Tom Jerry"),
    ("24/7", "24"),
    ("Silo", "The Silo"),
    ("", ""),
    ("", " "),
    ("!!!", "!!!"),
    ("…", "?"),
    ("9½", "9"),
    ("$", ""),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same(one: str, other: str) -> None:
    assert same_name(one, other)
    assert same_name(other, one)
    assert found_by(one, other)


@pytest.mark.parametrize(("one", "other"), NOT_SAME)
def test_not_the_same(one: str, other: str) -> None:
    assert not same_name(one, other)
    assert not same_name(other, one)
    assert not found_by(one, other)


def found_by(kinopubs: str, trakts: str) -> bool:
    """Whether a title of Kinopub's is taken for one that Trakt's search has found."""
    work = {"title": trakts, "year": 1999, "ids": {"trakt": 7}}
    hit = SearchHit.model_validate({"type": "movie", "movie": work})
    return not isinstance(sure_hit(title(title=f"Нечто иное / {kinopubs}"), [hit], "movie"), Unmapped)


letters = st.characters(categories=["L", "N"])
words = st.text(letters, min_size=1, max_size=6).filter(lambda word: word.casefold() not in ("and", "и"))
names = st.lists(words, min_size=1, max_size=4).map(" ".join)
ignored = st.characters(categories=["P", "Z", "Cc", "Cf"], exclude_characters="&")
punctuation = st.text(ignored, max_size=3)


@steadily
@given(st.lists(words, min_size=1, max_size=4), punctuation, punctuation, st.sampled_from(["NFC", "NFD"]))
def test_case_spaces_and_punctuation_do_not_matter(made: list[str], between: str, around: str, form) -> None:
    name = " ".join(made)
    other = unicodedata.normalize(form, around + f" {between} ".join(made) + around)
    assert same_name(name, other)
    assume(name.upper().casefold() == name.casefold())
    assert same_name(name.upper(), name)


@steadily
@given(st.lists(words, min_size=2, max_size=4), st.permutations(["&", "and", "и", "AND"]))
def test_and_is_one_word_in_any_language(made: list[str], ands: list[str]) -> None:
    one, other = f" {ands[0]} ".join(made), f" {ands[1]} ".join(made)
    assert same_name(one, other)
    assert not same_name(one, " ".join(made)), "a word is not nothing"


@steadily
@given(names, names)
def test_being_the_same_is_being_the_same_key(one: str, other: str) -> None:
    """Reflexive but for names of nothing, and symmetric; a key is its own key, so that it may be stored."""
    assert same_name(one, other) == same_name(other, one) == (name_key(one) == name_key(other) != "")
    assert same_name(one, one)
    assert name_key(name_key(one)) == name_key(one)


@steadily
@given(st.sampled_from("ийаеäaöoéeñn"), st.sampled_from("ийаеäaöoéeñn"), words, words)
def test_a_letter_with_a_mark_is_another_letter(one: str, other: str, before: str, after: str) -> None:
    assume(one != other)
    assert not same_name(before + one + after, before + other + after)


@steadily
@given(
    st.text(
        st.characters(categories=["P", "Z", "Cc", "Cf"], exclude_characters="&"),
        max_size=5,
    ),
    names,
)
def test_a_name_of_nothing_equals_no_other(nothing: str, name: str) -> None:
    assert name_key(nothing) == ""
    assert not same_name(nothing, nothing)
    assert not same_name(nothing, name)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Укрытие / Silo", ["Укрытие", "Silo"]),
        ("Укрытие  /  Silo", ["Укрытие", "Silo"]),
        ("А / B / C", ["А", "B", "C"]),
        ("Без лица / Face/Off", ["Без лица", "Face/Off"]),
        ("Face/Off", ["Face/Off"]),
        ("24/7", ["24/7"]),
        ("<b>Жирный</b> / <b>Bold</b>", ["<b>Жирный</b>", "<b>Bold</b>"]),
        ("Он /Она", ["Он /Она"]),
        ("Он/ Она", ["Он/ Она"]),
        ("", []),
        (" / ", []),
    ],
)
def test_names_are_cut_at_a_slash_between_spaces(name: str, parts: list[str]) -> None:
    assert title(title=name).names == parts


def test_a_memory_is_of_names_that_are_the_same() -> None:
    """And of no others: not of what was cut or compared otherwise."""
    assert names_key(title(title="Том и Джерри / Tom & Jerry")) == names_key(
        title(title="TOM AND JERRY / Том & Джерри")
    )
    assert names_key(title(title="Face/Off")) != names_key(title(title="Face / Off"))
    assert names_key(title(title="Мой / X")) != names_key(title(title="Мои / X"))
