"""What a cold start costs: a function's import and its first AWS client, against `import boto3` and the same client.

Every measurement is a process of its own, boto3's and a function's in turn. What else the machine does only ever adds
to one: the least of all rounds is what it takes. It sees the layer as it is built and the standard library, nothing of
this project's environment. Lambda cannot write bytecode beside the code; `without bytecode` is the same layer as if
none had come with it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from tests.bench.figures import number
from tests.bench.options import Options
from tests.cloud import deployment, ministack
from tests.cloud.settings import load_template
from tests.cloud.tools import ROOT
from tests.cloud.up import local_target

TARGET = 1.2
"""Times what `import boto3` and a client take."""

REFERENCE = "import boto3; boto3.client('dynamodb')"
FUNCTION = "import app; from watchferry.wiring import Wiring; made = Wiring(); made.dynamo"

NEEDED: Mapping[str, tuple[str, ...]] = {
    "auth_api": ("sessions", "accounts", "broker"),
    "sync_api": ("sessions", "accounts", "runs", "plans", "queues"),
    "proxy_api": ("sessions", "door"),
    "prowlarr_api": ("sessions", "prowlarr_door"),
    "sync_scheduler": ("accounts", "queues"),
    "sync_planner": ("workshop",),
    "history_sender": ("workshop",),
    "notifier": ("notifier", "notices"),
}
"""What a function makes before it works, beyond its start: the parts of the wiring."""

_MEASURED = """
import sys, time
sys.path[:0] = {paths!r}
wall, cpu = time.perf_counter(), time.process_time()
{program}
sys.stdout.write(f"\\n{{time.perf_counter() - wall}} {{time.process_time() - cpu}}")
"""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds, or how many times as many."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Compared:
    """The least of all rounds, as many of each."""

    function: Took
    reference: Took
    ready: Took

    @property
    def ratio(self) -> Took:
        return Took(self.function.wall / self.reference.wall, self.function.cpu / self.reference.cpu)


def bench(options: Options) -> None:
    with layers() as found:
        for name, layer in found.items():
            table = Table(
                title=f"Import and first AWS client, layer {name}, least of {options.rounds}",
                title_justify="left",
                title_style="bold",
            )
            for head in ("function", "boto3 ms", "function ms", "ratio", "ratio of CPU", "target", "", "ready ms"):
                table.add_column(head, justify="left" if head == "function" else "right")
            for function in sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py")):
                made = compare(function, layer, options.rounds)
                table.add_row(
                    function,
                    number(made.reference.wall * 1000, digits=0),
                    number(made.function.wall * 1000, digits=0),
                    number(made.ratio.wall),
                    number(made.ratio.cpu),
                    f"≤ {TARGET}",
                    "[green]✓[/]" if made.ratio.cpu <= TARGET else "[red]✗[/]",
                    number(made.ready.wall * 1000, digits=0),
                )
            options.out.print(table)
    options.out.print(
        "[dim]Judged by CPU seconds. `ready`: import and all that the function makes before it works on a message or a"
        " signed-in request.[/]"
    )


def compare(function: str, layer: Path, rounds: int) -> Compared:
    folder = ROOT / "functions" / function
    ready = f"{FUNCTION}; [getattr(made, name) for name in {NEEDED.get(function, ())!r}]"
    taken = [
        [measure(program, [folder, layer], function) for program in (REFERENCE, FUNCTION, ready)] for _ in range(rounds)
    ]
    reference, started, working = (least(column) for column in zip(*taken, strict=True))
    return Compared(started, reference, working)


def least(taken: Sequence[Took]) -> Took:
    return Took(min(each.wall for each in taken), min(each.cpu for each in taken))


def measure(program: str, paths: list[Path], function: str) -> Took:
    done = subprocess.run(
        # The interpreter under the project's environment; isolated and without `site`, so with no packages of its own.
        [
            Path(sys.base_prefix) / "bin" / "python3.13",
            "-ISBc",
            _MEASURED.format(paths=[*map(str, paths)], program=program),
        ],
        env=environment(function),
        cwd=paths[0],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{function} does not start:\n{done.stderr}")
    wall, cpu = done.stdout.splitlines()[-1].split()
    return Took(float(wall), float(cpu))


def environment(function: str) -> dict[str, str]:
    """The variables that template.yaml gives every function; what only a deployment knows is `-`."""
    template = load_template()
    defaults = {name: str(body.get("Default", "")) for name, body in template["Parameters"].items()}
    given = {
        name: defaults.get(value.get("Ref", ""), "") or "-" if isinstance(value, dict) else str(value)
        for name, value in template["Globals"]["Function"]["Environment"]["Variables"].items()
    }
    return given | {
        "PATH": os.environ["PATH"],
        "POWERTOOLS_SERVICE_NAME": function,
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_REGION": ministack.REGION,
        "AWS_DEFAULT_REGION": ministack.REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


@contextmanager
def layers() -> Iterator[Mapping[str, Path]]:
    """The layer, built from the sources as they are now, as it travels to Lambda and without its bytecode."""
    with tempfile.TemporaryDirectory(prefix="watchferry-bench-") as folder:
        as_built, plain = Path(folder) / "as-built", Path(folder) / "plain"
        target = local_target(ministack.LocalCloud(pid=0, port=0), Path(folder))
        with deployment._one_build_at_a_time():
            deployment.build(target)
            shutil.copytree(deployment.BUILT_LAYER / "python", as_built)
        shutil.copytree(as_built, plain, ignore=shutil.ignore_patterns("__pycache__"))
        bytecode = any(as_built.rglob("*.pyc"))
        yield {"as built" if bytecode else "as built (without bytecode)": as_built, "without bytecode": plain}
