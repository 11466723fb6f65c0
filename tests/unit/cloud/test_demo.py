"""The demo and `make up` beside each other."""

from pathlib import Path

import pytest

from tests.cloud import demo, down, ministack
from tests.cloud.up import demo_folder, home


@pytest.fixture(autouse=True)
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFERRY_HOME", str(tmp_path))


def test_a_demo_begins_anew_and_leaves_the_state_of_make_up() -> None:
    """Both keep theirs in a folder `cloud`."""
    for folder in (home(), demo_folder()):
        (folder / "cloud/state").mkdir(parents=True)
        (folder / "stack.json").write_text("{}")
    demo.fresh(demo_folder())
    assert (home() / "cloud/state").is_dir()
    assert not (demo_folder() / "cloud").exists()


def test_down_ends_whichever_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody finds the address of what has ended."""
    stopped: list[Path] = []
    monkeypatch.setattr(ministack, "stop", lambda folder: not stopped.append(folder))
    for folder in (home(), demo_folder()):
        folder.mkdir(exist_ok=True)
        (folder / "stack.json").write_text("{}")
    assert down.main() == 0
    assert stopped == [home(), demo_folder()]
    assert not any((folder / "stack.json").exists() for folder in stopped)
