"""Programs for tests/chaos: what hypothesis makes up, and in what proportion.

Left to chance alone, most programs would be uneventful. They are made of scenes: somebody watches, something is wrong
upstream, a run starts, its messages are delivered, another run takes its place, time passes.
"""

import os

from hypothesis import strategies as st

from tests.chaos import actions
from watchferry.storage.accounts import RUN_LEASE

UNITS = 7
MINUTE, HOUR = 60, 3600

type Actions = st.SearchStrategy[actions.Action]
type Lists = st.SearchStrategy[list[actions.Action]]

_units = st.integers(0, UNITS - 1)
_watches = st.builds(
    actions.Watch,
    _units,
    st.sampled_from(["updated", "updated", "updated", "row"]),
    told=st.sampled_from([False, False, False, False, True]),
)
_person: Actions = st.one_of(
    _watches,
    _watches,
    st.builds(actions.Begin, _units),
    st.builds(actions.FinishUnseen, _units),
    st.builds(actions.Drift, _units, st.integers(1, 25 * MINUTE)),
    st.builds(actions.MarkShow, st.booleans()),
)
_times: Actions = st.builds(
    actions.Pass, st.sampled_from([1, 20, 45, 70, 130, 285, 6 * MINUTE, 31 * MINUTE, HOUR, 3 * HOUR, 25 * HOUR])
)
_providers = st.sampled_from(["kinopub", "trakt"])
_connections: Actions = st.one_of(st.builds(actions.Reconnect, _providers), st.builds(actions.Disconnect, _providers))
_faults = st.sampled_from(sorted(actions.FAULTS))
_late: Actions = st.builds(actions.LatePost, st.sampled_from([1, 20, 50]))
_troubles: Actions = st.one_of(
    st.builds(actions.Trouble, st.just("post"), _faults, st.integers(1, 3), st.integers(0, 2)),
    st.builds(actions.Trouble, st.just("post"), _faults, st.just(1), st.just(0)),
    _late,
    _late,
    st.just(actions.Poison()),
    st.builds(actions.Trouble, st.sampled_from(["trakt", "kinopub"]), _faults, st.integers(1, 6), st.integers(0, 3)),
)
_garbles: Actions = st.one_of(
    st.builds(actions.Garble, st.integers(0, 4), st.sampled_from(actions.GARBLED)),
    st.builds(actions.Garble, st.integers(0, 4), st.sampled_from(actions.GARBLED)),
    st.just(actions.Clear()),
)
_one_in_three = st.sampled_from([False, False, True])
_starts: Actions = st.one_of(
    st.builds(
        actions.Start, st.sampled_from([False, False, True]), st.sampled_from(["sync", "sync", "sync", "preview"])
    ),
    st.just(actions.Tick()),
)
_hand: Actions = st.one_of(
    st.just(actions.Confirm()),
    st.just(actions.Confirm()),
    st.just(actions.Cancel()),
    st.builds(actions.Undo, st.integers(0, 3)),
    st.builds(actions.Undo, st.just(0)),
    st.builds(actions.Limit, st.integers(0, 2)),
)
_work: Actions = st.builds(actions.Work, st.integers(1, 6))

# Another run takes this one's place: its account was connected anew, or it showed no sign of life.
_takes_over: Lists = st.tuples(
    st.sampled_from([actions.Reconnect("kinopub"), actions.Reconnect("kinopub"), actions.Pass(RUN_LEASE + 1)]),
    _starts,
    st.builds(actions.Work, st.integers(2, 6)),
).map(list)
# A second planner, when the first one's time is nearly over.
_overtakes: Lists = st.tuples(st.just(actions.Pass(285)), _work).map(list)

_calls = st.one_of(st.integers(0, 14), st.integers(0, 45))


def _deliveries(meanwhile: Actions | None) -> Actions:
    kinds = [
        st.builds(
            actions.Interruption,
            _calls,
            st.sampled_from(["crash", "crash", "error", "repeat"]),
            st.booleans(),
            late=st.sampled_from([0, 0, 20, 50]),
        )
    ]
    if meanwhile is not None:
        others = st.one_of(st.lists(meanwhile, min_size=1, max_size=4), _takes_over, _overtakes).map(tuple)
        slow = st.builds(
            actions.Interruption, _calls, st.just("meanwhile"), st.booleans(), late=st.just(0), meanwhile=others
        )
        kinds += [slow, slow]
    return st.builds(
        actions.Deliver,
        st.integers(0, 3),
        st.lists(st.one_of(kinds), max_size=2).map(tuple),
        st.sampled_from([0, 0, 0, 1, 1, 2, 10]),
    )


_chosen = os.environ.get("CHAOS_ODDITIES")
ODDITIES = _chosen.split(",") if _chosen else (*actions.ODD, *actions.DEEDS)
"""`CHAOS_ODDITIES` in the environment chooses some of them: their names, separated by commas."""
_deeds: dict[str, Actions] = {
    "told elsewhere": st.builds(actions.Elsewhere, st.sampled_from([1, 3, 5])),
    "told again": st.builds(actions.Again, st.integers(0, 3)),
    "told meanwhile": st.builds(actions.Tell, st.integers(0, 3)),
    "undated": st.builds(actions.Elsewhere, st.integers(0, 4), st.just(True)),
    "removed by hand": st.builds(actions.RemovedByHand, st.integers(0, 3)),
    "taken back": st.builds(actions.TakeBack, st.integers(0, 3)),
    "together": st.just(actions.Together()),
    "times that are none": st.builds(actions.Watch, _units, st.just("odd")),
}
_switches = [actions.ODD[name] for name in ODDITIES if name in actions.ODD]
_odd: Actions = st.sampled_from(_switches) if _switches else _times
_oddly: Actions = st.one_of([_deeds[name] for name in ODDITIES if name in _deeds] or [_watches])

_deepest: Actions = st.one_of(_person, _times, _starts, _hand, _troubles, _connections, _work, _deliveries(None))
_inner: Actions = st.one_of(
    _person, _times, _starts, _starts, _hand, _work, _deliveries(_deepest), _troubles, _connections
)
_delivery = _deliveries(_inner)


def _one_after_another(*parts: Lists) -> Lists:
    return st.tuples(*parts).map(lambda lists: [action for each in lists for action in each])


_ordinary = _one_after_another(
    st.lists(_person, min_size=1, max_size=4),
    st.lists(_troubles, max_size=2),
    st.lists(_starts, min_size=1, max_size=1),
    st.lists(st.one_of(_work, _delivery, _delivery), min_size=1, max_size=6),
    st.lists(st.one_of(_times, _times, _connections, _person), max_size=2),
)
_hasty = _one_after_another(
    st.lists(_watches, min_size=1, max_size=3),
    st.lists(_troubles, max_size=1),
    st.just([actions.Start(), actions.Work(1)]),
    st.lists(_delivery, min_size=1, max_size=2),
    _takes_over,
)
_finished_unseen = _one_after_another(
    st.just([actions.Begin(0), actions.Start(), actions.Work(2), actions.FinishUnseen(0), actions.Pass(25 * HOUR)]),
    st.lists(_troubles, max_size=2),
    st.lists(_starts, min_size=1, max_size=1),
    st.lists(st.one_of(_work, _delivery), min_size=1, max_size=4),
)

_previewed = _one_after_another(
    st.lists(_watches, min_size=1, max_size=4),
    st.sampled_from(
        [
            [actions.Start(mode="preview"), actions.Work(1)],
            [actions.Limit(0), actions.Start(), actions.Work(1)],
            [actions.Limit(1), actions.Tick(), actions.Work(1)],
        ]
    ),
    st.lists(st.one_of(_watches, _times, _troubles, _connections), max_size=2),
    st.just([actions.Confirm()]),
    st.lists(st.one_of(_work, _delivery, _delivery, _hand), min_size=1, max_size=5),
)
_undone = _one_after_another(
    st.lists(_watches, min_size=1, max_size=4),
    st.lists(_troubles, max_size=1),
    st.just([actions.Start(), actions.Work(1)]),
    st.lists(st.one_of(_work, _delivery), min_size=1, max_size=3),
    st.lists(st.one_of(st.just(actions.Cancel()), _times), max_size=2),
    st.lists(_troubles, max_size=1),
    st.builds(lambda pick: [actions.Undo(pick)], st.sampled_from([0, 0, 1])),
    st.lists(st.one_of(_work, _delivery, _delivery, _hand), min_size=1, max_size=4),
)
_unreadable = _one_after_another(
    st.lists(_watches, min_size=1, max_size=3),
    st.lists(_garbles, min_size=1, max_size=3),
    st.lists(_troubles, max_size=1),
    st.lists(_starts, min_size=1, max_size=1),
    st.lists(st.one_of(st.just(actions.Work(8)), _work, _delivery), min_size=1, max_size=3),
    st.lists(st.one_of(_watches, _garbles, _times, _hand), max_size=3),
    st.sampled_from([[], [actions.Pass(25 * HOUR), actions.Tick(), actions.Work(8)]]),
)

# The upstreams are odd, other programs and people do things to Trakt's history meanwhile, and what came is undone.
_prefix = st.sampled_from(
    [
        [actions.ODD[name] for name in names if name in ODDITIES]
        for names in ((), ("pages of two",), ("pages of two", "times by the minute", "equal times in any order"))
    ]
)
_told = st.builds(actions.Watch, _units, told=st.just(True))
_others = st.sampled_from([[actions.Elsewhere(5)], [actions.Pass(70), actions.Elsewhere(3)], []])
_everything = [actions.Watch(unit) for unit in (0, 1, 1, 1, 2, 2, 0, 0)]
"""Eight rows, three pages of them."""
_in_full = st.just([actions.Work(8)])
_oddities = _one_after_another(
    _prefix,
    st.lists(_odd, min_size=1, max_size=3),
    st.one_of(
        st.just(_everything), *[st.lists(st.one_of(_watches, _told, _person, _oddly), min_size=1, max_size=5)] * 3
    ),
    _others if "told elsewhere" in ODDITIES else st.just([]),
    st.lists(_troubles, max_size=1),
    st.lists(_starts, min_size=1, max_size=1),
    st.one_of(_in_full, _in_full, st.lists(st.one_of(_work, _delivery, _oddly), min_size=1, max_size=4)),
    st.lists(st.one_of(_odd, _oddly, _times), max_size=3),
    st.one_of(
        st.just([actions.Undo(), actions.Work(6), actions.Undo(), actions.Work(6)]),
        st.just([actions.Undo(), actions.Work(1)]),
        st.just([actions.Confirm(), actions.Work(6)]),
        st.lists(st.one_of(_starts, _watches), max_size=2),
    ),
    st.lists(st.one_of(_work, _delivery, _oddly), max_size=3),
)

_usual = (_ordinary, _ordinary, _hasty, _finished_unseen, _previewed, _undone, _unreadable, _unreadable)
_scenes = st.one_of(*_usual, *([_oddities] * 4 if ODDITIES else []))

programs: Lists = st.lists(_scenes, min_size=1, max_size=4).map(
    lambda scenes: [action for scene in scenes for action in scene]
)
