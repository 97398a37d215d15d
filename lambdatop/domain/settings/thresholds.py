"""Hold the thresholds: one class per detector, each field with its unit, range and meaning.

The configuration's schema and docs/detectors.md are made from these fields, so a threshold is written
down once. Defaults come from the sources that each detector's module names.
"""

from __future__ import annotations

from lambdatop.domain.settings.fields import Section
from lambdatop.domain.settings.fields import count as _count
from lambdatop.domain.settings.fields import knob as _knob
from lambdatop.domain.settings.fields import minutes as _minutes
from lambdatop.domain.settings.fields import ratio as _ratio
from lambdatop.domain.settings.fields import share as _share
from lambdatop.domain.settings.fields import window as _window


class AsyncAmplificationSettings(Section, frozen=True):
    """`async_amplification`: attempts per asynchronous event."""

    window_min: int = _window(15)
    min_events: int = _count(20, "events")
    warning_ratio: float = _ratio(1.3, "attempts / events received")
    critical_ratio: float = _ratio(2.0, "attempts / events received")
    min_age_s: float = _knob(60.0, "s", "oldest attempt, unless it rises: younger is a backlog that drains")


class DurableReplaySettings(Section, frozen=True):
    """`durable_replay`: durable executions are replayed without end."""

    window_min: int = _window(10)
    min_errors: int = _count(20, "errors")
    share: float = _share(0.5, "errors / invocations")
    critical_share: float = _share(0.9, "errors / invocations")
    most_ended: float = _share(0.1, "executions failed or timed out / errors: more of them do end")


class AsyncLossSettings(Section, frozen=True):
    """`async_loss`: asynchronous events discarded or not delivered anywhere."""

    window_min: int = _window(5)


class AsyncBacklogSettings(Section, frozen=True):
    """`async_backlog`: events wait in Lambda's asynchronous queue."""

    window_min: int = _window(10)
    warning_age_s: float = _knob(60.0, "s", "oldest attempt, and rising", 1)
    critical_share: float = _share(0.5, "oldest attempt / maximum event age")


class RedeliverySettings(Section, frozen=True):
    """`sqs_redelivery`: received / deleted over a window."""

    window_min: int = _window(10)
    min_received: int = _count(20, "messages")
    warning_ratio: float = _ratio(1.5, "received / deleted")
    critical_ratio: float = _ratio(3.0, "received / deleted")


class PoisonMessageSettings(Section, frozen=True):
    """`poison_message`: the same messages fail repeatedly."""

    window_min: int = _window(15)
    min_receives: int = _count(3, "receives", "receives of one message in the log that make it poison", 2)
    error_share: float = _share(0.9, "errors / invocations while nothing is deleted")


class BatchAmplificationSettings(Section, frozen=True):
    """`batch_amplification`: healthy messages run again with the bad one of their batch."""

    window_min: int = _window(10)
    min_invocations: int = _count(20, "invocations")
    min_batch: int = _count(10, "records", "batch size from which on it matters", 2)
    warning_share: float = _share(0.05, "errors / invocations")


class DlqGrowthSettings(Section, frozen=True):
    """`dlq_growth`: change of depth (visible + in flight) per minute."""

    window_min: int = _window(5)
    critical_per_min: float = _knob(10.0, "messages/min", "growth", 0, 1_000_000)


class BlockedShardSettings(Section, frozen=True):
    """`blocked_shard`: iterator age grows as fast as time passes."""

    window_min: int = _window(10)
    min_points: int = _count(5, "points", "points of iterator age behind the slope", 3)
    slope_ms_per_min: float = _knob(
        50_000.0, "ms/min", "growth of iterator age; 60000 is real time", 1, 60_000
    )
    error_share: float = _share(0.9, "errors / invocations, or any throttle")
    critical_share: float = _share(0.5, "iterator age / retention")


class BlockedPartitionSettings(Section, frozen=True):
    """`blocked_partition`: Kafka's offset lag climbs while the function fails."""

    window_min: int = _window(10)
    min_lag: int = _count(100, "records", "silent below")
    error_share: float = _share(0.9, "errors / invocations")


class StreamLossSettings(Section, frozen=True):
    """`stream_loss`: stream records discarded."""

    window_min: int = _window(5)


class StreamLagSettings(Section, frozen=True):
    """`stream_lag`: a consumer falls behind although its function does not fail."""

    window_min: int = _window(10)
    min_lag: int = _count(100, "records", "Kafka: silent below")
    min_age_s: float = _knob(60.0, "s", "Kinesis, DynamoDB: silent below this iterator age", 1)
    slope_ms_per_min: float = _knob(3000.0, "ms/min", "Kinesis, DynamoDB: growth of iterator age", 1, 60_000)
    max_error_share: float = _share(0.1, "errors / invocations; above it the function fails, it is not slow")
    critical_share: float = _share(0.5, "iterator age / retention")


class QueueBacklogSettings(Section, frozen=True):
    """`queue_backlog`: a queue fills although its consumer works."""

    window_min: int = _window(15)
    min_waiting: int = _count(100, "messages")
    filling_drain_min: float = _knob(5.0, "min", "a queue that fills would take so long to work off", 1)
    standing_drain_min: float = _knob(60.0, "min", "one that neither fills nor falls would take so long", 1)
    blocked_age_s: float = _knob(300.0, "s", "FIFO: silent below this age of the oldest message", 1)
    blocked_ms_per_min: float = _knob(
        50_000.0, "ms/min", "FIFO: growth of that age; 60000 is the clock", 1, 60_000
    )
    critical_share: float = _share(0.5, "time to work off, or age of the oldest / retention")


class NearTimeoutSettings(Section, frozen=True):
    """`near_timeout`: duration against the function's own timeout."""

    window_min: int = _window(5)
    min_invocations: int = _count(5, "invocations")
    warning_share: float = _share(0.8, "longest duration / timeout")
    critical_share: float = _share(0.98, "longest duration / timeout, with errors")


class TimeoutsSettings(Section, frozen=True):
    """`timeouts`: invocations that ended at their timeout, from the log."""

    window_min: int = _window(5)
    min_timeouts: int = _count(2, "timeouts")
    critical_share: float = _share(0.25, "timeouts / reports in the log")


class ThrottledSettings(Section, frozen=True):
    """`throttled`: throttles / (throttles + invocations) over a window."""

    window_min: int = _window(5)
    min_throttles: int = _count(1, "throttles")
    critical_share: float = _share(0.05, "throttles / attempts")


class RunawayLoopSettings(Section, frozen=True):
    """`runaway_loop`: Lambda itself stopped a loop."""

    window_min: int = _window(5)


class SuspectedLoopSettings(Section, frozen=True):
    """`suspected_loop`: growth that the source does not explain."""

    window_min: int = _window(10)
    growth_factor: float = _ratio(1.5, "invocations of a minute / of the minute before")
    growth_min: int = _knob(5, "min", "minutes in a row that grow so", 2, 30)
    min_per_min: float = _knob(30.0, "invocations/min", "silent below", 1, 1_000_000)
    explained_share: float = _share(
        0.8, "share of what a queue takes in that the function itself may have sent"
    )


class TrafficBurstSettings(Section, frozen=True):
    """`traffic_burst`: events multiply, and nothing known sends so many."""

    window_min: int = _window(10)
    factor: float = _ratio(10.0, "invocations of a minute / the most of the hour before")
    growth_factor: float = _ratio(1.5, "invocations of a minute / of the minute before, 3 times in a row")
    min_per_min: float = _knob(60.0, "invocations/min", "silent below", 1, 1_000_000)


class ProvisionedSpilloverSettings(Section, frozen=True):
    """`provisioned_spillover`: invocations do not find room in provisioned concurrency."""

    window_min: int = _window(5)
    min_spilled: int = _count(100, "invocations")
    warning_share: float = _share(0.05, "spilled over / invocations of the alias or version")


class ColdStartBurstSettings(Section, frozen=True):
    """`cold_start_burst`: environments start on the request path."""

    window_min: int = _window(5)
    min_reports: int = _count(20, "reports")
    warning_share: float = _share(0.2, "reports with an init duration / reports")


class ProactiveInitSettings(Section, frozen=True):
    """`proactive_init`: environments that initialise without serving."""

    window_min: int = _window(30)
    gap_s: float = _knob(10.0, "s", "from the end of init to the first request, or to now without one", 1)


class MemoryPressureSettings(Section, frozen=True):
    """`memory_pressure`: used memory against its size."""

    window_min: int = _window(15)
    min_reports: int = _count(5, "reports")
    warning_share: float = _share(0.9, "max memory used / memory size")


class ResourceLimitSettings(Section, frozen=True):
    """`resource_limit`: a hard limit hit, by its signature in the log."""

    window_min: int = _window(15)
    min_lines: int = _count(1, "lines")
    critical_share: float = _share(0.25, "executions that hit a limit / executions in the log")


class ErrorRateSettings(Section, frozen=True):
    """`error_rate`: errors / invocations over a window with a volume floor."""

    window_min: int = _window(5)
    min_invocations: int = _count(20, "invocations")
    min_errors: int = _count(3, "errors")
    warning: float = _share(0.05, "errors / invocations")
    critical: float = _share(0.25, "errors / invocations")
    failing_minutes: int = _count(
        5, "minutes", "minutes with invocations that all fail, however few they are"
    )


class ErrorBurstSettings(Section, frozen=True):
    """`error_burst`: many more errors than in the half hour before."""

    window_min: int = _window(2)
    baseline_min: int = _minutes(30, "what it is compared with", 5)
    min_errors: int = _count(10, "errors")
    factor: float = _ratio(5.0, "errors per minute / errors per minute before")


class LogStormSettings(Section, frozen=True):
    """`log_storm`: a log group takes in far more than before."""

    window_min: int = _window(5)
    baseline_min: int = _minutes(60, "what it is compared with: the quieter quarter of it", 5)
    min_bytes_per_min: float = _knob(10_000_000.0, "bytes/min", "silent below", 1)
    factor: float = _ratio(5.0, "bytes per minute / bytes per minute before")


class CostBurnSettings(Section, frozen=True):
    """`cost_burn`: a function or the account burns far more than usual, or most of the cost is wasted."""

    window_min: int = _window(5)
    baseline_min: int = _minutes(60, "what it is compared with: as far back as the history goes", 5)
    min_usd_per_hour: float = _knob(1.0, "USD/h", "silent below, for burn as for waste")
    critical_usd_per_hour: float = _knob(20.0, "USD/h", "burn above usual, or waste")
    factor: float = _ratio(3.0, "burn / median of the baseline, or duration / the same hour yesterday")
    waste_share: float = _share(0.5, "wasted / burn")


class DeadTriggerSettings(Section, frozen=True):
    """`dead_trigger`: a mapping delivers nothing although it should."""

    window_min: int = _window(10)
    min_expected: float = _count(10, "events", "silent below: how many a filter should have let through")


class RecentChangeSettings(Section, frozen=True):
    """`recent_change`: symptoms that began right after a deployment."""

    lookback_min: int = _minutes(60, "how long ago the change may have been", 5)
    before_min: int = _minutes(15, "what is compared: before the change", 3)
    min_invocations: int = _count(20, "invocations", "silent below, before as well as after")
    error_rise: float = _share(0.05, "rise of errors / invocations")
    duration_factor: float = _ratio(2.0, "median of p99 durations after / before")


class QuotaHeadroomSettings(Section, frozen=True):
    """`quota_headroom`: a limit that is nearly reached or will be soon."""

    window_min: int = _window(15)
    min_share: float = _share(0.3, "used / limit; below it growth is not carried forward")
    warning_share: float = _share(0.8, "used / limit")
    critical_share: float = _share(0.95, "used / limit")
    critical_left_s: float = _knob(900.0, "s", "soonest exhaustion, unless its confidence is low", 60, 86_400)
    idle_share: float = _share(0.1, "reserved and used less over an hour: could be released")


class DetectorSettings(Section, frozen=True):
    """Thresholds of each detector.

    `clear_factor`: a finding that stands is kept while its figures stay above this share of the
    threshold that raised it, so that a value that hovers around a threshold does not flicker.
    """

    clear_factor: float = _share(
        0.8, "a finding stays until its figure falls below this share of its threshold"
    )
    async_amplification: AsyncAmplificationSettings = AsyncAmplificationSettings()
    async_loss: AsyncLossSettings = AsyncLossSettings()
    durable_replay: DurableReplaySettings = DurableReplaySettings()
    async_backlog: AsyncBacklogSettings = AsyncBacklogSettings()
    sqs_redelivery: RedeliverySettings = RedeliverySettings()
    poison_message: PoisonMessageSettings = PoisonMessageSettings()
    batch_amplification: BatchAmplificationSettings = BatchAmplificationSettings()
    dlq_growth: DlqGrowthSettings = DlqGrowthSettings()
    blocked_shard: BlockedShardSettings = BlockedShardSettings()
    blocked_partition: BlockedPartitionSettings = BlockedPartitionSettings()
    stream_loss: StreamLossSettings = StreamLossSettings()
    stream_lag: StreamLagSettings = StreamLagSettings()
    queue_backlog: QueueBacklogSettings = QueueBacklogSettings()
    near_timeout: NearTimeoutSettings = NearTimeoutSettings()
    timeouts: TimeoutsSettings = TimeoutsSettings()
    throttled: ThrottledSettings = ThrottledSettings()
    runaway_loop: RunawayLoopSettings = RunawayLoopSettings()
    suspected_loop: SuspectedLoopSettings = SuspectedLoopSettings()
    traffic_burst: TrafficBurstSettings = TrafficBurstSettings()
    provisioned_spillover: ProvisionedSpilloverSettings = ProvisionedSpilloverSettings()
    cold_start_burst: ColdStartBurstSettings = ColdStartBurstSettings()
    proactive_init: ProactiveInitSettings = ProactiveInitSettings()
    memory_pressure: MemoryPressureSettings = MemoryPressureSettings()
    resource_limit: ResourceLimitSettings = ResourceLimitSettings()
    error_rate: ErrorRateSettings = ErrorRateSettings()
    error_burst: ErrorBurstSettings = ErrorBurstSettings()
    log_storm: LogStormSettings = LogStormSettings()
    cost_burn: CostBurnSettings = CostBurnSettings()
    dead_trigger: DeadTriggerSettings = DeadTriggerSettings()
    quota_headroom: QuotaHeadroomSettings = QuotaHeadroomSettings()
    recent_change: RecentChangeSettings = RecentChangeSettings()
