"""Define what lambdatop learns from outside as immutable events. Only `fold` reads them.

Every event carries its scope and `at`, the moment it was fetched (s since the epoch).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

from lambdatop.domain.facts.callers import Caller
from lambdatop.domain.facts.event_source_mapping import MappingFacts, StreamFacts
from lambdatop.domain.facts.function import AccountFacts, AlarmFacts, FunctionFacts, Reserved
from lambdatop.domain.facts.function_state import CapacityProvider, FunctionState
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.facts.permissions import Permissions
from lambdatop.domain.facts.polling_status import PollingStatus
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.quota_limits import Provisioned, QuotaLimit
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.facts.triggers import Edge, FunctionTriggers
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.tail import LogWay
from lambdatop.domain.plans.journal import Entry

SourceState = Literal["starting", "ok", "stale", "denied", "throttled", "failed"]


class Event(Struct, frozen=True):
    """Base of all events."""

    scope: Scope
    at: float


class TargetIdentified(Event, frozen=True):
    """Our identity, account and region. `endpoint` is set when it is not AWS's own.

    `forced` says what holds this account to read-only, `lifted` what would have without --write.
    """

    identity: str
    alias: str = ""
    endpoint: str = ""
    notice: str = ""
    credentials_expire_at: float | None = None
    forced: str = ""
    lifted: str = ""


class FunctionsListed(Event, frozen=True):
    """The complete list of functions; what is not in it does not exist any more.

    Not `complete`: pages of the first list, as they come. Ten thousand functions take 40 s to list.
    """

    functions: tuple[FunctionFacts, ...]
    complete: bool = True


class ConcurrencyObserved(Event, frozen=True):
    """Reserved concurrency of some functions (None = nothing reserved)."""

    reserved: tuple[tuple[Key, Reserved], ...]


class AccountObserved(Event, frozen=True):
    """GetAccountSettings."""

    account: AccountFacts


class QuotasObserved(Event, frozen=True):
    """What Service Quotas returned for the account; `gap` is why it returned less than was asked, else ""."""

    limits: tuple[QuotaLimit, ...]
    gap: str = ""


class ProvisionedObserved(Event, frozen=True):
    """Provisioned concurrency of some functions, by version and alias (() = none)."""

    provisioned: tuple[tuple[Key, tuple[Provisioned, ...]], ...]


class StatesObserved(Event, frozen=True):
    """Whether Lambda runs some functions."""

    states: tuple[tuple[Key, FunctionState], ...]


class CapacityProvidersListed(Event, frozen=True):
    """The complete list of capacity providers that run functions of the account and region."""

    providers: tuple[CapacityProvider, ...]


class MappingsListed(Event, frozen=True):
    """The complete list of event source mappings of the account and region."""

    mappings: tuple[MappingFacts, ...]


class QueuesObserved(Event, frozen=True):
    """Attributes of the queues behind mappings and of their DLQs; `gone` no longer exist."""

    queues: tuple[QueueFacts, ...]
    gone: tuple[Key, ...] = ()


class StreamsObserved(Event, frozen=True):
    """The streams behind mappings."""

    streams: tuple[StreamFacts, ...]


class TriggersObserved(Event, frozen=True):
    """Resource policies, async settings and loop detection of some functions."""

    triggers: tuple[FunctionTriggers, ...]


class WiringObserved(Event, frozen=True):
    """All edges that one place holds: `place` is the topic, bus or bucket whose configuration was read."""

    place: str
    edges: tuple[Edge, ...]


class CallersObserved(Event, frozen=True):
    """All schedules, pipes or state machines that are known to invoke a function; `source` says which."""

    source: str
    callers: tuple[Caller, ...]


class MetricPoints(NamedTuple):
    """Points of one series in the answered window, oldest first; unit as CloudWatch publishes the metric.

    They are pairs of (start of minute, value): a tuple of them, or `Columns`, which compare equal.
    """

    series: SeriesKey
    points: Sequence[tuple[int, float]]


class MetricsObserved(Event, frozen=True):
    """A GetMetricData answer: for each series, all points of [start, end), which replace what was known.

    `start` and `end` are s since the epoch; points are (start of minute, value). `partial`: of these
    functions one series was asked for to find something out, so the others are as old as they were.
    """

    start: float
    end: float
    data: tuple[MetricPoints, ...]
    partial: bool = False


class ActivityObserved(Event, frozen=True):
    """The functions that have published anything within the last three hours, as ListMetrics tells."""

    functions: tuple[Key, ...]


class PollsPlanned(Event, frozen=True):
    """What is asked of CloudWatch now, and how often. `full`: a round that a person asked for is complete."""

    polling: PollingStatus
    full: bool = False


class LogsObserved(Event, frozen=True):
    """New log lines of one function, oldest first, without duplicates.

    `complete` is False when lines may be missing (`gap` says why); `group` is where they came from.
    `via` is the way they came and `via_why` why that is not the way that was asked for. `lag_s` is how old
    the newest line was when it came (s; None: no line came). `coverage` is the share of what was written
    that the way brings, 0..1, as far as it tells (None: it cannot be told); what is missing of Live Tail's is
    looked for by polling. `usd_per_hour` is what the way costs at list price, shared with the other
    functions of the same Live Tail session.
    """

    function: Key
    group: str
    lines: tuple[LogLine, ...]
    complete: bool = True
    gap: str = ""
    via: LogWay = "poll"
    via_why: str = ""
    lag_s: float | None = None
    coverage: float | None = None
    usd_per_hour: float = 0.0


class PricesObserved(Event, frozen=True):
    """List prices of the region by their names in `prices.FIGURES` (USD); `as_of` is the day of reading."""

    as_of: str
    figures: tuple[tuple[str, float], ...]


class BurnHistoryObserved(Event, frozen=True):
    """The account's last days, by hours: start (s since the epoch), sum of durations (ms), invocations."""

    hours: tuple[tuple[int, float, float], ...]


class AlarmsObserved(Event, frozen=True):
    """All alarms in state ALARM."""

    alarms: tuple[AlarmFacts, ...]


class PermissionsObserved(Event, frozen=True):
    """What the caller may do, as IAM simulates it."""

    permissions: Permissions


class SourceReported(Event, frozen=True):
    """How a collector is doing.

    `error` is one clean sentence; `action` the missing IAM action when denied; `next_in_s` when it
    will try again; `pace_s` its pace now and `pace_why` why that is slower than asked for.
    """

    source: str
    state: SourceState
    error: str = ""
    action: str | None = None
    next_in_s: float | None = None
    pace_s: float | None = None
    pace_why: str = ""


class GapsObserved(Event, frozen=True):
    """Each read of `source` that brings nothing now while others do; it replaces the event before it.

    A source that fails as a whole tells of it by SourceReported.
    """

    source: str
    gaps: tuple[Gap, ...]


class SpendObserved(Event, frozen=True):
    """What lambdatop itself has asked for so far; `usd` counts billable units at list price.

    `calls` are requests by `service.operation`, `usd_by_call` what each of those that cost anything came to.
    """

    calls: tuple[tuple[str, int], ...]
    usd: float
    usd_per_hour: float
    budget_usd_per_hour: float
    usd_by_call: tuple[tuple[str, float], ...] = ()


class JournalRead(Event, frozen=True):
    """The journal as it stands on disk, oldest entry first."""

    entries: tuple[Entry, ...]


class Control(NamedTuple):
    """A control state read back from AWS after a mutation, so that the screen does not wait for a poll."""

    key: Key
    field: str
    value: object


class ControlObserved(Event, frozen=True):
    """Fresh control states (`reserved_concurrency`, `state`) of single resources."""

    controls: tuple[Control, ...]
