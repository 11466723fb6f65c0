"""Programs for tests/chaos.py: what hypothesis makes up, and in what proportion."""

from hypothesis import strategies as st

from tests import chaos

UNITS = 7
MINUTE, HOUR = 60, 3600

_units = st.integers(0, UNITS - 1)
_watches = st.builds(
    chaos.Watch,
    _units,
    st.sampled_from(["updated", "updated", "row"]),
    told=st.sampled_from([False, False, False, True]),
)
_person = st.one_of(
    _watches,
    _watches,
    st.builds(chaos.Begin, _units),
    st.builds(chaos.FinishUnseen, _units),
    st.builds(chaos.Drift, _units, st.integers(1, 25 * MINUTE)),
    st.builds(chaos.MarkShow, st.booleans()),
)
_times = st.builds(
    chaos.Pass, st.sampled_from([1, 20, 45, 70, 130, 6 * MINUTE, 31 * MINUTE, HOUR, 3 * HOUR, 25 * HOUR])
)
_connections = st.one_of(
    st.builds(chaos.Reconnect, st.sampled_from(["kinopub", "trakt"])),
    st.builds(chaos.Disconnect, st.sampled_from(["kinopub", "trakt"])),
)
_faults = st.sampled_from(sorted(chaos.FAULTS))
_troubles = st.one_of(
    st.builds(chaos.Trouble, st.just("post"), _faults, st.integers(1, 3), st.integers(0, 2)),
    st.builds(chaos.Trouble, st.just("post"), _faults, st.just(1), st.just(0)),
    st.builds(chaos.LatePost, st.integers(1, 50)),
    st.builds(chaos.LatePost, st.integers(1, 50)),
    st.just(chaos.Poison()),
    st.builds(chaos.Trouble, st.sampled_from(["trakt", "kinopub"]), _faults, st.integers(1, 6), st.integers(0, 3)),
)
_starts = st.one_of(st.builds(chaos.Start, st.sampled_from([False, False, True])), st.just(chaos.Tick()))

_calls = st.one_of(st.integers(0, 16), st.integers(0, 45))


def _deliveries(meanwhile: st.SearchStrategy[chaos.Action] | None) -> st.SearchStrategy[chaos.Action]:
    kinds = [
        st.builds(
            chaos.Interruption,
            _calls,
            st.sampled_from(["crash", "crash", "error", "repeat"]),
            st.booleans(),
            late=st.sampled_from([0, 0, 20, 50]),
        )
    ]
    if meanwhile is not None:
        others = st.lists(meanwhile, min_size=1, max_size=4).map(tuple)
        slow = st.builds(
            chaos.Interruption, _calls, st.just("meanwhile"), st.booleans(), late=st.just(0), meanwhile=others
        )
        kinds += [slow, slow]
    return st.builds(
        chaos.Deliver,
        st.integers(0, 3),
        st.lists(st.one_of(kinds), max_size=2).map(tuple),
        st.sampled_from([0, 0, 0, 1, 1, 2, 10]),
    )


_work = st.builds(chaos.Work, st.integers(1, 6))
_deepest = st.one_of(_person, _times, _starts, _troubles, _connections, _work, _deliveries(None))
_inner = st.one_of(_person, _times, _starts, _starts, _work, _deliveries(_deepest), _troubles, _connections)
_delivery = _deliveries(_inner)


def _maybe(what: st.SearchStrategy[chaos.Action], most: int) -> st.SearchStrategy[list[chaos.Action]]:
    return st.lists(what, max_size=most)


def _joined(parts: tuple[list[chaos.Action], ...]) -> list[chaos.Action]:
    return [action for part in parts for action in part]


_scenes = st.tuples(
    st.lists(_person, min_size=1, max_size=4),
    _maybe(_troubles, 2),
    st.lists(_starts, min_size=1, max_size=1),
    st.lists(st.one_of(_work, _delivery, _delivery), min_size=1, max_size=6),
    _maybe(st.one_of(_times, _times, _connections, _person), 2),
).map(_joined)

programs = st.lists(_scenes, min_size=1, max_size=4).map(lambda scenes: [each for scene in scenes for each in scene])
"""Scenes: somebody watches, something is wrong upstream, a run starts, messages are delivered, time passes."""
