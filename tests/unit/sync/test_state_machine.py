"""The pipeline against a Trakt that never deduplicates, while everything goes wrong that can (tests/chaos.py).

`CHAOS_EXAMPLES=2000 make test` tries as many programs; the seed is fixed, so a run can be repeated.
"""

import os

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.chaos import Action, Chaos
from tests.unit.sync.programs import programs

EXAMPLES = int(os.environ.get("CHAOS_EXAMPLES", "200"))


@pytest.mark.timeout(max(300, EXAMPLES))
@seed(20261122)
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(programs)
def test_nothing_is_lost_and_nothing_is_sent_twice(program: list[Action]) -> None:
    """Whatever is killed, delivered again, answered wrongly or not at all: in the end every view is at Trakt once."""
    chaos = Chaos()
    chaos.play(program)
    chaos.heal()
    assert chaos.problems() == []
