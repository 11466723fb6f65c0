"""The local cloud as a process: beside others, closed to the outside, and with its state after a stop."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.cloud import ministack

pytestmark = pytest.mark.stack


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[list[Path]]:
    folders = [tmp_path / "one", tmp_path / "two"]
    with ExitStack() as at_the_end:
        for folder in folders:
            folder.mkdir()
            at_the_end.callback(ministack.stop, folder)
        yield folders


def ssm(cloud: ministack.LocalCloud, key_id: str = "test") -> Any:
    return boto3.client(
        "ssm",
        endpoint_url=cloud.endpoint_url,
        region_name=ministack.REGION,
        aws_access_key_id=key_id,
        aws_secret_access_key="test",
    )


def test_two_stand_side_by_side_and_keep_what_they_had(homes: list[Path]) -> None:
    """Each has a port and a memory of its own; a stop forgets nothing, and the address stays."""
    first, second = (ministack.start(home) for home in homes)
    assert first.port != second.port
    ssm(first).put_parameter(Name="/kept", Value="yes", Type="String")
    with pytest.raises(ssm(second).exceptions.ParameterNotFound):
        ssm(second).get_parameter(Name="/kept")

    assert ministack.start(homes[0]) == first, "a second start finds the first"
    assert ministack.stop(homes[0])
    assert not ministack.stop(homes[0])
    assert not first.answers()
    assert second.answers()
    again = ministack.start(homes[0])
    assert again.port == first.port
    assert ssm(again).get_parameter(Name="/kept")["Parameter"]["Value"] == "yes"


def test_is_reached_from_this_machine_with_a_known_key_only(homes: list[Path]) -> None:
    """It listens on the loopback address, and enforces who may do what (by the key's id: it checks no signature)."""
    cloud = ministack.start(homes[0])
    stranger = ssm(cloud, key_id="AKIAGUESSEDGUESSED00")
    with pytest.raises(stranger.exceptions.ClientError):
        stranger.put_parameter(Name="/x", Value="x", Type="String")
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for address in others:
        with pytest.raises(OSError, match=r".*"):
            socket.create_connection((str(address), cloud.port), timeout=1)
