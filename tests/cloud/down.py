"""`make down`: ends the local cloud, and the demo's; the state of `make up` is kept. `python -m tests.cloud.down`"""

import sys
from pathlib import Path

from tests.cloud import ministack
from tests.cloud.errors import CannotDeploy
from tests.cloud.up import demo_folder, home


def main() -> int:
    try:
        stopped = [stop(folder) for folder in (home(), demo_folder())]
    except CannotDeploy as error:
        print(error, file=sys.stderr)
        return 1
    print("The local cloud is stopped." if any(stopped) else "The local cloud was not running.")
    return 0


def stop(folder: Path) -> bool:
    stopped = ministack.stop(folder)
    (folder / "stack.json").unlink(missing_ok=True)
    return stopped


if __name__ == "__main__":
    sys.exit(main())
