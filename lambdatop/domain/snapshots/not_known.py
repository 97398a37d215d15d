"""Everything that a World does not know because its reads brought nothing or have not been made. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lambdatop.domain.facts.not_read import Gap, NotKnown, Reason
from lambdatop.domain.keys import Key
from lambdatop.domain.state.world import World

NAMED = 100
"""Gaps of one action and reason that are named one by one; more of them are told as their number."""

EACH_FUNCTION: Mapping[str, tuple[str, ...]] = {
    "triggers": (
        "lambda:GetFunctionEventInvokeConfig",
        "lambda:GetPolicy",
        "lambda:GetFunctionRecursionConfig",
    ),
    "concurrency": ("lambda:GetFunctionConcurrency",),
    "provisioned": ("lambda:ListProvisionedConcurrencyConfigs",),
}
"""Sources that ask function by function, in turns, with what they ask of each."""


def gaps(world: World) -> tuple[Gap, ...]:
    """Return all gaps by source, action and target; reads that are still due are given as their number."""
    found: dict[tuple[str, str, Reason], list[Gap]] = {}
    for gap in (*_of_sources(world), *_of_turns(world)):
        found.setdefault((gap.source, gap.action, gap.reason), []).append(gap)
    ordered = (_few(found[kind]) for kind in sorted(found))
    return tuple(gap for some in ordered for gap in some)


def _few(same: list[Gap]) -> Iterable[Gap]:
    if len(same) <= NAMED:
        return sorted(same, key=lambda gap: gap.target or "")
    first = same[0]
    return (Gap(first.source, first.action, None, first.reason, sum(gap.targets for gap in same)),)


def _of_sources(world: World) -> Iterator[Gap]:
    for told in world.gaps.values():
        yield from told.gaps
    for facts in world.accounts.values():
        if isinstance(facts.concurrency_limit, NotKnown):
            unread = facts.concurrency_limit
            yield Gap("account", unread.action, None, unread.reason)


def _of_turns(world: World) -> Iterator[Gap]:
    """Yield what is missing of single functions, and how many are still due."""
    for key, (_, triggers) in world.triggers.items():
        for unread in triggers.unread:
            yield Gap("triggers", unread.action, key.id, unread.reason)
    read: Mapping[str, Mapping[Key, object]] = {
        "triggers": world.triggers,
        "concurrency": world.reserved,
        "provisioned": world.provisioned,
    }
    for source, actions in EACH_FUNCTION.items():
        told = [gaps.by_target for (_, name), gaps in world.gaps.items() if name == source]
        missing = world.functions.keys() - read[source].keys()
        waiting = sum(not any(key.id in targets for targets in told) for key in missing)
        if waiting and source in world.sources:
            for action in actions:
                unread = world.unread(source, action)
                yield Gap(source, action, None, unread.reason, waiting)
