"""Keys of plays: the one normaliser for both sides (sync document §2.2).

A key is an id and a minute. Trakt gives several ids per work and Kinopub knows one of them, so a play has one key per
id; two plays are the same when any of their keys are.
"""

from collections.abc import Iterable, Set

from watchferry.models import Ids, Kind, View, unix

COMPARED = ("trakt", "imdb", "tmdb", "tvdb")
"""Not the slug: it can be renamed and reused."""


def id_keys(kind: Kind, ids: Ids) -> frozenset[str]:
    """`movie:imdb:tt0133093`, one per id."""
    return frozenset(f"{kind}:{name}:{ids[name]}" for name in COMPARED if name in ids)


def play_keys(kind: Kind, ids: Ids, watched_at: int) -> frozenset[str]:
    """`movie:imdb:tt0133093@28411200`: the time is cut to the minute."""
    return frozenset(f"{key}@{watched_at // 60}" for key in id_keys(kind, ids))


def keys_of(view: View, ids: Ids) -> frozenset[str]:
    return play_keys(view.type, ids, view.watched_at)


def remote_keys(kind: Kind, plays: Iterable[tuple[Ids, str | None]]) -> Set[str]:
    """Of Trakt's history: every play's keys, and its ids without a time (for the rule `once`)."""
    keys: set[str] = set()
    for ids, watched_at in plays:
        keys |= id_keys(kind, ids)
        if watched_at:
            keys |= play_keys(kind, ids, unix(watched_at))
    return keys
