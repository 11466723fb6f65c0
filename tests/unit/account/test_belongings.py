"""What is kept about people, table by table: nothing is forgotten in the list, and nothing in the tables."""

import pytest

from tests.tables import everything_stored, tables
from tests.unit.account.conftest import Cloud
from watchferry.account.belongings import BELONGINGS, NOBODYS

PEOPLE_S = [table for belongings in BELONGINGS for table in belongings.tables]


def test_every_table_is_accounted_for() -> None:
    """A new table is exported and swept, or there is a reason why not."""
    assert sorted([*PEOPLE_S, *NOBODYS]) == sorted(tables())


def test_there_is_something_in_every_table(cloud: Cloud) -> None:
    """Otherwise the tests of export and sweep would promise nothing."""
    cloud.keep_something_everywhere()
    counts = {name: cloud.wiring.dynamo.scan(TableName=name)["Count"] for name in tables()}
    assert all(counts[name] for name in PEOPLE_S), counts


@pytest.mark.parametrize("belongings", BELONGINGS, ids=lambda each: "+".join(each.tables))
def test_each_table_is_told_and_swept(cloud: Cloud, belongings: object) -> None:
    """By its own entry of the list: it says something of the user, and leaves none of their rows."""
    [each] = [each for each in BELONGINGS if each is belongings]
    cloud.keep_something_everywhere()
    account = cloud.wiring.accounts.get(cloud.uuid)
    assert account is not None
    told = each.export(cloud.wiring, account)
    assert all(told.values())
    assert bool(told) != (each.tables == ("Webhooks",)), "a webhook's address is a secret"
    if each.tables == ("Accounts",):
        return  # its row goes last, by itself
    for _ in each.forget(cloud.wiring, cloud.uuid):
        pass
    for name in each.tables:
        assert cloud.wiring.dynamo.scan(TableName=name)["Count"] == 0
    assert cloud.uuid in everything_stored(cloud.wiring.dynamo)


@pytest.mark.parametrize("table", NOBODYS)
def test_nobody_s_tables_name_nobody(cloud: Cloud, table: str) -> None:
    """Neither by id nor by name."""
    cloud.keep_something_everywhere()
    rows = cloud.wiring.dynamo.scan(TableName=table)["Items"]
    assert rows
    assert cloud.uuid not in repr(rows)
    assert "harry" not in repr(rows)
