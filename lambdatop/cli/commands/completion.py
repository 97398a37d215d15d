"""lambdatop completion: the script with which a shell completes commands, options and names.

The script holds all names, so that completing starts no Python and asks AWS nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from lambdatop.cli import exit_codes, stdio

SHELLS = ("bash", "zsh", "fish", "tcsh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab  # no other command needs it

    from lambdatop.cli.parser import COMMANDS, build_parser
    from lambdatop.demo.scenarios import SCENARIOS
    from lambdatop.domain.mitigations.registry import REGISTRY

    parser = build_parser(list(COMMANDS))
    names: dict[str, Sequence[str]] = {"mitigation": sorted(REGISTRY), "scenario": list(SCENARIOS)}
    files = {"config": shtab.FILE, "state_dir": shtab.DIRECTORY}
    for action in _actions(parser):
        if action.dest in names:
            action.choices = names[action.dest]
        elif action.dest in files:
            action.complete = files[action.dest]  # type: ignore[attr-defined]  # where shtab looks for it
    stdio.data(shtab.complete(parser, shell=args.shell))
    return exit_codes.DONE


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
