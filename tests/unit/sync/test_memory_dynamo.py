"""The crash tests stand on tests/memory_dynamo.py: it answers whatever `storage` asks as moto does."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests.memory_dynamo import MemoryDynamo
from tests.tables import create_tables
from watchferry.storage._dynamo import Attr, ConditionFailed, Key, Table, transact

ids = st.sampled_from(["r0", "r1"])
rows = st.sampled_from(["a", "ab", "b"])
keys = st.builds(lambda run, row: {"run_id": run, "row": row}, ids, rows)
numbers = st.integers(-3, 3)
words = st.text("xyz", max_size=3)
values = st.one_of(numbers, words, st.booleans(), st.binary(max_size=4), st.lists(numbers, max_size=2))
fields = st.fixed_dictionaries({}, optional={"n": numbers, "status": values, "data": values, "owner": values})
"""`n` is always a number: moto stumbles over an order between types, DynamoDB finds none."""
plain_conditions = st.one_of(
    st.sampled_from(
        [
            Attr("run_id").exists(),
            Attr("run_id").not_exists(),
            Attr("owner").not_exists(),
            Attr("status").is_in(["x", "y", "xy"]),
            ~Attr("status").is_in(["x", ""]),
            Attr("counts.n").gt(0),
        ]
    ),
    values.map(Attr("status").eq),
    values.map(Attr("owner").ne),
    numbers.map(Attr("n").lt),
    numbers.map(Attr("n").lte),
    numbers.map(Attr("n").gte),
)
conditions = st.recursive(
    plain_conditions,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        inner.map(lambda a: ~a),
    ),
    max_leaves=4,
)
maybe = st.none() | conditions
query_keys = st.one_of(
    ids.map(Key("run_id").eq),
    st.builds(lambda run, row: Key("run_id").eq(run) & Key("row").begins_with(row), ids, st.sampled_from(["a", "b"])),
    st.builds(lambda run, row: Key("run_id").eq(run) & Key("row").lt(row), ids, st.sampled_from(["ab", "b"])),
)
additions = st.dictionaries(st.just("counts.n"), numbers, max_size=1)
distinct = st.lists(keys, max_size=3, unique_by=lambda key: (key["run_id"], key["row"]))

Step = Callable[[Table], Any]


def whole(key: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {**key, "counts": {"n": 0}, **more}


def parts(table: Table, many: list[Any], more: dict[str, Any], whens: list[Any]) -> Iterator[dict[str, Any]]:
    """Of a transaction: checks, puts and updates in turn."""
    for number, (key, when) in enumerate(zip(many, whens, strict=False)):
        if when is not None and number % 3 == 0:
            yield table.checking(key, when)
        elif number % 2:
            yield table.updating(key, set_={"status": "x"}, when=when)
        else:
            yield table.putting(whole(key, more), when)


steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(lambda key: lambda table: table.get(key), keys),
    st.builds(lambda key, more, when: lambda table: table.put(whole(key, more), when), keys, fields, maybe),
    st.builds(lambda key, when: lambda table: table.delete(key, when), keys, maybe),
    st.builds(
        lambda key, more, add, remove, when: (
            lambda table: table.update(
                key, set_=more, add=add, remove=[name for name in remove if name not in more], when=when
            )
        ),
        keys,
        fields.filter(bool),
        additions,
        st.lists(st.sampled_from(["owner", "data"]), unique=True),
        maybe,
    ),
    st.builds(
        lambda key, newest, limit: lambda table: list(table.query(key, newest_first=newest, limit=limit)),
        query_keys,
        st.booleans(),
        st.none() | st.integers(1, 2),
    ),
    st.builds(
        lambda run, after, newest: (
            lambda table: list(
                table.query(Key("run_id").eq(run), after={"run_id": run, "row": after}, newest_first=newest)
            )
        ),
        ids,
        rows,
        st.booleans(),
    ),
    st.builds(
        lambda wanted: lambda table: sorted(table.get_many(wanted), key=lambda item: (item["run_id"], item["row"])),
        distinct,
    ),
    st.builds(lambda many, more: lambda table: table.put_many([whole(key, more) for key in many]), distinct, fields),
    st.builds(lambda many: lambda table: table.delete_many(many), distinct),
    st.builds(
        lambda many, more, whens: lambda table: transact(table.client, list(parts(table, many, more, whens))),
        distinct.filter(bool),
        fields,
        st.lists(maybe, min_size=3, max_size=3),
    ),
)


def outcome(step: Step, table: Table) -> Any:
    try:
        return step(table)
    except ConditionFailed as failed:
        return "condition failed", failed.item
    except ClientError as error:
        return error.response["Error"]["Code"]


@pytest.fixture(scope="module")
def theirs() -> Iterator[Table]:
    """moto's table."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        create_tables(client)
        yield Table(client, "Plans")


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(st.lists(steps, min_size=4, max_size=10))
def test_it_answers_as_moto_does(theirs: Table, program: list[Step]) -> None:
    """Any reads and writes of storage/_dynamo.py have the same answers and leave the same items."""
    ours = Table(MemoryDynamo(), "Plans")  # type: ignore[arg-type]
    for run in ("r0", "r1"):
        theirs.delete_many([{"run_id": run, "row": item["row"]} for item in theirs.query(Key("run_id").eq(run))])
    for step in program:
        assert outcome(step, ours) == outcome(step, theirs)
    for run in ("r0", "r1"):
        key = Key("run_id").eq(run)
        assert list(ours.query(key)) == list(theirs.query(key))


def test_an_index_shows_the_items_that_have_its_keys() -> None:
    """The schedule's index holds just the users that have a shard."""
    table = Table(MemoryDynamo(), "Accounts")  # type: ignore[arg-type]
    table.put_many({"user_id": f"u{n}", "schedule_shard": "s01" if n % 2 else None} for n in range(4))
    found = table.query(Key("schedule_shard").eq("s01"), index="schedule")
    assert [item["user_id"] for item in found] == ["u1", "u3"]


@pytest.mark.parametrize(
    "step",
    [
        lambda table: table.put_many([{"run_id": "r", "row": "a"}] * 2),
        lambda table: list(table.get_many([{"run_id": "r", "row": "a"}] * 2)),
        lambda table: transact(table.client, [table.putting({"run_id": "r", "row": "a"})] * 2),
        lambda table: transact(table.client, [table.putting({"run_id": "r", "row": str(n)}) for n in range(101)]),
        lambda table: table.put({"run_id": "r", "row": "a", "data": b"x" * 400_001}),
    ],
    ids=["twice in a batch", "twice in a read", "twice in a transaction", "more than a hundred", "more than 400 KB"],
)
def test_it_refuses_what_dynamodb_refuses(step: Step) -> None:
    """What the real service would not take must not pass here unseen."""
    with pytest.raises(ClientError):
        step(Table(MemoryDynamo(), "Plans"))  # type: ignore[arg-type]
