"""Every promise of storage/ is made by DynamoDB: tested on moto, and on the tables of the deployed local stack.

Tests use ids of their own and leave nothing behind that a running stack would work on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from moto import mock_aws

from tests.conftest import REGION, Clock, client
from tests.tables import create_tables, tables
from watchferry.storage._dynamo import Table

if TYPE_CHECKING:
    from tests.stack.deployed import Deployed


@dataclass(frozen=True, slots=True)
class Backend:
    """A DynamoDB and the names of its tables."""

    dynamo: Any
    names: dict[str, str]

    def table(self, logical_id: str) -> Table:
        return Table(self.dynamo, self.names[logical_id])


@pytest.fixture(params=["moto", pytest.param("stack", marks=[pytest.mark.stack, pytest.mark.thorough])])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    if request.param == "stack":
        yield request.getfixturevalue("stack_backend")
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        create_tables(client("dynamodb"))
        yield Backend(client("dynamodb"), {name: name for name in tables()})


@pytest.fixture(scope="session")
def stack_backend(deployed: "Deployed") -> Backend:
    return Backend(deployed.cloud("dynamodb"), deployed.stack.tables)


@pytest.fixture
def user() -> str:
    """Nobody's id yet."""
    return f"test-{uuid4().hex}"


@pytest.fixture
def clock() -> Clock:
    """In the far future: rows of tests must not expire while they are looked at."""
    return Clock(4_000_000_000.0)
