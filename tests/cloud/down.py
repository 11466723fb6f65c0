"""`make down`: ends the local cloud; its state is kept for the next `make up`. `python -m tests.cloud.down`"""

import sys

from tests.cloud import ministack
from tests.cloud.errors import CannotDeploy
from tests.cloud.up import home


def main() -> int:
    try:
        stopped = ministack.stop(home())
    except CannotDeploy as error:
        print(error, file=sys.stderr)
        return 1
    (home() / "stack.json").unlink(missing_ok=True)
    print("The local cloud is stopped." if stopped else "The local cloud was not running.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
