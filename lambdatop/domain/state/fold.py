"""Fold an event into the World: the only way in which it changes. Pure, total, order-tolerant.

Lists are complete, so they replace. Metric answers replace their window. Log lines are appended
without duplicates. An event older than what is already known for the same list changes nothing, so a
slow answer that arrives late cannot bring the past back; nor can a poll that began before a mutation
undo on screen what was read back after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar, cast

from msgspec.structs import replace

from lambdatop.domain.cooperative import GiveWay, no_pause
from lambdatop.domain.facts.callers import Caller
from lambdatop.domain.facts.function import Change, FunctionFacts, differences
from lambdatop.domain.facts.not_read import source_gaps
from lambdatop.domain.facts.queue import first_history
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.loglines.tail import LogTail, append_lines
from lambdatop.domain.sources import SOURCES
from lambdatop.domain.state import events as ev
from lambdatop.domain.state import fold_account, fold_metrics
from lambdatop.domain.state.world import Health, Spend, World

K = TypeVar("K")
V = TypeVar("V")


def fold(world: World, event: ev.Event) -> World:
    """Return the World after one event; raise TypeError for an unknown kind of event."""
    step = _STEPS.get(type(event))
    if step is None:
        raise TypeError(f"no fold for {type(event).__name__}")
    return step(world, event)


def fold_all(world: World, events: Iterable[ev.Event], give_way: GiveWay = no_pause) -> World:
    """Return the World after several events, in their order; `give_way` is called before each."""
    for event in events:
        give_way()
        world = fold(world, event)
    return world


def _with(old: Mapping[K, V], new: Mapping[K, V]) -> Mapping[K, V]:
    return MappingProxyType({**old, **new})


def _swap(old: Mapping[Key, V], scope: Scope, new: Mapping[Key, V]) -> Mapping[Key, V]:
    """Return `old` with everything of `scope` replaced by `new`."""
    kept = {k: v for k, v in old.items() if k.scope != scope}
    return MappingProxyType({**kept, **new})


def _target(world: World, event: ev.TargetIdentified) -> World:
    return replace(world, targets=_with(world.targets, {event.scope: event}))


def _functions(world: World, event: ev.FunctionsListed) -> World:
    if event.at < world.functions_at.get(event.scope, 0.0):
        return world
    if not event.complete:
        # Pages of a list that is still being read: they tell of nothing that is gone.
        first = event.scope not in world.functions_at
        fresh = {f.key: f for f in event.functions}
        return replace(world, functions=_with(world.functions, fresh)) if first else world
    # Lists that say the same again leave the objects as they are: what is made of them still holds.
    before = world.functions
    known = {f.key: f if f != before.get(f.key) else before[f.key] for f in event.functions}
    gone = {k for k in world.functions if k.scope == event.scope and k not in known}
    changed = replace(
        world,
        functions=_swap(world.functions, event.scope, known),
        functions_at=_with(world.functions_at, {event.scope: event.at}),
        changes=_noticed(world, known),
    )
    return _forget(changed, gone) if gone else changed


def _noticed(world: World, known: Mapping[Key, FunctionFacts]) -> Mapping[Key, tuple[Change, ...]]:
    """Return the changes seen so far, with those between the lists known until now and this one."""
    found = {}
    for key, facts in known.items():
        before = world.functions.get(key)
        what = differences(before, facts) if before is not None and before != facts else ()
        if what and facts.last_modified is not None:
            change = Change(facts.last_modified, what)
            found[key] = (*world.changes.get(key, ()), change)[-Change.KEEP :]
    return _with(world.changes, found) if found else world.changes


def _forget(world: World, gone: set[Key]) -> World:
    return replace(
        world,
        reserved=MappingProxyType({k: v for k, v in world.reserved.items() if k not in gone}),
        reserved_at=MappingProxyType({k: v for k, v in world.reserved_at.items() if k not in gone}),
        triggers=MappingProxyType({k: v for k, v in world.triggers.items() if k not in gone}),
        changes=MappingProxyType({k: v for k, v in world.changes.items() if k not in gone}),
        series=MappingProxyType({k: v for k, v in world.series.items() if k not in gone}),
        metrics_at=MappingProxyType({k: v for k, v in world.metrics_at.items() if k not in gone}),
        logs=MappingProxyType({k: v for k, v in world.logs.items() if k not in gone}),
    )


def _concurrency(world: World, event: ev.ConcurrencyObserved) -> World:
    fresh = {
        k: v
        for k, v in event.reserved
        if event.at >= world.reserved_at.get(k, 0.0)
        and not _read_back(world, k, "reserved_concurrency", event.at)
    }
    return replace(
        world,
        reserved=_with(world.reserved, fresh),
        reserved_at=_with(world.reserved_at, dict.fromkeys(fresh, event.at)),
    )


def _account(world: World, event: ev.AccountObserved) -> World:
    if event.at < world.accounts_at.get(event.scope, 0.0):
        return world
    return replace(
        world,
        accounts=_with(world.accounts, {event.scope: event.account}),
        accounts_at=_with(world.accounts_at, {event.scope: event.at}),
    )


def _mappings(world: World, event: ev.MappingsListed) -> World:
    if event.at < world.mappings_at.get(event.scope, 0.0):
        return world
    before = world.mappings
    known = {m.key: m if m != before.get(m.key) else before[m.key] for m in event.mappings}
    for key, mapping in known.items():
        control = _read_back(world, key, "state", event.at)
        if control is not None and mapping.state != str(control[1]):
            known[key] = replace(mapping, state=str(control[1]))
    return replace(
        world,
        mappings=_swap(world.mappings, event.scope, known),
        mappings_at=_with(world.mappings_at, {event.scope: event.at}),
    )


def _queues(world: World, event: ev.QueuesObserved) -> World:
    queues = dict(world.queues)
    for facts in event.queues:
        known = queues.get(facts.key)
        queues[facts.key] = known.observe(facts) if known else first_history(facts)
    for key in event.gone:
        queues.pop(key, None)
    return replace(world, queues=MappingProxyType(queues))


def _streams(world: World, event: ev.StreamsObserved) -> World:
    fresh = {s.key: s for s in event.streams if event.at >= world.streams_at.get(s.key, 0.0)}
    return replace(
        world,
        streams=_with(world.streams, fresh),
        streams_at=_with(world.streams_at, dict.fromkeys(fresh, event.at)),
    )


def _triggers(world: World, event: ev.TriggersObserved) -> World:
    none = (0.0, None)
    fresh = {
        t.function: (event.at, t)
        for t in event.triggers
        if event.at >= world.triggers.get(t.function, none)[0]
    }
    return replace(world, triggers=_with(world.triggers, fresh))


def _wiring(world: World, event: ev.WiringObserved) -> World:
    place = (event.scope, event.place)
    known = world.wiring.get(place)
    if known is not None and event.at < known[0]:
        return world
    return replace(world, wiring=_with(world.wiring, {place: (event.at, event.edges)}))


def _callers(world: World, event: ev.CallersObserved) -> World:
    place = (event.scope, event.source)
    if event.at < world.callers_at.get(place, 0.0):
        return world
    name = SOURCES[event.source].world[0]
    before: Mapping[Key, tuple[Caller, ...]] = getattr(world, name)
    found: dict[Key, tuple[Caller, ...]] = {}
    for caller in event.callers:
        found[caller.key] = (*found.get(caller.key, ()), caller)
    at = _with(world.callers_at, {place: event.at})
    if found == {key: known for key, known in before.items() if key.scope == event.scope}:
        return replace(world, callers_at=at)
    return replace(world, callers_at=at, **{name: _swap(before, event.scope, found)})


def _logs(world: World, event: ev.LogsObserved) -> World:
    tail = world.logs.get(event.function, LogTail())
    newest = event.at >= tail.at
    tail = append_lines(tail, event.lines)
    if newest:
        tail = replace(
            tail,
            group=event.group,
            complete=event.complete,
            gap=event.gap,
            at=event.at,
            via=event.via,
            via_why=event.via_why,
            lag_s=tail.lag_s if event.lag_s is None else event.lag_s,
            coverage=event.coverage,
            usd_per_hour=event.usd_per_hour,
        )
    return replace(world, logs=_with(world.logs, {event.function: tail}))


def _alarms(world: World, event: ev.AlarmsObserved) -> World:
    if event.at < world.alarms_at.get(event.scope, 0.0):
        return world
    return replace(
        world,
        alarms=_swap(world.alarms, event.scope, {a.key: a for a in event.alarms}),
        alarms_at=_with(world.alarms_at, {event.scope: event.at}),
    )


def _permissions(world: World, event: ev.PermissionsObserved) -> World:
    known = world.permissions.get(event.scope)
    if known is not None and event.permissions.at < known.at:
        return world
    return replace(world, permissions=_with(world.permissions, {event.scope: event.permissions}))


def _source(world: World, event: ev.SourceReported) -> World:
    known = world.sources.get(event.source)
    ok_at = event.at if event.state == "ok" else None
    if known is not None:
        ok_at = max((at for at in (ok_at, known.ok_at) if at is not None), default=None)
        event = event if event.at >= known.report.at else known.report
    return replace(world, sources=_with(world.sources, {event.source: Health(event, ok_at)}))


def _gaps(world: World, event: ev.GapsObserved) -> World:
    place = (event.scope, event.source)
    known = world.gaps.get(place)
    if known is not None and (event.at < known.at or known.gaps == event.gaps):
        return world
    return replace(world, gaps=_with(world.gaps, {place: source_gaps(event.at, event.gaps)}))


def _spend(world: World, event: ev.SpendObserved) -> World:
    spend = Spend(event.calls, event.usd, event.usd_per_hour, event.budget_usd_per_hour, event.usd_by_call)
    return replace(world, spend=spend, lambda_calls=fold_account.calls_seen(world.lambda_calls, event))


def _journal(world: World, event: ev.JournalRead) -> World:
    return replace(world, journal=event.entries)


def _read_back(world: World, key: Key, field: str, at: float) -> tuple[float, object] | None:
    """Return the control state read back after a mutation, if it is newer than a poll that began at `at`."""
    control = world.controls.get((key, field))
    return control if control is not None and control[0] >= at else None


def _controls(world: World, event: ev.ControlObserved) -> World:
    reserved = dict(world.reserved)
    mappings = dict(world.mappings)
    for key, field, value in event.controls:
        if field == "reserved_concurrency" and event.at >= world.reserved_at.get(key, 0.0):
            reserved[key] = cast("int | None", value)
        elif field == "state" and key in mappings and event.at >= world.mappings_at.get(key.scope, 0.0):
            mappings[key] = replace(mappings[key], state=str(value))
    read = {(c.key, c.field): (event.at, c.value) for c in event.controls}
    return replace(
        world,
        reserved=MappingProxyType(reserved),
        mappings=MappingProxyType(mappings),
        controls=_with(world.controls, read),
    )


_STEPS: Mapping[type[ev.Event], Callable[[World, Any], World]] = {
    ev.TargetIdentified: _target,
    ev.FunctionsListed: _functions,
    ev.ConcurrencyObserved: _concurrency,
    ev.AccountObserved: _account,
    **fold_account.STEPS,
    **fold_metrics.STEPS,
    ev.MappingsListed: _mappings,
    ev.QueuesObserved: _queues,
    ev.StreamsObserved: _streams,
    ev.TriggersObserved: _triggers,
    ev.WiringObserved: _wiring,
    ev.CallersObserved: _callers,
    ev.LogsObserved: _logs,
    ev.AlarmsObserved: _alarms,
    ev.PermissionsObserved: _permissions,
    ev.SourceReported: _source,
    ev.GapsObserved: _gaps,
    ev.SpendObserved: _spend,
    ev.JournalRead: _journal,
    ev.ControlObserved: _controls,
}
