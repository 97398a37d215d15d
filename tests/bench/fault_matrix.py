"""Runs every cell of the fault matrix and prints it: rows mitigations, columns faults, cells outcomes.

    python -m bench.fault_matrix [MITIGATION ...]

Run by `make faults`. Each mitigation and each undo meets each fault of the wire, kill -9 at five points,
quitting and hanging up, against a stub that speaks AWS's protocols; a cell whose invariants broke carries
"!", and exit is 1. The words: what the console said (a killed one: what it left on disk).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from pathlib import Path

from fakes.wire_world import WireWorld, WorldStub
from fakes.wire_world_cells import Cell, wire_row
from fakes.wire_world_flow import Lab, lab
from fakes.wire_world_kills import POINTS, Nursery, hangup_cell, kill_cell, nursery
from fakes.wire_world_rows import Row, rows

SHORT = {"applied": "yes", "refused": "no", "not-sent": "unsent", "unknown": "?", "open": "open", "": "-"}
LEGEND = (
    "yes: applied · no: refused by AWS · unsent: never left · ?: unknown (recovery reads it later) · "
    "open: intent without outcome (recovery settles it) · -: nothing on disk · !: an invariant broke"
)


async def cells_of(lab: Lab, from_: Nursery, row: Row, elsewhere: str, home: Path) -> list[Cell]:
    """Return all cells of a mitigation and of its undo."""
    numbers = count()

    def fresh() -> Path:
        return home / f"{row.name} {next(numbers)}".replace(" ", "-")

    found: list[Cell | None] = []
    for undo in (False, True):
        found += [c async for c in wire_row(lab, row, elsewhere, fresh, undo=undo)]
        for point in POINTS:
            found.append(await kill_cell(lab, from_, row, point, fresh(), undo=undo))
        found.append(await hangup_cell(lab, from_, row, fresh(), undo=undo))
    return [c for c in found if c is not None]


async def matrix(chosen: Sequence[Row], say: Callable[[str], object]) -> tuple[list[Cell], int]:
    """Run every cell of these rows; return the cells, and what reached the host that redirects point at."""
    cells: list[Cell] = []
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        async with (
            lab() as made,
            nursery(made.stub.url, home) as from_,
            WorldStub(WireWorld()) as elsewhere,
        ):
            for row in chosen:
                began = time.monotonic()
                new = await cells_of(made, from_, row, f"{elsewhere.url}/x", home)
                cells += new
                say(f"{row.name}: {len(new)} cells in {time.monotonic() - began:.1f} s\n")
            return cells, len(elsewhere.received) + len(elsewhere.strangers)


def table(cells: Iterable[Cell]) -> str:
    """Return the matrix as text: one line per mitigation or undo, faults numbered and explained below."""
    by_row: dict[str, dict[str, Cell]] = {}
    faults: dict[str, None] = {}
    for cell in cells:
        by_row.setdefault(f"{'  undo of ' if cell.undo else ''}{cell.row}", {})[cell.fault] = cell
        faults.setdefault(cell.fault)
    wide = max(map(len, by_row))
    columns = {f: 2 + max(2, *(len(_mark(r.get(f))) for r in by_row.values())) for f in faults}
    lines = [" " * wide + "".join(f"{n:>{w}}" for n, w in enumerate(columns.values(), 1))]
    for name, found in by_row.items():
        lines.append(f"{name:<{wide}}" + "".join(f"{_mark(found.get(f)):>{w}}" for f, w in columns.items()))
    lines += ["", *(f"{n:>3} {fault}" for n, fault in enumerate(faults, 1)), "", LEGEND]
    return "\n".join(lines)


def _mark(cell: Cell | None) -> str:
    if cell is None:
        return ""
    return SHORT[cell.word] + ("!" if cell.broken else "")


def main() -> int:
    """Run and print; 1 when an invariant broke."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("mitigation", nargs="*")
    args = parser.parse_args()
    chosen = [r for r in rows() if not args.mitigation or r.mitigation in args.mitigation]
    began = time.monotonic()
    cells, strays = asyncio.run(matrix(chosen, sys.stderr.write))
    broken = [c for c in cells if c.broken]
    sys.stdout.write(table(cells) + "\n\n")
    sys.stdout.writelines(f"! {cell}\n" for cell in broken)
    sys.stdout.write(
        f"{len(cells)} cells in {time.monotonic() - began:.0f} s, {len(broken)} broken, "
        f"{strays} requests at the host that redirects point at\n"
    )
    return int(bool(broken or strays or not cells))


if __name__ == "__main__":
    raise SystemExit(main())
