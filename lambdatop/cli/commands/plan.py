"""Show what a mitigation would do: exact call, before, after, undo, tier, what is lost. Changes nothing."""

from __future__ import annotations

import argparse
import asyncio

from lambdatop.cli import exit_codes
from lambdatop.cli.compose import Parts, mitigation_flow, wire
from lambdatop.cli.context import Context, settle
from lambdatop.cli.show import show_plan
from lambdatop.domain.errors import UsageError
from lambdatop.domain.plans.plan import Plan, Proposal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_target(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document")


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add mitigation, target and settings; `mitigate` takes the same."""
    parser.add_argument("mitigation", metavar="MITIGATION", help="for example throttle_to_zero")
    parser.add_argument("target", metavar="TARGET", help="function, mapping or queue: name, ARN, UUID or URL")
    parser.add_argument(
        "--set", action="append", default=[], metavar="K=V", dest="params", help="a setting of the mitigation"
    )


def run(args: argparse.Namespace) -> int:
    """Plan and print."""
    params = parse_params(args.params)
    check_name(args.mitigation)
    context = settle(args)
    with wire(context, only_look=True) as parts:
        proposal = asyncio.run(_propose(context, parts, args.mitigation, args.target, params))
    show_plan(proposal, as_json=args.json)
    return exit_codes.DONE if isinstance(proposal, Plan) else exit_codes.FAILED


async def _propose(
    context: Context, parts: Parts, mitigation: str, target: str, params: dict[str, str]
) -> Proposal:
    from lambdatop.domain.mitigations.registry import kind_of

    async with mitigation_flow(context, parts) as (backend, executor):
        key = await backend.reader.find(target, (kind_of(mitigation),))
        return await executor.proposals.propose(mitigation, key, params)


def check_name(mitigation: str) -> None:
    """Refuse an unknown mitigation before anything is connected.

    Raises:
        UsageError: with the nearest name.
    """
    from lambdatop.domain.mitigations.registry import kind_of

    kind_of(mitigation)


def parse_params(pairs: list[str]) -> dict[str, str]:
    """Parse `K=V` pairs as a mapping.

    Raises:
        UsageError: there is no `=`, or a key stands twice.
    """
    params: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"--set needs K=V, not {pair!r}")
        if name in params:
            raise UsageError(f"--set {name} stands twice")
        params[name] = value
    return params
