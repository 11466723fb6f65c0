"""README's list of the proxy's endpoints, made from the one table. `python -m tests.endpoints` writes it."""

import sys

from tests.cloud.tools import ROOT

sys.path.insert(0, str(ROOT / "layers" / "core"))

from watchferry.proxy.policy import TABLE, UPSTREAMS, Endpoint

README = ROOT / "README.md"
BEGIN, END = "by `python -m tests.endpoints` -->\n", "<!-- end of endpoints -->"
KEPT = {86400: "24 h", 3600: "1 h", 300: "5 min", 60: "1 min", 0: "never"}


def listed() -> str:
    """A table of Markdown."""
    lines = ["| endpoint | of | remembered | credential |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *map(_line, TABLE)]) + "\n"


def _line(row: Endpoint) -> str:
    kept = KEPT[row.seconds] + (" per user" if row.seconds and row.scope == "user" else "")
    whose = "the deployment's" if row.credential == "app" else "the user's"
    return f"| `{row.method} /api/{row.prefix}{row.path}` | {UPSTREAMS[row.prefix]} | {kept} | {whose} |"


def in_readme() -> str:
    return README.read_text().partition(BEGIN)[2].partition(END)[0]


def write() -> None:
    before, begin, rest = README.read_text().partition(BEGIN)
    README.write_text(before + begin + listed() + END + rest.partition(END)[2])


if __name__ == "__main__":
    write()
