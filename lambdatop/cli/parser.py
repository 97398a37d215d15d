"""Build the argument parser: one file per command, global options everywhere."""

from __future__ import annotations

import argparse
import gc
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from lambdatop import __version__
from lambdatop.cli import stdio
from lambdatop.cli.options import add_globals
from lambdatop.domain.error_words import did_you_mean

COMMANDS = {
    "demo": "run an incident on the embedded emulator; touches no AWS account",
    "snapshot": "collect once and print",
    "logs": "tail the logs of functions from their configured log groups",
    "plan": "show what a mitigation would do; changes nothing",
    "mitigate": "execute a mitigation, after confirmation",
    "journal": "show what was changed, and the outcomes",
    "undo": "undo a mitigation",
    "policy": "print the minimal IAM policy",
    "doctor": "check credentials, permissions, endpoints, clock, terminal and files",
    "config": "show where settings come from, what they are, and whether they are valid",
    "completion": "print the script with which a shell completes commands, options and names",
    "version": "print the versions of lambdatop and of what it runs with",
}
_EPILOG = """\
Without a command the console opens. Exit codes: 0 done, 1 failed, 2 usage or configuration,
3 --fail-on was met, 4 refused by read-only mode, 5 outcome unknown (see `lambdatop journal`),
130 interrupted.
"""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the name that was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2, on stderr."""
        wrong = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        hint = did_you_mean(wrong.group(1), re.findall(r"[\w-]+", wrong.group(2))) if wrong else ""
        stdio.words(f"lambdatop: {message}{hint}\nSee `{self.prog} --help`.")
        sys.exit(2)


def build_parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser for these arguments: only commands that occur in `argv` are imported."""
    parser = Parser(
        prog="lambdatop",
        description="A terminal incident console for AWS Lambda: see the cause, stop it, undo it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"lambdatop {__version__}")
    add_globals(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        if name in argv:
            module = import_module(f"lambdatop.cli.commands.{name}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
        add_globals(command)
    parser.set_defaults(run=_console)
    return parser


def _console(args: argparse.Namespace) -> int:
    # Nothing that an import makes is garbage, and looking for it is a tenth of the way to the first frame.
    gc.disable()
    from lambdatop.cli.commands.console import run

    return run(args)
