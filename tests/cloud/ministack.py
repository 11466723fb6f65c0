"""The local cloud: one MiniStack process with a port of its own, which keeps its state in a folder over a stop."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.cloud.errors import CannotDeploy
from tests.cloud.tools import installed, site_packages

REGION = "us-east-1"
START_SECONDS = 30
STOP_SECONDS = 15

_MAIN = Path(__file__).with_name("run_ministack.py")

# A Lambda inherits MiniStack's environment: what the template does not give must not come from the owner's shell.
_INHERITED = ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, slots=True)
class LocalCloud:
    pid: int
    port: int

    @property
    def endpoint_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        try:
            with urlopen(f"{self.endpoint_url}/_ministack/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


def running(home: Path) -> LocalCloud | None:
    """The local cloud of this folder, if it is up."""
    cloud = _recorded(home)
    return cloud if cloud and _alive(cloud.pid) and cloud.answers() else None


def start(home: Path, more: Mapping[str, str] | None = None) -> LocalCloud:
    """Starts the local cloud, or finds it running. After a stop it has its state again, and its port if still free.

    `more`: of the environment that it gets, and every Lambda with it.
    """
    if cloud := running(home):
        return cloud
    before = _recorded(home)
    environment, sam = installed("ministack"), installed("sam")
    data = home / "cloud"
    unpacked = data / "tmp"
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir(parents=True)
    port = _free_port(before.port if before else 0)
    with (home / "cloud.log").open("ab") as log:
        child = subprocess.Popen(
            [environment / "bin" / "python", "-P", _MAIN, site_packages(sam)],
            cwd=data,
            env={name: os.environ[name] for name in _INHERITED if name in os.environ}
            | {
                "TMPDIR": str(unpacked),  # every Lambda leaves its code there
                "GATEWAY_PORT": str(port),
                "BIND_HOST": "127.0.0.1",
                "AUTH": "true",
                "PERSIST_STATE": "1",
                "STATE_DIR": str(data / "state"),
                "S3_PERSIST": "1",
                "S3_DATA_DIR": str(data / "s3"),
                "AWS_DEFAULT_REGION": REGION,
                "MINISTACK_REGION": REGION,
                "LOG_LEVEL": "WARNING",
                # Listeners of their own, on fixed ports and every address.
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
            }
            | dict(more or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    cloud = LocalCloud(child.pid, port)
    (home / "cloud.json").write_text(json.dumps(asdict(cloud)))
    deadline = time.monotonic() + START_SECONDS
    while not cloud.answers():
        if child.poll() is not None or time.monotonic() > deadline:
            raise CannotDeploy(f"the local cloud does not start; the end of {home / 'cloud.log'} says why")
        time.sleep(0.05)
    return cloud


def stop(home: Path) -> bool:
    """Ends the local cloud and its Lambdas; its state is kept. False when it was not running."""
    cloud = running(home)
    if cloud is None:
        return False
    os.kill(cloud.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _alive(cloud.pid):
        if time.monotonic() > deadline:
            raise CannotDeploy(f"the local cloud (process {cloud.pid}) does not stop")
        time.sleep(0.05)
    return True


def _recorded(home: Path) -> LocalCloud | None:
    file = home / "cloud.json"
    return LocalCloud(**json.loads(file.read_text())) if file.is_file() else None


def _alive(pid: int) -> bool:
    try:
        if os.waitpid(pid, os.WNOHANG) != (0, 0):  # it was our own child
            return False
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
