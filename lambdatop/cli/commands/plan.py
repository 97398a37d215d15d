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
    parser.add_argument("target", metavar="TARGET", help=f"{_kinds()}: name, ARN, UUID or URL")
    parser.add_argument(
        "--set", action="append", default=[], metavar="K=V", dest="params", help="a setting of the mitigation"
    )


def _kinds() -> str:
    """Return what mitigations act on, as words: `function, mapping or queue`."""
    from lambdatop.domain.mitigations.registry import REGISTRY

    *most, last = dict.fromkeys(spec.kind for spec in REGISTRY.values())
    return f"{', '.join(most)} or {last}" if most else last


def run(args: argparse.Namespace) -> int:
    """Plan and print."""
    params = parse_params(args.params)
    check_wish(args.mitigation, params)
    context = settle(args)
    with wire(context, reads_only=True) as parts:
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


def check_wish(mitigation: str, params: dict[str, str]) -> None:
    """Refuse an unknown mitigation, settings that it does not have, and values that no target could take.

    Nothing is connected for that.

    Raises:
        UsageError: with the nearest name, the settings that it takes, or their range.
    """
    from lambdatop.domain.mitigations.registry import check_settings

    check_settings(mitigation, params)


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
