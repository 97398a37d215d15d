"""Decide which rows may differ from those of the last round. Pure.

At ten thousand functions a round that judges each of them anew costs seconds, while a few hundred of them
have anything new. What a round leaves behind is its World and its rows; this says which of them still hold.
A test (test_rounds.py) holds every written scene to it: the short way and the long way say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lambdatop.domain.cooperative import GiveWay, no_pause, paced
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import LOG_GROUP, group_of, writers_by_group
from lambdatop.domain.facts.series import final_end
from lambdatop.domain.keys import Key
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.sources import SOURCES, SourceSpec
from lambdatop.domain.state.world import Activity, World

_EXPLAINED = tuple(spec for spec in SOURCES.values() if spec.explained)
_OF_ALL = tuple(name for spec in SOURCES.values() if spec.anew == "all" for name in spec.world)
_OF_ROWS = tuple(name for spec in SOURCES.values() if spec.anew == "rows" for name in spec.world)


def changed(
    old: World, new: World, since: float, now: float, settings: Settings, give_way: GiveWay = no_pause
) -> frozenset[Key] | None:
    """Return the functions and queues whose rows may differ between `old` and `new`; None for all.

    `since` is when the round before was made, `now` when this one is (s since the epoch).
    """
    if any(dict(getattr(old, name)) != dict(getattr(new, name)) for name in _OF_ALL):
        return None
    if _unread(old) != _unread(new):
        return None
    touched = set(_touched(old, new, give_way))
    touched |= _further(new, since, now, settings)
    give_way()
    touched |= _elsewhere(touched, old, new, give_way)
    return frozenset(touched)


def _unread(world: World) -> tuple[object, ...]:
    """Return what rows show of missing reads: why a source as a whole brings nothing, and its gaps."""
    reasons = (world.unread(spec) for spec in _EXPLAINED)
    names = {spec.name for spec in _EXPLAINED if not spec.each_function}
    gaps = {place: told.gaps for place, told in world.gaps.items() if place[1] in names}
    return (*reasons, gaps)


def _unread_functions(spec: SourceSpec, old: World, new: World) -> Iterator[Key]:
    """Yield functions for which a source that reads each function has another reason for knowing nothing."""
    for (scope, name), told in new.gaps.items():
        before = old.gaps.get((scope, name))
        if name == spec.name and told is not before:
            known = before.by_target if before else {}
            for target in known.keys() | told.by_target.keys():
                if target is not None and known.get(target) != told.by_target.get(target):
                    yield Key(scope, "function", target)


def _touched(old: World, new: World, give_way: GiveWay) -> Iterator[Key]:
    """Yield the keys with another value in any map of single resources."""
    for name in _OF_ROWS:
        give_way()
        yield from differing(getattr(old, name), getattr(new, name))
    for spec in _EXPLAINED:
        if spec.each_function:
            yield from _unread_functions(spec, old, new)
    for scope in old.activity.keys() | new.activity.keys():
        yield from _otherwise_active(new, old.activity.get(scope), new.activity.get(scope))


def differing(old: Mapping[Key, Any], new: Mapping[Key, Any]) -> Iterable[Key]:
    """Return the keys that have another object, or none any more."""
    if old is new:
        return ()
    missing = object()
    found = [key for key, value in new.items() if _another(old.get(key, missing), value)]
    found += [key for key in old if key not in new]
    return found


def _another(old: object, new: object) -> bool:
    """Return whether two values differ by identity, which is quick; equal numbers count as the same."""
    return old is not new and not (isinstance(new, (int, float)) and old == new)


def _otherwise_active(world: World, old: Activity | None, new: Activity | None) -> Iterable[Key]:
    """Return functions that became active or inactive, and quiet ones with a new answer."""
    if old is new:
        return ()
    if old is None or new is None:
        return world.functions
    return (key for key in world.functions if key not in new.functions or key not in old.functions)


def _further(world: World, since: float, now: float, settings: Settings) -> set[Key]:
    """Return resources never asked for as a whole, for which another minute has become final meanwhile."""
    metrics = settings.metrics

    def moved(wait_s: float) -> bool:
        return final_end(since, wait_s) != final_end(now, wait_s)

    usual = moved(metrics.publish_delay_s)
    found = {key for key in world.queues if key not in world.metrics_at} if usual else set()
    for key in world.series:
        if key not in world.metrics_at:
            facts = world.functions.get(key)
            own_s = metrics.publish_delay_s + (facts.longest_run_s * metrics.times if facts else 0.0)
            if usual or moved(own_s):
                found.add(key)
    return found


def _elsewhere(touched: set[Key], old: World, new: World, give_way: GiveWay) -> set[Key]:
    """Return functions whose rows depend on what was touched: a queue, a mapping, a log group."""
    found: set[Key] = set()
    for mapping in (*_of(touched, old.mappings), *_of(touched, new.mappings)):
        found.add(mapping.function)
    others = {key for key in touched if key.kind == "queue"}
    if others:
        found |= {m.function for m in new.mappings.values() if m.source_queue in others}
    return found | _writers(touched, old, new, give_way)


def _of(keys: set[Key], mappings: Mapping[Key, MappingFacts]) -> Iterator[MappingFacts]:
    return (mappings[key] for key in keys if key in mappings)


def _writers(touched: set[Key], old: World, new: World, give_way: GiveWay) -> set[Key]:
    """Return the functions that share a log group, and so its bytes, with a touched one."""
    groups = {key for key in touched if key.kind == LOG_GROUP}
    for world in (old, new):
        known = (world.functions[key] for key in paced(touched, give_way, 500) if key in world.functions)
        groups |= {group_of(facts) for facts in known}
    by_group = writers_by_group(new.functions)
    return {facts.key for group in paced(groups, give_way, 500) for facts in by_group.get(group, ())}
