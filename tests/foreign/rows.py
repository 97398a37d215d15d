"""Say which commands are run, and run them: a row for each."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from foreign import shown
from foreign.account import FUNCTIONS
from foreign.changes import CHANGES, mitigations, plans
from foreign.commands import (
    JSON_FIELDS,
    Check,
    Commands,
    Row,
    doctor,
    logs,
    logs_of_every_function,
    of_json,
    pages,
    regions,
    small,
    snapshot,
)
from foreign.servers import Server
from foreign.truth import reading
from foreign.values import NOTHING


def checks(quick: bool) -> Iterator[tuple[str, Check]]:
    """Yield each row's name and check; what changes the account comes last."""
    for mode in ("",) if quick else ("", "--read-only"):
        words = f" {mode}" if mode else ""
        yield f"snapshot --json{words}", snapshot("--json", mode, JSON_FIELDS, of_json)
        if not quick:
            yield f"snapshot --table{words}", snapshot("--table", mode, TABLE_FIELDS, shown.of_table)
            yield (
                f"snapshot --markdown{words}",
                snapshot("--markdown", mode, shown.REPORT_FIELDS, shown.of_report),
            )
    yield "logs", logs
    if not quick:
        yield "logs of every function", logs_of_every_function
        yield "doctor", doctor
        yield "region names", regions
    for command in SMALL[:1] if quick else SMALL:
        yield " ".join(command), small(command, 0)
    names = tuple(FUNCTIONS)
    yield "console: pages", pages(names[:1] if quick else names, "")
    if not quick:
        yield "console --read-only: pages", pages(names[:2], "--read-only")
    chosen = CHANGES[:1] if quick else CHANGES
    if not quick:
        yield "plan", plans(chosen, "")
        yield "plan --read-only", plans(CHANGES[:3], "--read-only")
    yield "mitigate, undo, journal", mitigations(chosen, quick=quick)


TABLE_FIELDS = shown.TABLE_FIELDS | {"of", "actions", "limit"}
SMALL = (
    ("version", "--json"),
    ("version",),
    ("policy", "read-only"),
    ("policy", "operator"),
    ("policy", "operator-elevated"),
    ("config", "path"),
    ("config", "show"),
    ("config", "check"),
    ("journal", "--json"),
)


def run_all(server: Server, *, quick: bool, only: str = "") -> Iterator[Row]:
    """Yield one row for each command that `only` is part of."""
    with tempfile.TemporaryDirectory(prefix="lambdatop-foreign-home-") as home, reading(server) as reader:
        on = Commands(server, Path(home), reader)
        for name, check in checks(quick):
            if only not in name:
                continue
            begun = time.monotonic()
            try:
                compared, faults = check(on)
            except Exception as error:  # one command's failure must not hide what the others would show
                compared, faults = NOTHING, (f"the check ended: {type(error).__name__}: {str(error)[:3000]}",)
            yield Row(name, server.name, compared, faults, time.monotonic() - begun)
