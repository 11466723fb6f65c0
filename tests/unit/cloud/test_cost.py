"""What a deployment costs while nothing is done, as the bench says it and the README tells it."""

import pytest

from tests.bench import cost
from tests.cloud.tools import ROOT


def test_all_that_stands_is_counted() -> None:
    """One key; Lambda asks three queues; eleven alarms."""
    assert cost.standing() == {
        "KMS key": 1.0,
        "Lambda's polls of 3 queues": pytest.approx(0.79, abs=0.005),
        "11 alarms": pytest.approx(1.10),
    }


def test_readme_tells_the_same() -> None:
    """With the free tier a million requests and ten alarms are free."""
    key, polls, alarms = cost.standing().values()
    told = (ROOT / "README.md").read_text()
    free = 1e6 * cost.QUEUE_REQUEST, 10 * cost.ALARM_MONTH
    for with_free_tier, without in ((key, key), (polls - free[0], polls), (alarms - free[1], alarms)):
        assert f"| {with_free_tier:.2f} $ | {without:.2f} $ |" in told
