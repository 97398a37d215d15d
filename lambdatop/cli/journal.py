"""Show what was done, what became of it, and what can be taken back."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable

from lambdatop.cli import codes, streams
from lambdatop.cli.context import Context, settle
from lambdatop.cli.halfway import ended
from lambdatop.cli.output import journal_text
from lambdatop.domain.journal import Entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--open", action="store_true", help="only entries whose outcome is not known")
    parser.add_argument(
        "--settle", action="store_true", help="first read from AWS what became of those of this account"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace) -> int:
    """Print the journal. Reads the file only: it works without credentials and during an outage.

    With --settle it connects, changes nothing in AWS, and writes what it found into the journal; exit
    code 5 says that something is still not known.
    """
    from lambdatop.storage.journal_file import JournalFile

    context = settle(args)
    code = _settle(context) if args.settle else codes.DONE
    entries = JournalFile(context.paths.state_dir).read()
    halves = ended(entries)
    if args.open:
        entries = tuple(e for e in entries if e.outcome in ("open", "unknown"))
    if args.json:
        from lambdatop.storage.codec import entry_json, halfway_json

        found = {"entries": [entry_json(e) for e in entries], "halfway": [halfway_json(h) for h in halves]}
        streams.document({"schema": "lambdatop.journal/1", **found})
    elif entries:
        streams.data(journal_text(entries))
    else:
        streams.say("no entry is open" if args.open else f"the journal in {context.paths.state_dir} is empty")
    if not args.settle:
        _say_how_to_settle(entries)
        for plan in halves:
            streams.say(f"note: {plan.sentence}")
    return code


def _settle(context: Context) -> int:
    from lambdatop.cli.carry import refuse_read_only, refuse_read_only_account, settle_intents
    from lambdatop.cli.wiring import corridor, wire

    refuse_read_only(context)

    async def work() -> bool:
        async with corridor(context, parts) as (backend, executor):
            refuse_read_only_account(backend)
            return await settle_intents(executor)

    with wire(context) as parts:
        return codes.DONE if asyncio.run(work()) else codes.UNKNOWN


def _say_how_to_settle(entries: Iterable[Entry]) -> None:
    where = sorted({str(e.target.scope) for e in entries if e.outcome == "open"})
    if where:
        streams.say(
            "note: open means that nobody saw the end of it; `lambdatop journal --settle`, connected to "
            f"{' or '.join(where)}, reads from AWS what became of it "
            "(so does the next console, mitigate or undo there)"
        )
