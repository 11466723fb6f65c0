"""Figures beside their targets, as tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """`met` is None where nothing was asked for."""

    name: str
    found: str
    target: str = ""
    met: bool | None = None
    note: str = ""

    @classmethod
    def at_most(cls, name: str, found: float, limit: float, unit: str = "", *, note: str = "") -> Self:
        return cls(name, number(found, unit), f"≤ {limit:g} {unit}".strip(), found <= limit, note)

    @classmethod
    def exactly(cls, name: str, found: object, wanted: object, note: str = "") -> Self:
        return cls(name, str(found), str(wanted), found == wanted, note)

    @classmethod
    def told(cls, name: str, found: float | str, unit: str = "", *, note: str = "") -> Self:
        return cls(name, found if isinstance(found, str) else number(found, unit), note=note)


def number(value: float, unit: str = "", digits: int = 2) -> str:
    """Thousands apart; whole numbers without a fraction."""
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"
    return f"{text} {unit}".strip()


def show(out: Console, title: str, figures: Iterable[Figure]) -> None:
    figures = list(figures)
    judged = any(figure.met is not None for figure in figures)
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("")
    table.add_column("found", justify="right")
    if judged:
        table.add_column("target", justify="right", style="dim")
        table.add_column("")
    table.add_column("", style="dim")
    for figure in figures:
        verdict = {True: "[green]✓[/]", False: "[red]✗[/]", None: ""}[figure.met]
        table.add_row(figure.name, figure.found, *([figure.target, verdict] if judged else []), figure.note)
    out.print(table)
