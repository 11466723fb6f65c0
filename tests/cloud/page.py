"""The page, from `spa/` to its bucket: types from the API's description, Vite's build, upload."""

import fcntl
import gzip
import hashlib
import mimetypes
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from tests.cloud.errors import CannotDeploy
from tests.cloud.tools import ENVIRONMENTS, ROOT, installed

PAGE = ROOT / "spa"
BUILT = PAGE / "dist"
IMMUTABLE = "public, max-age=31536000, immutable"
"""Of files with their hash in their name. All others are asked for anew each time."""

mimetypes.add_type("application/manifest+json", ".webmanifest")


def prepare(everything: bool = False) -> None:
    """Installs what the build needs, or what checks and tests need besides, and writes the API's types."""
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    with (ENVIRONMENTS / "page.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        stamp = PAGE / "node_modules" / ".installed"
        lock = hashlib.sha256((PAGE / "package-lock.json").read_bytes()).hexdigest()
        had = stamp.read_text().split() if stamp.is_file() else []
        if had != [lock, "all"] and (everything or had != [lock, "build"]):
            _npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", *(() if everything else ("--omit=dev",)))
            stamp.write_text(f"{lock} {'all' if everything else 'build'}")
        described = subprocess.run(
            [sys.executable, "-c", "from watchferry.openapi.document import document; print(document())"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT / "layers/core")},
            check=True,
            capture_output=True,
            text=True,
        )
        (PAGE / "openapi.json").write_text(described.stdout)
        shapes = hashlib.sha256(described.stdout.encode()).hexdigest()[:12]
        (PAGE / "src/api/shapes.ts").write_text(
            f'/** Another one where openapi.json is. */\nexport const SHAPES = "{shapes}";\n'
        )
        _npm("run", "--silent", "types")


def build() -> None:
    """`spa/dist`. Raises CannotDeploy."""
    prepare()
    _npm("run", "--silent", "build")


def upload(s3: Any, cloudfront: Any, outputs: Mapping[str, str]) -> None:
    """What refers to others comes after them; what a page that is open somewhere may still ask for stays."""
    files = [file for file in BUILT.rglob("*") if file.is_file()]
    for file in sorted(files, key=lambda file: (file.name == "index.html", file.name == "sw.js", file)):
        name = file.relative_to(BUILT).as_posix()
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        packed = not kind.startswith("image/") or kind == "image/svg+xml"
        s3.put_object(
            Bucket=outputs["PageBucket"],
            Key=name,
            # Here rather than by CloudFront, so that the page is as quick wherever it is served from.
            Body=gzip.compress(file.read_bytes(), mtime=0) if packed else file.read_bytes(),
            ContentType=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
            CacheControl=IMMUTABLE if name.startswith("assets/") else "no-cache",
            **({"ContentEncoding": "gzip"} if packed else {}),
        )
    cloudfront.create_invalidation(
        DistributionId=outputs["DistributionId"],
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())},
    )


def _npm(*arguments: str) -> None:
    tools = installed("node") / "bin"
    done = subprocess.run(
        [tools / "npm", *arguments],
        cwd=PAGE,
        env=os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise CannotDeploy(f"npm {' '.join(arguments)} failed:\n{done.stdout[:3000]}{done.stderr[:3000]}")


def main() -> int:
    """For `make`: everything that checks and tests of the page need."""
    try:
        prepare(everything=True)
    except CannotDeploy as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
