"""Carry a mitigation out: plan, confirm, check, journal, one call, read back."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from lambdatop.cli.commands.plan import add_target, check_wish, parse_params
from lambdatop.cli.compose import wire
from lambdatop.cli.context import settle
from lambdatop.cli.mutate import carry_out, refuse_read_only
from lambdatop.domain.plans.plan import Proposal
from lambdatop.domain.ports.aws import Backend

if TYPE_CHECKING:
    from lambdatop.engine.mutating.executor import Executor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_target(parser)
    add_confirm(parser)


def add_confirm(parser: argparse.ArgumentParser) -> None:
    """Add confirmation and form of the answer; `undo` takes the same."""
    parser.add_argument("--confirm", metavar="NAME", help="the target's name, instead of being asked")
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace) -> int:
    """Carry it out."""
    from lambdatop.domain.mitigations.registry import kind_of

    params = parse_params(args.params)
    check_wish(args.mitigation, params)
    context = settle(args)
    refuse_read_only(context)

    async def propose(backend: Backend, executor: Executor) -> Proposal:
        key = await backend.reader.find(args.target, (kind_of(args.mitigation),))
        return await executor.proposals.propose(args.mitigation, key, params)

    with wire(context) as parts:
        work = carry_out(
            context, parts, propose, confirm=args.confirm, as_json=args.json, asked_for=args.target
        )
        return asyncio.run(work)
