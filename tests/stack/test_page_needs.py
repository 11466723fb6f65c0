"""What could not be matched, mended in a real browser on the deployed stack (page.md)."""

import pytest
from playwright.sync_api import expect

from tests.stack.person import Person
from tests.stack.window import PATIENCE_MS, Window

pytestmark = pytest.mark.stack


def test_mending_a_title(window: Window, person: Person) -> None:
    """What did not match leaves with one word, comes back with another; with a title it is carried by the next run."""
    person.run()
    waiting = person.pages("sync/unmatched")
    [film] = [row["title"] for row in waiting if row["type"] == "movie"]
    [series] = {row["title"] for row in waiting if row["type"] != "movie"}
    window.visit("/needs-you")
    cards = window.page.get_by_role("article")
    window.sees(cards)
    before = cards.count()
    window.picture("needs-you")

    cards.filter(has_text=series).get_by_role("button", name="Ignore").click()
    expect(cards).to_have_count(before - 1)
    window.sees(window.button("Bring back"))
    window.page.reload()
    window.button("Bring back").click()
    window.sees(window.text("Taken back"))

    card = cards.filter(has_text=film)
    card.get_by_label("Search Trakt's films").fill("Film")
    card.get_by_role("radio").first.check()
    with window.page.expect_response("**/api/sync/overrides/*") as stored:  # the card leaves before the answer
        card.get_by_role("button", name="Use this").click()
    assert stored.value.status == 204
    expect(card).to_have_count(0)
    window.sees(window.text("^Is “Film"))
    had = person.plays
    assert person.run()["counts"]["sent"] == 1
    assert (person.plays - had).total() == 1


def test_episodes_that_trakt_counts_otherwise(window: Window, person: Person) -> None:
    """What is added to the numbers is tried before it is said: each episode, and where it would come to be."""
    person.run()
    [lost] = [row for row in person.pages("sync/unmatched") if row["reason"] == "episode_not_found"]
    assert (lost["season"], lost["episode"]) == (1, 5)
    window.visit("/needs-you")
    card = window.page.get_by_role("article").filter(has_text="S1E5")
    use, places = card.get_by_role("button", name="Use this"), card.get_by_role("list", name="From Kinopub to Trakt")
    window.sees(card.get_by_text("0 of 1 episode has a place at Trakt"))
    expect(use).to_be_disabled()
    for added, place in (("2", "S1E5 → nothing"), ("1", "S1E5 → S1E6")):
        card.get_by_label("Add to episode").fill(added)
        expect(places).to_contain_text(place, timeout=PATIENCE_MS)
        expect(use).to_be_enabled(enabled=place.endswith("6"))
    window.sees(card.get_by_text("1 of 1 episode has a place at Trakt"))
    window.picture("needs-you-offset")
    with window.page.expect_response("**/api/sync/overrides/*") as stored:
        use.click()
    assert stored.value.status == 204
    had = person.plays
    assert person.run()["counts"]["sent"] == 1
    [(kind, trakt_id, _)] = person.plays - had
    show = person.at.shelf.show
    assert (kind, trakt_id) == ("episode", show.trakt_episode(show.unit(1, 6)).trakt)
