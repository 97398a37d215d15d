"""List what a World does not know because reads failed or have not been made. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lambdatop.domain.facts.not_read import Gap, NotKnown, Reason
from lambdatop.domain.sources import ACCOUNT, FUNCTIONS, SOURCES, TRIGGERS
from lambdatop.domain.state.world import World

NAMED = 100
"""Gaps of one action and reason that are named one by one; more of them are told as their number."""


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
            yield Gap(ACCOUNT.name, unread.action, None, unread.reason)


def _of_turns(world: World) -> Iterator[Gap]:
    """Yield what is missing of single functions, and how many are still due."""
    for key, facts in world.functions.items():
        for missing in (facts.memory_mb, facts.timeout_s):
            if isinstance(missing, NotKnown):
                yield Gap(FUNCTIONS.name, missing.action, key.id, missing.reason)
                break
    for key, (_, triggers) in world.triggers.items():
        for unread in triggers.unread:
            yield Gap(TRIGGERS.name, unread.action, key.id, unread.reason)
        if triggers.push_left:
            yield Gap(TRIGGERS.name, "lambda:GetPolicy", key.id, "too many")
    for spec in SOURCES.values():
        if not spec.each_function or spec.name not in world.sources:
            continue
        told = [gaps.by_target for (_, name), gaps in world.gaps.items() if name == spec.name]
        missing = world.functions.keys() - getattr(world, spec.world[0]).keys()
        waiting = sum(not any(key.id in targets for targets in told) for key in missing)
        for action in spec.each_function if waiting else ():
            yield Gap(spec.name, action, None, world.unread(spec, action).reason, waiting)
