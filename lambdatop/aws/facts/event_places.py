"""Decide which topics, buses and buckets around functions are worth reading. Pure.

A place is worth reading when a function names it (in its policy, its destinations or its environment), or
when a place that was read sends there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.graph.nodes import bus_of, node
from lambdatop.domain.keys import Arn, Scope, parse_arn
from lambdatop.domain.state.world import World

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_NO_NOTIFICATIONS = "--x-s3"
"""Suffix of directory buckets; reading them needs a session of its own."""


class Place(NamedTuple):
    """One topic, bus or bucket; of a bus, the `rules` that policies name, and whether `all` rules matter."""

    arn: str
    rules: frozenset[str]
    all: bool


def places(world: World, scope: Scope) -> dict[str, Place]:
    """Return places by ARN.

    All rules of a bus matter that somebody may send to; of another one, those that policies name.
    """
    whole: set[str] = set()
    rules: dict[str, set[str]] = {}
    for parsed in _parsed(_senders(world, scope)):
        whole.add(_place(parsed, scope))
    for parsed in _parsed(_callers(world, scope)):
        place = _place(parsed, scope)
        if _is_rule(parsed) and place:
            rules.setdefault(place, set()).add(parsed.name)
        else:
            whole.add(place)
    found = (whole | rules.keys()) - {""}
    return {arn: Place(arn, frozenset(rules.get(arn, ())), arn in whole) for arn in found}


def _senders(world: World, scope: Scope) -> Iterator[str]:
    """Yield what functions of this scope, and places read before, may send to."""
    for facts in world.functions.values():
        if facts.key.scope == scope:
            yield from (r.arn for r in facts.references)
            yield facts.dlq_arn or ""
    for mapping in world.mappings.values():
        if mapping.key.scope == scope:
            yield mapping.on_failure_arn or ""
    for _, triggers in world.triggers.values():
        config = triggers.async_config
        if not isinstance(config, NotKnown) and triggers.function.scope == scope:
            yield config.on_failure_arn or ""
            yield config.on_success_arn or ""
    for (where, _), (_, edges) in world.wiring.items():
        if where == scope:
            yield from (edge.target for edge in edges)


def _callers(world: World, scope: Scope) -> Iterator[str]:
    """Yield what resource policies allow to call a function of this scope."""
    for _, triggers in world.triggers.values():
        if triggers.function.scope == scope:
            yield from (push.source_arn for push in or_none(triggers.push) or ())


def _parsed(arns: Iterable[str]) -> Iterator[Arn]:
    for arn in arns:
        parsed = parse_arn(node(arn))
        if parsed is not None and "*" not in parsed.resource and "?" not in parsed.resource:
            yield parsed


def _is_rule(arn: Arn) -> bool:
    return arn.service == "events" and arn.resource.startswith("rule/")


def _place(arn: Arn, scope: Scope) -> str:
    """Return the place that holds a resource's rules or notifications; "" for none or one elsewhere."""
    if arn.service == "s3":
        plain = not arn.region and not arn.account and _BUCKET.fullmatch(arn.resource)
        fit = plain and not arn.resource.endswith(_NO_NOTIFICATIONS)
        return f"arn:{arn.partition}:s3:::{arn.resource}" if fit else ""
    if (arn.region, arn.account) != (scope.region, scope.account):
        return ""
    if arn.service == "sns":
        return f"arn:{arn.partition}:sns:{arn.region}:{arn.account}:{arn.resource}"
    if _is_rule(arn):
        return bus_of(arn)
    if arn.service == "events" and arn.resource.startswith("event-bus/"):
        return f"arn:{arn.partition}:events:{arn.region}:{arn.account}:{arn.resource}"
    return ""
