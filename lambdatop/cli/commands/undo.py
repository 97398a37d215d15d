"""Undo a mitigation: the same mitigation flow as `mitigate`, to the state before it by the journal."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from lambdatop.cli.commands.mitigate import add_confirm
from lambdatop.cli.compose import wire
from lambdatop.cli.context import settle
from lambdatop.cli.mutate import carry_out, refuse_read_only
from lambdatop.domain.errors import UsageError
from lambdatop.domain.plans.plan import Proposal
from lambdatop.domain.ports.aws import Backend

if TYPE_CHECKING:
    from lambdatop.engine.mutating.executor import Executor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "id", nargs="?", metavar="ID", help="an entry of `lambdatop journal`, or the name of what was changed"
    )
    parser.add_argument("--last", action="store_true", help="the newest that can be undone (the default)")
    add_confirm(parser)


def run(args: argparse.Namespace) -> int:
    """Undo one entry; it is confirmed with any name that confirmed the change.

    Raises:
        UsageError: both an id and --last.
    """
    if args.id and args.last:
        raise UsageError("give an ID (or a name) or --last, not both")
    context = settle(args)
    refuse_read_only(context)

    async def propose(backend: Backend, executor: Executor) -> Proposal:
        return await executor.proposals.propose_undo(args.id)

    with wire(context) as parts:
        return asyncio.run(carry_out(context, parts, propose, confirm=args.confirm, as_json=args.json))
