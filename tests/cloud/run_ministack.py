"""MiniStack, started by ministack.py in an environment of its own. Its argument: the SAM CLI's site-packages."""

import hashlib
import os
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

unpack, names = zipfile.ZipFile.extractall, zipfile.ZipFile.namelist
one_at_a_time = threading.Lock()


def unpacked(layer: zipfile.ZipFile) -> Path:
    """Where its copy is, or will be."""
    told = repr([(each.filename, each.CRC) for each in layer.infolist()])
    return Path(os.environ["TMPDIR"], "layers", hashlib.sha256(told.encode()).hexdigest())


def names_to_check(self: zipfile.ZipFile) -> list[str]:
    """MiniStack checks where each file of a layer would go: in vain for one that is unpacked already."""
    is_layer = Path(self.filename or "").name.startswith("layer_")
    return [] if is_layer and unpacked(self).exists() else names(self)


def unpack_layers_once(self: zipfile.ZipFile, path: Any = None, *rest: Any, **more: Any) -> None:
    """MiniStack unpacks a layer for every process: thousands of files, seconds. One copy does for all who read it."""
    if path is None or not Path(path).name.startswith("layer_"):
        return unpack(self, path, *rest, **more)
    folder = unpacked(self)
    with one_at_a_time:
        if not folder.exists():
            partly = folder.with_suffix(".new")
            unpack(self, partly, *rest, **more)
            partly.rename(folder)
    Path(path).rmdir()
    Path(path).symlink_to(folder)
    return None


if __name__ == "__main__":
    # MiniStack expands SAM templates with the SAM CLI's translator, which brings half of our layer's dependencies with
    # it. Only MiniStack itself gets to see that, appended here: a Lambda, started from the same environment, does not.
    sys.path.append(sys.argv.pop())
    zipfile.ZipFile.extractall = unpack_layers_once  # type: ignore[method-assign]
    zipfile.ZipFile.namelist = names_to_check  # type: ignore[method-assign]
    from ministack.app import main  # type: ignore[import-not-found]

    main()
