"""Everything that tests of the whole pipeline stand on."""

import pytest

from tests.world import World


@pytest.fixture
def world() -> World:
    """The small library; batches of three, so that a few views are several of them."""
    made = World("tiny")
    made.settings(batch_size=3)
    return made
