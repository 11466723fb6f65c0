"""Ledger: what became of every view of a user; what makes a second run find nothing to do."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import Clock
from tests.contract.conftest import Backend
from tests.contract.views import AT, view
from watchferry.models import MOVED_AT_LEAST
from watchferry.storage._dynamo import Item
from watchferry.storage.accounts import Accounts
from watchferry.storage.ledger import MANY_TITLES, Entry, Ledger


@pytest.fixture
def ledger(backend: Backend, clock: Clock) -> Ledger:
    return Ledger(backend.table("Ledger"), clock)


@pytest.fixture
def accounts(backend: Backend, clock: Clock, user: str) -> Iterator[Accounts]:
    accounts = Accounts(backend.table("Accounts"), clock)
    accounts.sign_in(user, {"slug": "harry"})
    yield accounts
    accounts.table.delete({"user_id": user})


@pytest.fixture
def active(accounts: Accounts, user: str) -> Item:
    """While `run-1` is the user's active run."""
    accounts.begin_run(user, "run-1")
    return accounts.while_active(user, "run-1")


def outcomes(ledger: Ledger, user: str, *items: int) -> dict[str, list[str]]:
    return {unit: [entry.outcome for entry in entries] for unit, entries in ledger.of(user, items).items()}


def test_what_is_recorded_is_there(ledger: Ledger, user: str) -> None:
    """With its time, ids and run; of that user alone."""
    ledger.record(user, "run-1", [(view(), "sent", {"trakt": 5, "imdb": "tt1"})])
    entries = ledger.of(user, [113])
    assert entries == {"113-7": [Entry(AT, "sent", {"trakt": 5, "imdb": "tt1"}, "run-1", False, 0)]}
    assert ledger.of(user + "x", [113]) == {}


def test_titles_are_kept_apart(ledger: Ledger, user: str) -> None:
    """11 is not 113, and what was not asked for is left out."""
    for item in (11, 113, 1130):
        ledger.record(user, "run-1", [(view(item), "sent", {})])
    assert set(ledger.of(user, [11])) == {"11-7"}
    assert set(ledger.of(user, [113, 1130])) == {"113-7", "1130-7"}
    assert ledger.of(user, []) == {}


def test_many_titles_at_once(ledger: Ledger, user: str) -> None:
    """However many are asked for, each is found."""
    items = range(1, 3 * MANY_TITLES)
    ledger.record(user, "run-1", [(view(item, media), "sent", {}) for item in items for media in (1, 2, 3)])
    found = ledger.of(user, items)
    assert set(found) == {f"{item}-{media}" for item in items for media in (1, 2, 3)}


def test_a_rewatch_is_another_entry(ledger: Ledger, user: str) -> None:
    """One entry a minute; what is recorded again takes the place of the first."""
    first, again, later = view(at=AT), view(at=AT + 1), view(at=AT + 86_400)
    ledger.record(user, "run-1", [(first, "not_found", {})])
    ledger.record(user, "run-2", [(again, "sent", {"trakt": 5})])
    ledger.record(user, "run-2", [(later, "sent", {"trakt": 5})])
    assert outcomes(ledger, user, 113) == {"113-7": ["sent", "sent"]}


def test_intentions(ledger: Ledger, user: str, active: Item) -> None:
    """Before a POST: `sending`, with the time from which on it can be looked for. The outcome takes its place."""
    assert ledger.intend(user, "run-1", [(view(), {"trakt": 5})], settled_at=AT + 70.5, while_active=active)
    [entry] = ledger.of(user, [113])["113-7"]
    assert (entry.outcome, entry.ids, entry.settled_at) == ("sending", {"trakt": 5}, AT + 71)
    ledger.record(user, "run-1", [(view(), "sent", {"trakt": 5})])
    [entry] = ledger.of(user, [113])["113-7"]
    assert (entry.outcome, entry.settled_at) == ("sent", 0)


@pytest.mark.parametrize("number", [1, 99, 100, 250])
def test_a_run_that_lost_its_place_intends_nothing(
    ledger: Ledger, accounts: Accounts, user: str, active: Item, number: int
) -> None:
    """However many views: what its successor wrote stays as it is."""
    views = [(view(media=media), {"trakt": media}) for media in range(number)]
    assert ledger.intend(user, "run-1", views, settled_at=AT, while_active=active)
    assert len(ledger.of(user, [113])) == number
    ledger.record(user, "run-2", [(each, "sent", ids) for each, ids in views])
    accounts.free(user, "run-1")
    assert not ledger.intend(user, "run-1", views, settled_at=AT, while_active=active)
    assert {entry.outcome for [entry] in ledger.of(user, [113]).values()} == {"sent"}


def test_withdrawn(ledger: Ledger, user: str, active: Item) -> None:
    """An intention of this run is gone; what it has done, and what another one intends, is not."""
    ledger.intend(user, "run-1", [(view(media=n), {}) for n in (1, 2, 3)], settled_at=AT, while_active=active)
    ledger.record(user, "run-1", [(view(media=2), "sent", {})])
    ledger.withdraw(user, "run-2", [view(media=3)])
    ledger.withdraw(user, "run-1", [view(media=1), view(media=2), view(media=99)])
    assert outcomes(ledger, user, 113) == {"113-2": ["sent"], "113-3": ["sending"]}


def test_written_at_once(ledger: Ledger, user: str) -> None:
    """Batches of one run end side by side: nothing is lost."""

    def record(number: int) -> None:
        ledger.record(user, "run-1", [(view(number + 1, media), "sent", {}) for media in range(30)])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(record, range(8)))
    assert len(ledger.of(user, range(1, 9))) == 240


def test_the_same_view() -> None:
    """Its time may have moved during the credits, not by the length of the film."""

    def entry(at: int, made_up: bool = False) -> Entry:
        return Entry(at, "sent", {}, "run-1", made_up, 0)

    seen = view(at=AT, duration=6_000)
    assert entry(AT - 5_999).is_view(seen)
    assert entry(AT + 5_999).is_view(seen)
    assert not entry(AT - 6_000).is_view(seen)
    short = view(at=AT, duration=60)
    assert entry(AT - MOVED_AT_LEAST + 1).is_view(short)
    assert not entry(AT - MOVED_AT_LEAST).is_view(short)
    assert entry(AT + 10**6, made_up=True).is_view(seen)
    assert entry(AT - 10**6).is_view(view(at=AT, timestamp_missing=True))


def test_all_of_a_user_s(ledger: Ledger, user: str) -> None:
    """Told with their units, and deleted together; nobody else's."""
    views = [(view(media=media), "sent", {"trakt": media}) for media in range(1, 31)]
    for owner in (user, f"{user}x"):
        ledger.record(owner, "run-1", views)  # type: ignore[arg-type]
    assert {(unit, entry.ids["trakt"]) for unit, entry in ledger.all(user)} == {(f"113-{n}", n) for n in range(1, 31)}
    ledger.delete(user)
    assert list(ledger.all(user)) == []
    assert len(list(ledger.all(f"{user}x"))) == 30
    ledger.delete(f"{user}x")
