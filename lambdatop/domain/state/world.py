"""Define the World: everything known now, as one immutable value. Only `fold` makes new ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from msgspec import Struct, field

from lambdatop.domain.cost.burn import BurnHistory
from lambdatop.domain.facts.callers import (
    KINDS,
    Caller,
    CallerKind,
    Looked,
    by_function,
    computed_words,
    hiding_gaps,
    missing_words,
    unread_words,
)
from lambdatop.domain.facts.event_source_mapping import MappingFacts, StreamFacts
from lambdatop.domain.facts.function import AccountFacts, AlarmFacts, Change, FunctionFacts, Reserved
from lambdatop.domain.facts.function_state import CapacityProvider, FunctionState
from lambdatop.domain.facts.not_read import NotKnown, Reason, SourceGaps
from lambdatop.domain.facts.permissions import Permissions
from lambdatop.domain.facts.polling_status import PollingStatus
from lambdatop.domain.facts.queue import QueueHistory
from lambdatop.domain.facts.quota_limits import Provisioned, QuotaLimits
from lambdatop.domain.facts.series import EMPTY, NO_SERIES, KnownSeries, Series, SeriesKey
from lambdatop.domain.facts.triggers import Edge, FunctionTriggers, never_read
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.sources import (
    CONCURRENCY,
    PIPES,
    QUEUES,
    SCHEDULES,
    STATE_MACHINES,
    STREAMS,
    TRIGGERS,
    SourceSpec,
)
from lambdatop.domain.state.events import SourceReported, TargetIdentified

_NONE: Mapping[Any, Any] = MappingProxyType({})


def _none() -> Mapping[Any, Any]:
    """Return the shared empty mapping; Python 3.11 takes no mappingproxy as a default."""
    return _NONE


class Health(NamedTuple):
    """State of one source: its newest report, when it last succeeded, and since when it fails."""

    report: SourceReported
    ok_at: float | None


class Activity(NamedTuple):
    """The functions that had published something lately at `at` (s since the epoch), by ListMetrics."""

    at: float
    functions: frozenset[Key]


class Spend(Struct, frozen=True):
    """What lambdatop's own calls cost so far (list prices, USD)."""

    calls: tuple[tuple[str, int], ...] = ()
    usd: float = 0.0
    usd_per_hour: float = 0.0
    budget_usd_per_hour: float = 0.0
    usd_by_call: tuple[tuple[str, float], ...] = ()

    @property
    def requests(self) -> int:
        """The requests of all operations together."""
        return sum(n for _, n in self.calls)


@lru_cache(maxsize=256)
def _not_known(reason: Reason, action: str) -> NotKnown:
    """Return one object for each reason, so that rows can be compared by identity."""
    return NotKnown(reason, action)


@lru_cache(maxsize=16_384)
def _never_read(function: Key, unread: NotKnown) -> FunctionTriggers:
    return never_read(function, unread)


_index: list[tuple[tuple[object, ...], Mapping[Key, tuple[Caller, ...]]]] = []


def _callers(*found: Mapping[Key, tuple[Caller, ...]]) -> Mapping[Key, tuple[Caller, ...]]:
    """Return the callers of each function; the same object for as long as these maps are the same."""
    known = next((made for of, made in _index if all(a is b for a, b in zip(of, found, strict=True))), None)
    if known is None:
        known = by_function(found)
        _index[:] = [(found, known), *_index[:1]]
    return known


class World(Struct, frozen=True, eq=False):
    """All facts, keyed. A key that is missing has not been read, which is not the same as zero."""

    targets: Mapping[Scope, TargetIdentified] = field(default_factory=_none)
    functions: Mapping[Key, FunctionFacts] = field(default_factory=_none)
    functions_at: Mapping[Scope, float] = field(default_factory=_none)
    reserved: Mapping[Key, Reserved] = field(default_factory=_none)
    reserved_at: Mapping[Key, float] = field(default_factory=_none)
    controls: Mapping[tuple[Key, str], tuple[float, object]] = field(default_factory=_none)
    accounts: Mapping[Scope, AccountFacts] = field(default_factory=_none)
    accounts_at: Mapping[Scope, float] = field(default_factory=_none)
    quota_limits: Mapping[Scope, QuotaLimits] = field(default_factory=_none)
    provisioned: Mapping[Key, tuple[float, tuple[Provisioned, ...]]] = field(default_factory=_none)
    states: Mapping[Key, tuple[float, FunctionState]] = field(default_factory=_none)
    capacity_providers: Mapping[Key, tuple[float, CapacityProvider]] = field(default_factory=_none)
    mappings: Mapping[Key, MappingFacts] = field(default_factory=_none)
    mappings_at: Mapping[Scope, float] = field(default_factory=_none)
    queues: Mapping[Key, QueueHistory] = field(default_factory=_none)
    streams: Mapping[Key, StreamFacts] = field(default_factory=_none)
    streams_at: Mapping[Key, float] = field(default_factory=_none)
    triggers: Mapping[Key, tuple[float, FunctionTriggers]] = field(default_factory=_none)
    wiring: Mapping[tuple[Scope, str], tuple[float, tuple[Edge, ...]]] = field(default_factory=_none)
    schedules: Mapping[Key, tuple[Caller, ...]] = field(default_factory=_none)
    pipes: Mapping[Key, tuple[Caller, ...]] = field(default_factory=_none)
    state_machines: Mapping[Key, tuple[Caller, ...]] = field(default_factory=_none)
    callers_at: Mapping[tuple[Scope, str], float] = field(default_factory=_none)
    changes: Mapping[Key, tuple[Change, ...]] = field(default_factory=_none)
    series: Mapping[Key, KnownSeries] = field(default_factory=_none)
    metrics_at: Mapping[Key, float] = field(default_factory=_none)
    activity: Mapping[Scope, Activity] = field(default_factory=_none)
    logs: Mapping[Key, LogTail] = field(default_factory=_none)
    alarms: Mapping[Key, AlarmFacts] = field(default_factory=_none)
    alarms_at: Mapping[Scope, float] = field(default_factory=_none)
    permissions: Mapping[Scope, Permissions] = field(default_factory=_none)
    prices: Mapping[Scope, tuple[str, tuple[tuple[str, float], ...]]] = field(default_factory=_none)
    burn_history: Mapping[Scope, BurnHistory] = field(default_factory=_none)
    sources: Mapping[str, Health] = field(default_factory=_none)
    gaps: Mapping[tuple[Scope, str], SourceGaps] = field(default_factory=_none)
    spend: Spend = Spend()
    polling: PollingStatus | None = None
    lambda_calls: tuple[tuple[float, int], ...] = ()
    journal: tuple[Entry, ...] = ()

    def metric(self, key: Key, name: str, stat: str = "Sum") -> Series:
        """Return one series, empty when nothing is known."""
        return self.series.get(key, NO_SERIES).series.get((name, stat), EMPTY)

    def asked_at(self, series: SeriesKey) -> float | None:
        """Return when a series' newest answer was asked for (s since the epoch), None before the first."""
        return self.series.get(series.key, NO_SERIES).at.get((series.metric, series.stat))

    def triggers_of(self, function: Key) -> FunctionTriggers:
        """Return what is known of a function's push triggers and async settings.

        Before it was read, why not.
        """
        read = self.triggers.get(function)
        return read[1] if read else _never_read(function, self.unread(TRIGGERS))

    def reserved_of(self, function: Key) -> Reserved | NotKnown:
        """Return the reserved concurrency of a function; before it was read, why it was not."""
        if function in self.reserved:
            return self.reserved[function]
        return self._gap(CONCURRENCY, function.id) or self.unread(CONCURRENCY)

    def queue_of(self, queue: Key) -> QueueHistory | NotKnown:
        """Return what is known of a queue; before it was read, why it was not."""
        known = self.queues.get(queue)
        return known or self._gap(QUEUES, queue.id) or self.unread(QUEUES)

    def retention_of(self, stream: Key) -> int | NotKnown:
        """Return how long a stream keeps its records, in s; before it was read, why it was not."""
        known = self.streams.get(stream)
        if known is not None and known.retention_s is not None:
            return known.retention_s
        if known is not None:
            return NotKnown("not answered", STREAMS.action)
        return self._gap(STREAMS, stream.id) or self.unread(STREAMS)

    def _gap(self, source: SourceSpec, target: str) -> NotKnown | None:
        """Return why a read of one thing brought nothing, None where no gap is known."""
        told = (gaps.by_target for (_, name), gaps in self.gaps.items() if name == source.name)
        return next((found for targets in told if (found := targets.get(target))), None)

    def unread(self, source: SourceSpec, action: str | None = None) -> NotKnown:
        """Return why a read of `source` has brought nothing.

        The source failed as a whole, or it was not made. `action` is the IAM action of the read, None for the
        one that stands for the source.
        """
        action = source.action if action is None else action
        health = self.sources.get(source.name)
        state = health.report.state if health is not None else "starting"
        if state in ("denied", "throttled", "failed"):
            denied = health.report.action if health is not None else None
            return _not_known(cast(Reason, state), denied or action)
        return _not_known("not asked", action)

    def mappings_of(self, function: Key) -> tuple[MappingFacts, ...]:
        """Return the mappings that feed a function, by source."""
        found = (m for m in self.mappings.values() if m.function == function)
        return tuple(sorted(found, key=lambda m: m.reading_order))

    @property
    def callers(self) -> Mapping[Key, tuple[Caller, ...]]:
        """The schedules, pipes and state machines that are known to invoke each function."""
        return _callers(self.schedules, self.pipes, self.state_machines)

    def looks(self, scope: Scope) -> tuple[Looked, ...]:
        """Return when callers were looked for in an account and region, and what of them is not known."""
        specs = zip((SCHEDULES, PIPES, STATE_MACHINES), KINDS, strict=True)
        return tuple(self._look(spec, kind, scope) for spec, kind in specs)

    def _look(self, spec: SourceSpec, kind: CallerKind, scope: Scope) -> Looked:
        told = self.gaps.get((scope, spec.name))
        every: Mapping[Key, tuple[Caller, ...]] = getattr(self, spec.world[0])
        missing = (
            *missing_words(hiding_gaps(told.gaps if told else (), every)),
            *computed_words(c for each in every.values() for c in each),
        )
        at, unread = self.callers_at.get((scope, spec.name)), self.unread(spec)
        if at is None or unread.reason != "not asked":
            missing = (unread_words(unread, kind), *missing)
        return Looked(kind, at, (), missing)

    def invokes_nothing(self, mapping: MappingFacts) -> bool:
        """Return whether the function of a mapping was deleted: a newer list lacks it."""
        listed = self.functions_at.get(mapping.function.scope)
        if listed is None or mapping.function in self.functions or mapping.last_modified is None:
            return False
        return mapping.last_modified < listed


EMPTY_WORLD = World()
