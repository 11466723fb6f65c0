"""MiniStack and the SAM CLI, each in an environment of its own: their pins would fight with each other and with ours,
and a Lambda of the local cloud can import whatever MiniStack's environment holds, so that must hold nothing else."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.cloud.errors import CannotDeploy

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".local" / "env"
PYTHON = "3.13"


def installed(tool: str, lock: Path | None = None) -> Path:
    """The folder of the tool's environment, brought up to date with its lock first, `tests/cloud/<tool>.txt`."""
    lock = lock or Path(__file__).with_name(f"{tool}.txt")
    folder = ENVIRONMENTS / tool
    stamp = folder / "installed"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)  # two processes that want it at once: one makes it, the other finds it
        if not (stamp.is_file() and stamp.read_text() == wanted):
            _uv("venv", "--clear", "--python", PYTHON, folder)
            _uv("pip", "sync", "--python", folder / "bin" / "python", "--require-hashes", lock)
            stamp.write_text(wanted)
    return folder


def site_packages(environment: Path) -> Path:
    return environment / "lib" / f"python{PYTHON}" / "site-packages"


def _uv(*arguments: str | Path) -> None:
    uv = shutil.which("uv") or ENVIRONMENTS / "uv" / "bin" / "uv"
    done = subprocess.run([uv, "--quiet", *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        raise CannotDeploy(f"uv {' '.join(map(str, arguments))} failed:\n{done.stderr}")
