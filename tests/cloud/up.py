"""`make up`: the local cloud and the stack in it. `python -m tests.cloud.up`"""

import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from tests.cloud import ministack
from tests.cloud import settings as owner
from tests.cloud.deployment import Target, deploy, tell
from tests.cloud.errors import CannotDeploy, MissingSettings
from tests.cloud.stack import Stack
from tests.cloud.tools import ROOT

CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
"""The local cloud's owner."""


def home() -> Path:
    """The folder of the local cloud: `.local`, or what WATCHFERRY_HOME says, for another stack beside it."""
    return Path(os.environ.get("WATCHFERRY_HOME") or ROOT / ".local").resolve()


def demo_folder() -> Path:
    """The demo's own: it begins with nothing each time, and what `make up` keeps is not its to throw away."""
    return home() / "demo"


def up(
    folder: Path,
    environ: Mapping[str, str],
    say: Callable[[str], None] = tell,
    inside: Mapping[str, str] | None = None,
) -> Stack:
    """Starts what is not running, deploys, writes `stack.json`. On a running stack it deploys what has changed.

    `inside`: what the processes of the local cloud find in their environment besides.
    """
    settings = owner.read(with_local_defaults(environ), "local")
    folder.mkdir(parents=True, exist_ok=True)
    say("starting the local cloud")
    cloud = ministack.start(folder, inside)
    stack = replace(deploy(local_target(cloud, folder), settings, say), pid=cloud.pid)
    stack.write(folder / "stack.json")
    return stack


def local_target(cloud: ministack.LocalCloud, folder: Path) -> Target:
    return Target(
        config_env="local",
        region=ministack.REGION,
        arch="arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64",
        log=folder / "sam.log",
        endpoint_url=cloud.endpoint_url,
        credentials=CREDENTIALS,
        sam_environment={
            **{name.upper(): value for name, value in CREDENTIALS.items()},
            "AWS_ENDPOINT_URL": cloud.endpoint_url,
            "SAM_CLI_POLL_DELAY": "0.3",
        },
        local_port=cloud.port,
    )


def with_local_defaults(environ: Mapping[str, str]) -> dict[str, str]:
    """A stand-in for Trakt usually answers OAuth calls at the same address."""
    given = dict(environ)
    if given.get("TRAKT_API_URL") and not given.get("TRAKT_AUTH_URL"):
        given["TRAKT_AUTH_URL"] = given["TRAKT_API_URL"]
    return given


def main() -> int:
    try:
        stack = up(home(), os.environ)
    except MissingSettings as error:
        print(f"make up needs these in the environment: {', '.join(error.names)}", file=sys.stderr)
        return 2
    except CannotDeploy as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"\nThe page    {stack.site_url}\nThe API     {stack.api_url}\nEverything  {home() / 'stack.json'}"
        "\n\nEnd it with `make down`."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
