"""Show what was done, what became of it, and what can be taken back."""

from __future__ import annotations

import argparse

from lambdatop.cli import codes, streams
from lambdatop.cli.context import settle
from lambdatop.cli.output import journal_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--open", action="store_true", help="only entries whose outcome is not known")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace) -> int:
    """Print the journal. Reads the file only: it works without credentials and during an outage."""
    from lambdatop.storage.journal_file import JournalFile

    context = settle(args)
    entries = JournalFile(context.paths.state_dir).read()
    if args.open:
        entries = tuple(e for e in entries if e.outcome in ("open", "unknown"))
    if args.json:
        from lambdatop.storage.codec import entry_json

        streams.document({"schema": "lambdatop.journal/1", "entries": [entry_json(e) for e in entries]})
    elif entries:
        streams.data(journal_text(entries))
    else:
        streams.say("no entry is open" if args.open else f"the journal in {context.paths.state_dir} is empty")
    return codes.DONE
