"""Show what was done, how it ended, and what can be undone."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from lambdatop.cli import exit_codes, stdio
from lambdatop.cli.context import Context, settle
from lambdatop.cli.unfinished import ended
from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.mitigations.retention import RECENT
from lambdatop.domain.plans.journal import Entry, joined
from lambdatop.domain.plans.unfinished import Halfway
from lambdatop.report.text.snapshot import journal_text

if TYPE_CHECKING:
    from lambdatop.storage.journal_file import JournalFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--open", action="store_true", help="only entries whose outcome is not known")
    parser.add_argument(
        "--settle", action="store_true", help="first determine from AWS the outcome of those of this account"
    )
    parser.add_argument("--last", type=_count, metavar="N", help="only the newest N, however many there are")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace) -> int:
    """Print the journal. Reads the file only: it works without credentials and during an outage.

    With --settle it connects, changes nothing in AWS, and writes what it found into the journal; exit
    code 5 says that something is still not known.
    """
    from lambdatop.storage.journal_file import JournalFile

    context = settle(args)
    code = _settle(context) if args.settle else exit_codes.DONE
    journal = JournalFile(context.paths.state_dir)
    newest = journal.read()
    if args.open:  # these never leave the newest file
        entries, gap = tuple(e for e in newest if e.outcome in ("open", "unknown")), ""
    else:
        entries, gap = _whole(journal, args.last)
    if args.last is not None:
        entries = entries[-args.last :]
    gap = gap or journal.gap()
    if gap:
        stdio.message(gap)
        code = code or exit_codes.FAILED
    halves = ended(newest)
    with stdio.keeping(code):
        _print(entries, halves, gap, args, context)
    if not args.settle:
        _explain_settle(entries)
        for plan in halves:
            stdio.message(f"note: {plan.sentence}")
    return code


def _count(text: str) -> int:
    """Parse a number of entries from 1."""
    from lambdatop.domain.plans.parse import is_number

    if not is_number(text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number of entries; use 1 or more")
    return int(text)


def _whole(journal: JournalFile, wanted: int | None) -> tuple[tuple[Entry, ...], str]:
    """Return entries of the newest file and of as many archives as wanted, and why older ones are missing."""
    parts = [journal.read()]
    if wanted is not None and wanted <= RECENT:  # so many stand there without a gap
        return parts[0], ""
    gap = ""
    try:
        for part in journal.older():
            parts.append(part)
            # The oldest part begins with entries that were carried over from further back.
            ids = {entry.id for each in parts for entry in each} if wanted is not None else set()
            if wanted is not None and len(ids) - len(part) >= wanted:
                break
    except LambdatopError as error:
        gap = str(error)
    return joined((), chain.from_iterable(reversed(parts))), gap


def _print(
    entries: tuple[Entry, ...],
    halves: tuple[Halfway, ...],
    gap: str,
    args: argparse.Namespace,
    context: Context,
) -> None:
    if args.json:
        from lambdatop.report.json.mutations import ENTRY_SCHEMA, entry_json, halfway_json

        head = {"schema": ENTRY_SCHEMA, "missing": gap or None}
        found = {"entries": [entry_json(e) for e in entries], "halfway": [halfway_json(h) for h in halves]}
        stdio.document(head | found)
    elif entries:
        stdio.data(journal_text(entries))
    else:
        stdio.message(
            "no entry is open" if args.open else f"the journal in {context.paths.state_dir} is empty"
        )


def _settle(context: Context) -> int:
    from lambdatop.cli.compose import mitigation_flow, wire
    from lambdatop.cli.mutate import (
        refuse_foreign_endpoint,
        refuse_read_only,
        refuse_read_only_account,
        settle_intents,
    )

    refuse_read_only(context)

    async def work() -> bool:
        async with mitigation_flow(context, parts) as (backend, executor):
            refuse_read_only_account(backend)
            refuse_foreign_endpoint(backend)
            return await settle_intents(executor)

    with wire(context) as parts:
        return exit_codes.DONE if asyncio.run(work()) else exit_codes.UNKNOWN


def _explain_settle(entries: Iterable[Entry]) -> None:
    where = sorted({str(e.target.scope) for e in entries if e.outcome == "open"})
    if where:
        stdio.message(
            "note: open means that its outcome is not recorded; `lambdatop journal --settle`, connected to "
            f"{' or '.join(where)}, reads from AWS what became of it "
            "(so does the next console, mitigate or undo there)"
        )
