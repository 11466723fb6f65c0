"""Programs for tests/chaos.py: what hypothesis makes up, and in what proportion.

Left to chance alone, most programs would be uneventful. They are made of scenes: somebody watches, something is wrong
upstream, a run starts, its messages are delivered, another run takes its place, time passes.
"""

from hypothesis import strategies as st

from tests import chaos

UNITS = 7
MINUTE, HOUR = 60, 3600

type Actions = st.SearchStrategy[chaos.Action]
type Lists = st.SearchStrategy[list[chaos.Action]]

_units = st.integers(0, UNITS - 1)
_watches = st.builds(
    chaos.Watch,
    _units,
    st.sampled_from(["updated", "updated", "updated", "row"]),
    told=st.sampled_from([False, False, False, False, True]),
)
_person: Actions = st.one_of(
    _watches,
    _watches,
    st.builds(chaos.Begin, _units),
    st.builds(chaos.FinishUnseen, _units),
    st.builds(chaos.Drift, _units, st.integers(1, 25 * MINUTE)),
    st.builds(chaos.MarkShow, st.booleans()),
)
_times: Actions = st.builds(
    chaos.Pass, st.sampled_from([1, 20, 45, 70, 130, 285, 6 * MINUTE, 31 * MINUTE, HOUR, 3 * HOUR, 25 * HOUR])
)
_providers = st.sampled_from(["kinopub", "trakt"])
_connections: Actions = st.one_of(st.builds(chaos.Reconnect, _providers), st.builds(chaos.Disconnect, _providers))
_faults = st.sampled_from(sorted(chaos.FAULTS))
_late: Actions = st.builds(chaos.LatePost, st.sampled_from([1, 20, 50]))
_troubles: Actions = st.one_of(
    st.builds(chaos.Trouble, st.just("post"), _faults, st.integers(1, 3), st.integers(0, 2)),
    st.builds(chaos.Trouble, st.just("post"), _faults, st.just(1), st.just(0)),
    _late,
    _late,
    st.just(chaos.Poison()),
    st.builds(chaos.Trouble, st.sampled_from(["trakt", "kinopub"]), _faults, st.integers(1, 6), st.integers(0, 3)),
)
_garbles: Actions = st.one_of(
    st.builds(chaos.Garble, st.integers(0, 4), st.sampled_from(chaos.GARBLED)),
    st.builds(chaos.Garble, st.integers(0, 4), st.sampled_from(chaos.GARBLED)),
    st.just(chaos.Clear()),
)
_starts: Actions = st.one_of(
    st.builds(chaos.Start, st.sampled_from([False, False, True]), st.sampled_from(["sync", "sync", "sync", "preview"])),
    st.just(chaos.Tick()),
)
_hand: Actions = st.one_of(
    st.just(chaos.Confirm()),
    st.just(chaos.Confirm()),
    st.just(chaos.Cancel()),
    st.builds(chaos.Undo, st.integers(0, 3)),
    st.builds(chaos.Undo, st.just(0)),
    st.builds(chaos.Limit, st.integers(0, 2)),
)
_work: Actions = st.builds(chaos.Work, st.integers(1, 6))

# Another run takes this one's place: its account was connected anew, or it showed no sign of life.
_takes_over: Lists = st.tuples(
    st.sampled_from([chaos.Reconnect("kinopub"), chaos.Reconnect("kinopub"), chaos.Pass(chaos.RUN_LEASE + 1)]),
    _starts,
    st.builds(chaos.Work, st.integers(2, 6)),
).map(list)
# A second planner, when the first one's time is nearly over.
_overtakes: Lists = st.tuples(st.just(chaos.Pass(285)), _work).map(list)

_calls = st.one_of(st.integers(0, 14), st.integers(0, 45))


def _deliveries(meanwhile: Actions | None) -> Actions:
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
        others = st.one_of(st.lists(meanwhile, min_size=1, max_size=4), _takes_over, _overtakes).map(tuple)
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
    st.just([chaos.Start(), chaos.Work(1)]),
    st.lists(_delivery, min_size=1, max_size=2),
    _takes_over,
)
_finished_unseen = _one_after_another(
    st.just([chaos.Begin(0), chaos.Start(), chaos.Work(2), chaos.FinishUnseen(0), chaos.Pass(25 * HOUR)]),
    st.lists(_troubles, max_size=2),
    st.lists(_starts, min_size=1, max_size=1),
    st.lists(st.one_of(_work, _delivery), min_size=1, max_size=4),
)

_previewed = _one_after_another(
    st.lists(_watches, min_size=1, max_size=4),
    st.sampled_from(
        [
            [chaos.Start(mode="preview"), chaos.Work(1)],
            [chaos.Limit(0), chaos.Start(), chaos.Work(1)],
            [chaos.Limit(1), chaos.Tick(), chaos.Work(1)],
        ]
    ),
    st.lists(st.one_of(_watches, _times, _troubles, _connections), max_size=2),
    st.just([chaos.Confirm()]),
    st.lists(st.one_of(_work, _delivery, _delivery, _hand), min_size=1, max_size=5),
)
_undone = _one_after_another(
    st.lists(_watches, min_size=1, max_size=4),
    st.lists(_troubles, max_size=1),
    st.just([chaos.Start(), chaos.Work(1)]),
    st.lists(st.one_of(_work, _delivery), min_size=1, max_size=3),
    st.lists(st.one_of(st.just(chaos.Cancel()), _times), max_size=2),
    st.lists(_troubles, max_size=1),
    st.builds(lambda pick: [chaos.Undo(pick)], st.sampled_from([0, 0, 1])),
    st.lists(st.one_of(_work, _delivery, _delivery, _hand), min_size=1, max_size=4),
)
_unreadable = _one_after_another(
    st.lists(_watches, min_size=1, max_size=3),
    st.lists(_garbles, min_size=1, max_size=3),
    st.lists(_troubles, max_size=1),
    st.lists(_starts, min_size=1, max_size=1),
    st.lists(st.one_of(st.just(chaos.Work(8)), _work, _delivery), min_size=1, max_size=3),
    st.lists(st.one_of(_watches, _garbles, _times, _hand), max_size=3),
    st.sampled_from([[], [chaos.Pass(25 * HOUR), chaos.Tick(), chaos.Work(8)]]),
)

_scenes = st.one_of(_ordinary, _ordinary, _hasty, _finished_unseen, _previewed, _undone, _unreadable, _unreadable)

programs: Lists = st.lists(_scenes, min_size=1, max_size=4).map(
    lambda scenes: [action for scene in scenes for action in scene]
)
