"""What every bench says: figures, as a table for people and as JSON for `bench.suite`."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured value: of which bench, in which scene, whose, and the command that measures it again."""

    bench: str
    scene: str
    who: str
    figure: str
    value: float
    unit: str
    command: str = ""


def parser(what: str | None) -> argparse.ArgumentParser:
    """Return a parser with the one option that all benches have."""
    made = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return made


def told(figures: Iterable[Figure], file: Path | None) -> None:
    """Print the table, and write the file."""
    command = own_command()
    rows = [f if f.command else f._replace(command=command) for f in figures]
    sys.stdout.write(table(rows) + "\n")
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps([r._asdict() for r in rows], indent=1) + "\n", encoding="utf-8")


def own_command() -> str:
    """Return this process's command as one types it in the repository."""
    module = Path(sys.argv[0]).stem
    given = [a for a, before in zip(sys.argv[1:], sys.argv, strict=False) if "--json" not in (a, before)]
    return f"PYTHONPATH=tests python -m bench.{module} {shlex.join(map(_short, given))}".rstrip()


def _short(argument: str) -> str:
    """Return programs by their names: their paths differ from machine to machine."""
    return os.path.basename(argument) if os.path.isabs(argument) else argument


def read(file: Path) -> list[Figure]:
    """Return the figures of a file that a bench wrote."""
    return [Figure(**row) for row in json.loads(file.read_text(encoding="utf-8"))]


def table(figures: Sequence[Figure]) -> str:
    """Return Markdown, one line for each scene and who, one column for each figure of the bench."""
    lines: list[str] = []
    for bench in dict.fromkeys(f.bench for f in figures):
        of_it = [f for f in figures if f.bench == bench]
        columns = list(dict.fromkeys((f.figure, f.unit) for f in of_it))
        head = [bench, "who", *(f"{name}, {unit}" if unit else name for name, unit in columns)]
        lines += ["", _line(head), _line(["---", "---", *["---:"] * len(columns)])]
        for scene, who in dict.fromkeys((f.scene, f.who) for f in of_it):
            row = {(f.figure, f.unit): f.value for f in of_it if (f.scene, f.who) == (scene, who)}
            lines.append(_line([scene, who, *(number(row.get(c)) for c in columns)]))
    return "\n".join(lines[1:])


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def number(value: float | None) -> str:
    """Return a number with three significant digits."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
