"""Collect once and print: findings, storms, functions, quotas, sources."""

from __future__ import annotations

import argparse
import os
import pwd

from lambdatop.cli import exit_codes, stdio
from lambdatop.cli.compose import engine_thread, wire
from lambdatop.cli.context import settle
from lambdatop.cli.options import seconds
from lambdatop.cli.show import note_gaps, show
from lambdatop.domain.plans.finding import SEVERITIES
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.sources import FUNCTIONS
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.report.audit.report import Asked, report
from lambdatop.report.text.not_known import why_undecided

CONNECTION = "connection"
"""The source that says whether there is a connection; having one is not having data."""

WAIT_S, GATE_WAIT_S = 15.0, 120.0
"""Somebody waits for a table, and reads in it what had no time. A gate that had no time is red although all
is well, and a function takes a second (four reads at four a second), so it may wait longer."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_form(parser)
    parser.add_argument(
        "--wait",
        type=seconds,
        metavar="S",
        help=f"longest wait for answers (default {WAIT_S:.0f}, with --fail-on {GATE_WAIT_S:.0f}); "
        "less when nothing is left to ask",
    )
    parser.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        metavar="SEVERITY",
        help="exit 3 from this severity on, 1 when missing reads leave that unknown",
    )


def add_form(parser: argparse.ArgumentParser) -> None:
    """Add the output format; `demo --headless` takes `--json` only."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", help="one JSON document")
    form.add_argument(
        "--table", dest="form", action="store_const", const="table", help="plain text (default)"
    )
    form.add_argument(
        "--markdown", dest="form", action="store_const", const="markdown", help="a report to file"
    )
    parser.set_defaults(form="table")


def run(args: argparse.Namespace) -> int:
    """Collect, print, compare."""
    context = settle(args)
    with wire(context, reads_only=True) as parts:
        thread = engine_thread(context, parts)
        thread.start()
        try:
            snapshot = thread.snapshot_once(_wait_s(args)).result()
        finally:
            thread.stop()
    if not any(source.age_s is not None for source in snapshot.sources if source.name != CONNECTION):
        _report_reasons(snapshot)
        return exit_codes.FAILED
    code = _verdict(snapshot, args.fail_on)
    with stdio.keeping(code):
        if args.form == "markdown":
            stdio.data(report(snapshot, asked(context.settings)))
            note_gaps(snapshot)
        else:
            show(snapshot, args.form)
    return code


def _wait_s(args: argparse.Namespace) -> float:
    """Return the maximum wait in s: as given, else long enough for what is asked."""
    if args.wait is not None:
        return float(args.wait)
    return WAIT_S if args.fail_on is None else GATE_WAIT_S


def _verdict(snapshot: Snapshot, severity: str | None) -> int:
    """Return the exit code: `--fail-on` needs complete reads, and without functions the command failed."""
    if severity is not None and any(f.rank >= SEVERITIES.index(severity) for f in snapshot.findings):
        return exit_codes.FAIL_ON_MET
    doubt = why_undecided(snapshot, severity) if severity is not None else ""
    if doubt:
        stdio.message(doubt)
    listed = all(s.age_s is not None for s in snapshot.sources if s.name == FUNCTIONS.name)
    return exit_codes.DONE if listed and not doubt else exit_codes.FAILED


def asked(settings: Settings) -> Asked:
    """Return who runs this, on which machine, and why in this mode."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user often has no name
        user = f"uid {os.getuid()}"
    return Asked(user, os.uname().nodename, settings.mode)


def _report_reasons(snapshot: Snapshot) -> None:
    """Print why nothing could be read at all: one sentence each, without repetition."""
    sentences = dict.fromkeys(s.error for s in snapshot.sources if s.error)
    for sentence in sentences or {"no answer in time; a longer --wait may help": None}:
        stdio.message(sentence)
