"""Run the console and every command against servers that others wrote, and print what came of it.

    make foreign            both servers, everything (some minutes)
    make foreign QUICK=yes  a short form of it

Exits with 1 when a shown value differs from what boto3 reads from the same server, or when anything failed
without saying so.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

from foreign.account import furnish
from foreign.commands import Row
from foreign.rows import run_all
from foreign.servers import Server, end_on_signals, moto, plain
from foreign.values import NOTHING


def main(arguments: Sequence[str]) -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--moto", required=True, metavar="PYTHON", help="the Python that moto is installed for"
    )
    parser.add_argument("--quick", action="store_true", help="a few commands, within a minute")
    parser.add_argument("--only", default="", metavar="WORDS", help="commands whose name has these words")
    parser.add_argument("--server", choices=("moto", "plain"), help="one of the two")
    asked = parser.parse_args(arguments)
    end_on_signals()
    servers = [moto(os.path.abspath(asked.moto))] if asked.server != "plain" else []
    servers += [plain()] if asked.server != "moto" else []
    # The servers have nothing to do with each other, and each command waits more than it computes.
    with ThreadPoolExecutor(len(servers)) as pool:
        parts = list(pool.map(lambda s: _on(s, quick=asked.quick, only=asked.only), servers))
    rows = [row for part in parts for row in part]
    sys.stdout.write(table(rows))
    return 1 if any(row.faults or row.compared.differences for row in rows) else 0


def _on(context: AbstractContextManager[Server], *, quick: bool, only: str) -> list[Row]:
    rows: list[Row] = []
    try:
        with context as server:
            seeded = furnish(server)
            sys.stderr.write("".join(f"{server.name} does not take {words}\n" for words in seeded.refused))
            for row in run_all(server, quick=quick, only=only):
                rows.append(row)
                sys.stderr.write("\n".join((line(row), *details(row), "")))
    except Exception as error:  # what the other server shows must not be lost
        rows.append(Row("the server itself", "-", NOTHING, (f"{type(error).__name__}: {error}",), 0.0))
    return rows


def line(row: Row) -> str:
    """Return one row as a line."""
    numbers = f"{row.compared.values:>8} {len(row.compared.differences):>6} {len(row.faults):>6}"
    return f"{row.command:<34} {row.server:<15} {numbers} {row.seconds:>5.0f}"


def details(row: Row) -> list[str]:
    """Return what differed and what failed, a line each."""
    where = f"{row.server}, {row.command}"
    differs = [f"differs  {where}: {words}" for words in row.compared.differences]
    return differs + [f"fault    {where}: {words}" for words in row.faults]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table, and below it what differed and what failed."""
    head = f"{'command':<34} {'server':<15} {'compared':>8} {'differ':>6} {'faults':>6} {'s':>5}"
    lines = [head, "-" * len(head)]
    lines += map(line, rows)
    values, differ = (
        sum(r.compared.values for r in rows),
        sum(len(r.compared.differences) for r in rows),
    )
    lines += [
        "-" * len(head),
        f"{'together':<50} {values:>8} {differ:>6} {sum(len(r.faults) for r in rows):>6}",
    ]
    lines += [words for row in rows for words in details(row)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
