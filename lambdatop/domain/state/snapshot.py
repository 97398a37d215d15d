"""Define the Snapshot: everything that is shown, made once per round and read by all.

Frozen and compared by identity: comparing two by value costs milliseconds a tick.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct, field

from lambdatop.domain.cost.burn import NO_BURN, AccountBurn, Burn
from lambdatop.domain.facts.callers import NOT_LOOKED, Caller, Looked, looks_of
from lambdatop.domain.facts.durable import DurableFigures
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import AlarmFacts, FunctionFacts, Reserved
from lambdatop.domain.facts.function_state import CapacityProvider
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.facts.permissions import Permissions
from lambdatop.domain.facts.polling_status import PollingStatus
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.triggers import Invocation
from lambdatop.domain.keys import Key, Scope, qualified_name
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.domain.plans.finding import Finding, Incident
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.state.aftermath import Aftermath
from lambdatop.domain.state.world import Spend, World

Mode = Literal["operator", "read-only"]
Trend = Literal["up", "down", "flat", ""]


class Target(Struct, frozen=True):
    """Account, region and identity. `endpoint` is empty when it is AWS's own; `notice` is a permanent remark.

    `forced` says what in the configuration holds this account to read-only, `lifted` what would have.
    """

    scope: Scope
    alias: str = ""
    identity: str = ""
    endpoint: str = ""
    notice: str = ""
    credentials_expire_at: float | None = None
    forced: str = ""
    lifted: str = ""


HEAT_OF_VOLUME = 5.0
"""The heat that nothing but many invocations can make."""


class FunctionRow(Struct, frozen=True):
    """One function. Rates are per minute over the last final minutes; None means not known.

    `errors`, `throttles` … in events/min; `duration_*_ms` and `iterator_age_ms` ms; `error_rate` and
    `cold_start_rate` 0..1; `concurrency_max` environments; `heat` 0..100 (see `heat.py`); `as_of` is
    when the metrics were fetched (s since the epoch), None before the first answer. `spark` is invocations
    per minute, oldest first, None where CloudWatch has no point. `reserved_known` is False until it was read.
    `burn` is what it costs by parts, `burn_usd_per_hour` their sum. `durable` is None unless it is durable.
    """

    facts: FunctionFacts
    reserved: Reserved = None
    reserved_known: bool = False
    invocations_per_min: float | None = None
    errors_per_min: float | None = None
    error_rate: float | None = None
    throttles_per_min: float | None = None
    duration_max_ms: float | None = None
    duration_p99_ms: float | None = None
    concurrency_max: float | None = None
    iterator_age_ms: float | None = None
    async_amplification: float | None = None
    cold_start_rate: float | None = None
    burn_usd_per_hour: float | None = None
    burn: Burn | None = None
    durable: DurableFigures | None = None
    heat: float = 0.0
    as_of: float | None = None
    spark: tuple[float | None, ...] = ()
    errors_spark: tuple[float | None, ...] = ()
    invocations_trend: Trend = ""
    errors_trend: Trend = ""
    duration_trend: Trend = ""
    findings: int = 0
    worst: str = ""

    @property
    def key(self) -> Key:
        """The function's key."""
        return self.facts.key

    @property
    def stands_out(self) -> bool:
        """Whether it has findings, is hot by more than its traffic, or is throttled to zero."""
        stopped = self.reserved_known and self.reserved == 0
        return bool(self.findings) or self.heat > HEAT_OF_VOLUME or stopped


class MappingRow(Struct, frozen=True):
    """One event source mapping with its risks; `as_of` is when it was listed (s since the epoch)."""

    facts: MappingFacts
    risks: tuple[str, ...] = ()
    as_of: float | None = None


class QueueRow(Struct, frozen=True):
    """One queue. `redelivery_ratio` received / deleted; `trend_per_min` change of depth per minute.

    `received` and `deleted` are sums over the redelivery window; `oldest_age_s` s (leaves poison out).
    """

    facts: QueueFacts
    dlq_of: tuple[str, ...] = ()
    received: float | None = None
    deleted: float | None = None
    redelivery_ratio: float | None = None
    trend_per_min: float | None = None
    grown: int | None = None
    oldest_age_s: float | None = None
    spark: tuple[float | None, ...] = ()

    @property
    def as_of(self) -> float:
        """When its counts were read (s since the epoch)."""
        return self.facts.at


class StormRow(Struct, frozen=True):
    """One trigger that may repeat work: source → function → dead-letter queue, worst first.

    `score` orders the pane (see `storms.py`); `why` says in words what the score rests on. `mapping` is
    None for a push trigger (`source_kind` s3, sns, eventbridge, async, …). `invocation` says who repeats
    a failed event, `failure_path` what becomes of one now ("2 more receives, then orders-dlq").
    `amplification` is runs per event (1 is healthy) with its `trend`, `wasted_per_min` invocations per
    minute that did work again or in vain, at `wasted_usd_per_hour` list price; `blocks` names who waits
    behind it. `sources` are the triggers by name where one row stands for several; `qualifier` is the
    alias or version that a mapping invokes.
    """

    mapping: Key | None
    function: Key
    source_kind: str
    source_name: str
    state: str
    last_result: str
    queue: QueueRow | None = None
    dlq: QueueRow | None = None
    iterator_age_ms: float | None = None
    error_rate: float | None = None
    score: float = 0.0
    why: str = ""
    risks: tuple[str, ...] = ()
    as_of: float | None = None
    invocation: Invocation = "unknown"
    failure_path: str = ""
    amplification: float | None = None
    trend: Trend = ""
    wasted_per_min: float | None = None
    wasted_usd_per_hour: float | None = None
    blocks: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    qualifier: str = ""
    caller: Key | None = None
    settings: str = ""

    @property
    def function_name(self) -> str:
        """The function that is invoked, with the alias or version that the trigger names."""
        return qualified_name(self.function, self.qualifier)

    @property
    def key(self) -> tuple[Key, str]:
        """What makes it the same row in the next round."""
        if self.caller is not None:
            return self.caller, f"{self.function_name} {self.source_name}"
        return (self.function, self.invocation) if self.mapping is None else (self.mapping, "")


class QuotaRow(Struct, frozen=True):
    """One quota. `headroom` is limit - used; `exhausted_in_s` None = not growing.

    `used` and `headroom` are None where the use is not known.
    `exhausted_range_s` is from the soonest to the latest exhaustion that the trend allows (s; the latest may
    be infinite), with its `confidence` (high, medium, low, "" without a trend). `as_of` is when it was read
    (s since the epoch). `assumed`: the limit is the documented default, AWS did not tell. `consumers` are who
    takes it with their shares in `unit`, largest first; `stack` is the same by kind of use (reserved,
    provisioned, executing). `first_throttled` says who is refused first when it runs out. `target` is what it
    is the limit of, `own` whether that is its owner's own setting rather than AWS's limit, `fixed` whether it
    is static: hit by one change, not by traffic. `top` is the first of `consumers` where that is a function.
    """

    name: str
    code: str
    scope: str
    used: float | None
    limit: float
    unit: str
    source: str
    headroom: float | None
    trend_per_min: float | None = None
    exhausted_in_s: float | None = None
    as_of: float | None = None
    note: str = ""
    assumed: bool = False
    exhausted_range_s: tuple[float, float] | None = None
    confidence: str = ""
    consumers: tuple[tuple[str, float], ...] = ()
    stack: tuple[tuple[str, float], ...] = ()
    first_throttled: str = ""
    target: Key | None = None
    top: Key | None = None
    own: bool = False
    fixed: bool = False

    @property
    def share(self) -> float | None:
        """Used / limit; 1 where nothing is allowed but something used; None where the use is not known."""
        if self.used is None:
            return None
        return self.used / self.limit if self.limit > 0 else float(self.used > 0)


DETECTORS = "detectors"
"""The row among the sources that says which detectors have failed."""


class SourceRow(Struct, frozen=True):
    """One collector's state in words; `age_s` s since its last success."""

    name: str
    state: str
    age_s: float | None
    error: str = ""
    action: str | None = None
    pace_s: float | None = None
    pace_why: str = ""


class Kept(Struct, frozen=True, eq=False):
    """What a round keeps for the next: its World, when its quotas were counted, and its storms.

    `storms` are the rows by mapping or function, each with what it was made of, compared by identity;
    `functions` are the rows by key.
    """

    world: World
    quotas_at: float
    storms: Mapping[Key, tuple[tuple[object, ...], tuple[StormRow, ...]]]
    functions: Mapping[Key, FunctionRow]


class Snapshot(Struct, frozen=True, eq=False):
    """Everything to show at `at` (s since the epoch); `seq` grows by one with each new snapshot.

    `functions` come hottest first. `permissions` is None until IAM was asked what the caller may do,
    `polling` until polls were planned. `gaps` are reads that brought nothing, or were not made yet, while
    their source as a whole may be fine.
    `callers` are the schedules, pipes and state machines by the function that they invoke, `looks` when they
    were looked for. `capacity_providers` are those of functions on managed instances, with when each was
    listed (s since the epoch).
    `kept` is for the round after it: what has not changed since need not be made anew.
    """

    seq: int = 0
    at: float = 0.0
    version: str = ""
    mode: Mode = "operator"
    targets: tuple[Target, ...] = ()
    functions: tuple[FunctionRow, ...] = ()
    mappings: tuple[MappingRow, ...] = ()
    queues: tuple[QueueRow, ...] = ()
    storms: tuple[StormRow, ...] = ()
    findings: tuple[Finding, ...] = ()
    incidents: tuple[Incident, ...] = ()
    quotas: tuple[QuotaRow, ...] = ()
    sources: tuple[SourceRow, ...] = ()
    gaps: tuple[Gap, ...] = ()
    alarms: tuple[AlarmFacts, ...] = ()
    spend: Spend = Spend()
    polling: PollingStatus | None = None
    journal: tuple[Entry, ...] = ()
    aftermath: tuple[Aftermath, ...] = ()
    logs: Mapping[Key, LogTail] = field(default_factory=lambda: MappingProxyType({}))
    permissions: Permissions | None = None
    burn: AccountBurn = NO_BURN
    callers: Mapping[Key, tuple[Caller, ...]] = field(default_factory=lambda: MappingProxyType({}))
    looks: Mapping[Scope, tuple[Looked, ...]] = field(default_factory=lambda: MappingProxyType({}))
    capacity_providers: Mapping[Key, tuple[float, CapacityProvider]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    kept: Kept | None = None

    def age_s(self, as_of: float | None) -> float | None:
        """Return how old something was when this was made, s; None where it was not known."""
        return None if as_of is None else max(0.0, self.at - as_of)

    def looked_for(self, function: Key) -> tuple[Looked, ...]:
        """Return what is known of a function's schedules, pipes and state machines, and what is not."""
        return looks_of(self.looks.get(function.scope, NOT_LOOKED), self.callers.get(function, ()))

    @property
    def runtimes(self) -> tuple[tuple[str, int], ...]:
        """Runtimes with the number of functions, by name; the configuration of an image names none."""
        nameless = {"Image": "container image"}
        facts = (row.facts for row in self.functions)
        found = Counter(f.runtime or nameless.get(f.package_type, "not known") for f in facts)
        return tuple(sorted(found.items()))

    @property
    def without_dlq(self) -> int:
        """How many functions have no dead-letter queue of their own."""
        return sum(f.facts.dlq_arn is None for f in self.functions)

    @property
    def overridden(self) -> tuple[Aftermath, ...]:
        """Mutations of ours whose state somebody has changed since."""
        return tuple(a for a in self.aftermath if a.changed)

    @property
    def open_intents(self) -> tuple[Entry, ...]:
        """Journal entries whose outcome is not known."""
        return tuple(e for e in self.journal if e.outcome in ("open", "unknown"))


EMPTY_SNAPSHOT = Snapshot()
