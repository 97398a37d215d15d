"""Decide which series CloudWatch is asked for: one query each, which costs one unit. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from lambdatop.domain.facts.durable import COUNTED, METRIC, RUNNING_METRIC
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.function_state import THROTTLE_REASONS
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.facts.source_kinds import AGED
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.polling.tripwire import WIRES, Figures, Metric

PERIOD_S = 60

FUNCTION_METRICS = (
    ("Invocations", "Sum"),
    ("Errors", "Sum"),
    ("Throttles", "Sum"),
    ("Duration", "Maximum"),
    ("Duration", "p99"),
    ("Duration", "Sum"),
    ("ConcurrentExecutions", "Maximum"),
    ("AsyncEventsReceived", "Sum"),
    ("AsyncEventAge", "SampleCount"),
)
"""Of each function, dimension FunctionName. Duration in ms; the sample count of AsyncEventAge is the
number of attempts, which AsyncEventsReceived (one per event) is compared with."""

ITERATOR_AGE = ("IteratorAge", "Maximum")
"""Of functions that a stream feeds, ms."""

OFFSET_LAG = ("OffsetLag", "Maximum")
"""Of functions that Kafka feeds, records."""

OVERSIZED = ("OversizedRecordCount", "Sum")
"""Of functions that DocumentDB feeds: changes above 6 MB, which Lambda drops (Lambda developer guide, "Types
of metrics for Lambda functions")."""

ASYNC_METRICS = (
    ("AsyncEventAge", "Maximum"),
    ("AsyncEventsDropped", "Sum"),
    ("DeadLetterErrors", "Sum"),
)
"""Of functions with asynchronous events in the history; the age in ms."""

DELIVERY_FAILURES = ("DestinationDeliveryFailures", "Sum")
"""Also of functions that a stream feeds whose mapping has an on-failure destination."""

DURABLE_METRICS = tuple((f"{METRIC}{what}", "Sum") for what in COUNTED)
"""Of durable functions that have run in the history: executions, where Invocations counts their replays."""

REASONS = tuple((metric, "Sum") for metric in THROTTLE_REASONS)
"""Of functions on managed instances that were throttled in the history."""

LOOP_METRIC = ("RecursiveInvocationsDropped", "Sum")
"""Of functions that have run in the history."""

LOG_METRIC = ("IncomingBytes", "Sum")
"""Of the log groups of such functions, bytes."""

EVENT_COUNTS = {
    "sqs": ("PolledEventCount", "InvokedEventCount", "FailedInvokeEventCount", "DeletedEventCount"),
    "": (
        "PolledEventCount",
        "InvokedEventCount",
        "FailedInvokeEventCount",
        "DroppedEventCount",
        "OnFailureDestinationDeliveredEventCount",
    ),
}
"""Of mappings that publish the group EventCount: those of queues, and all others."""

FILTERED = ("FilteredOutEventCount", "Sum")
"""Of such mappings that have filters."""

INVOKE_ERRORS = ("InvokeErrorCount", "Sum")
"""Of mappings of Kafka that publish the group ErrorCount."""

STREAM_METRICS = (("GetRecords.IteratorAgeMilliseconds", "Maximum"), ("IncomingRecords", "Sum"))
"""Of Kinesis streams behind mappings, dimension StreamName."""

LEAST_IN_FLIGHT = ("ApproximateNumberOfMessagesNotVisible", "Minimum")
"""Of queues behind mappings: messages that are never finished stay in flight."""

GROUPS_IN_FLIGHT = ("ApproximateNumberOfGroupsWithInflightMessages", "Maximum")
"""Of FIFO queues behind mappings where messages wait: how many groups are worked off at once."""

NOISY_GROUPS = ("ApproximateNumberOfNoisyGroups", "Maximum")
"""Of standard queues behind mappings where messages wait: groups that take a disproportionate share of the
consumer (Amazon SQS developer guide, "Available CloudWatch metrics for Amazon SQS", "Fair queues")."""

SLOW_ROUNDS = 5
"""Log volume is asked for in every fifth round only: each answer covers the whole history anyway."""

ACCOUNT_METRICS = (*dict.fromkeys(wire.of for wire in WIRES), ("UnreservedConcurrentExecutions", "Maximum"))
"""Of the whole region, without dimensions: the trip-wire, and what the unreserved pool is filled with.

Whether the asynchronous and recursive ones exist without dimensions is UNVERIFIED; if not, they say nothing.
"""

QUEUE_METRICS = (
    ("NumberOfMessagesSent", "Sum"),
    ("NumberOfMessagesReceived", "Sum"),
    ("NumberOfMessagesDeleted", "Sum"),
    ("ApproximateNumberOfMessagesVisible", "Maximum"),
    ("ApproximateNumberOfMessagesNotVisible", "Maximum"),
    ("ApproximateAgeOfOldestMessage", "Maximum"),
)
"""Of each queue, dimension QueueName. The age in s."""


class Query(NamedTuple):
    """One series to ask for, in every `every`-th round."""

    series: SeriesKey
    namespace: str
    dimensions: tuple[tuple[str, str], ...]
    every: int = 1

    def request(self, id_: str) -> dict[str, Any]:
        """Return it as an entry of MetricDataQueries, one point a minute."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions]
        metric = {"Namespace": self.namespace, "MetricName": self.series.metric, "Dimensions": dimensions}
        stat = {"Metric": metric, "Period": PERIOD_S, "Stat": self.series.stat}
        return {"Id": id_, "MetricStat": stat, "ReturnData": True}


def account_queries(scope: Scope) -> Iterator[Query]:
    """Yield the queries of the region-wide metrics."""
    key = Key(scope, "account", scope.account)
    for metric, stat in ACCOUNT_METRICS:
        yield Query(SeriesKey(key, metric, stat), "AWS/Lambda", ())


def sweep_queries(functions: Iterable[Key], metric: Metric) -> Iterator[Query]:
    """Yield one series of each function."""
    for key in functions:
        yield Query(SeriesKey(key, *metric), "AWS/Lambda", (("FunctionName", key.id),))


def function_queries(
    seen: Figures, functions: Iterable[FunctionFacts], mappings: Iterable[MappingFacts]
) -> Iterator[Query]:
    """Yield every series that can matter to the functions, by how they are invoked and what they did."""
    feeding: dict[Key, list[MappingFacts]] = {}
    for mapping in mappings:
        feeding.setdefault(mapping.function, []).append(mapping)
    groups: dict[str, Key] = {}
    durable: set[Scope] = set()
    for facts in functions:
        key = facts.key
        if facts.durable:
            durable.add(key.scope)
        for metric, stat in (*FUNCTION_METRICS, *_extras(seen, facts, feeding.get(key, ()))):
            yield Query(SeriesKey(key, metric, stat), "AWS/Lambda", (("FunctionName", key.id),))
        if facts.log_group and seen.metric(key, "Invocations").times:
            groups.setdefault(facts.log_group, Key(key.scope, "log group", facts.log_group))
    for name, group in sorted(groups.items()):
        yield Query(SeriesKey(group, *LOG_METRIC), "AWS/Logs", (("LogGroupName", name),), SLOW_ROUNDS)
    for scope in sorted(durable):
        account = Key(scope, "account", scope.account)
        yield Query(SeriesKey(account, RUNNING_METRIC, "Maximum"), "AWS/Lambda", ())


def _extras(
    seen: Figures, facts: FunctionFacts, feeding: Iterable[MappingFacts]
) -> Iterator[tuple[str, str]]:
    key = facts.key
    kinds = {m.source_kind for m in feeding}
    if kinds & set(AGED):
        yield ITERATOR_AGE
    if "documentdb" in kinds:
        yield OVERSIZED
    if "kafka" in kinds:
        yield OFFSET_LAG
    # Attempts continue for hours after the last event was received.
    pushed = (
        seen.metric(key, "AsyncEventsReceived").times
        or seen.metric(key, "AsyncEventAge", "SampleCount").times
    )
    if pushed:
        yield from ASYNC_METRICS
    if pushed or any(m.kind.part and m.on_failure_arn for m in feeding):
        yield DELIVERY_FAILURES
    if facts.managed_instances and any(seen.metric(key, "Throttles").values):
        yield from REASONS
    if seen.metric(key, "Invocations").times:
        yield LOOP_METRIC
        if facts.durable:
            yield from DURABLE_METRICS


def mapping_queries(seen: Figures, mappings: Iterable[MappingFacts]) -> Iterator[Query]:
    """Yield what mappings publish about themselves, where somebody has switched it on.

    A disabled mapping publishes nothing; it is asked about until its last points have left the history.
    """
    for mapping in mappings:
        if not (mapping.enabled or seen.metric(mapping.key, "PolledEventCount").times):
            continue
        metrics: list[tuple[str, str]] = []
        if "EventCount" in mapping.metrics:
            counts = EVENT_COUNTS.get(mapping.source_kind, EVENT_COUNTS[""])
            metrics += [(name, "Sum") for name in counts]
            if mapping.filters:
                metrics.append(FILTERED)
        if "ErrorCount" in mapping.metrics and mapping.source_kind == "kafka":
            metrics.append(INVOKE_ERRORS)
        if "KafkaMetrics" in mapping.metrics:
            metrics.append(("MaxOffsetLag", "Maximum"))
        for metric, stat in metrics:
            key = SeriesKey(mapping.key, metric, stat)
            yield Query(key, "AWS/Lambda", (("EventSourceMappingUUID", mapping.uuid),))


def stream_queries(scope: Scope, mappings: Iterable[MappingFacts]) -> Iterator[Query]:
    """Yield series of Kinesis streams behind mappings; those of another account publish there, not here."""
    keys = {m.source_stream for m in mappings if m.source_kind == "kinesis"}
    for key in sorted(k for k in keys if k is not None and k.scope == scope):
        for metric, stat in STREAM_METRICS:
            yield Query(SeriesKey(key, metric, stat), "AWS/Kinesis", (("StreamName", key.id),))


def queue_queries(
    seen: Figures, scope: Scope, queues: Iterable[Key], sources: Iterable[Key] = ()
) -> Iterator[Query]:
    """Yield every series of the queues; those of another account publish there, not here."""
    behind = set(sources)
    for key in queues:
        if key.scope != scope:
            continue
        metrics = [*QUEUE_METRICS]
        if key in behind:
            metrics.append(LEAST_IN_FLIGHT)
            if any(seen.metric(key, "ApproximateNumberOfMessagesVisible", "Maximum").values[-1:]):
                metrics.append(GROUPS_IN_FLIGHT if key.id.endswith(".fifo") else NOISY_GROUPS)
        for metric, stat in metrics:
            yield Query(SeriesKey(key, metric, stat), "AWS/SQS", (("QueueName", key.id),))
