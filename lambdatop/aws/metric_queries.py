"""Which numbers are asked of CloudWatch: one query per series, each costs one unit. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from lambdatop.domain.mapping import MappingFacts
from lambdatop.domain.scope import Key, Scope
from lambdatop.domain.series import SeriesKey

PERIOD_S = 60
STREAMS = ("kinesis", "dynamodb", "documentdb")

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

ACCOUNT_METRICS = (("ConcurrentExecutions", "Maximum"), ("ClaimedAccountConcurrency", "Maximum"))
"""Of the whole region, without dimensions."""

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
    """One series to ask for."""

    series: SeriesKey
    namespace: str
    dimension: tuple[str, str] | None

    def request(self, id_: str) -> dict[str, Any]:
        """As an entry of MetricDataQueries, one point a minute."""
        dimensions = [{"Name": self.dimension[0], "Value": self.dimension[1]}] if self.dimension else []
        metric = {"Namespace": self.namespace, "MetricName": self.series.metric, "Dimensions": dimensions}
        stat = {"Metric": metric, "Period": PERIOD_S, "Stat": self.series.stat}
        return {"Id": id_, "MetricStat": stat, "ReturnData": True}


def account_queries(scope: Scope) -> Iterator[Query]:
    """The region-wide numbers."""
    key = Key(scope, "account", scope.account)
    for metric, stat in ACCOUNT_METRICS:
        yield Query(SeriesKey(key, metric, stat), "AWS/Lambda", None)


def function_queries(functions: Iterable[Key], mappings: Iterable[MappingFacts]) -> Iterator[Query]:
    """Everything about the functions; iterator age only where a stream feeds one."""
    fed_by_stream = {m.function for m in mappings if m.source_kind in STREAMS}
    for key in functions:
        metrics = (*FUNCTION_METRICS, ITERATOR_AGE) if key in fed_by_stream else FUNCTION_METRICS
        for metric, stat in metrics:
            yield Query(SeriesKey(key, metric, stat), "AWS/Lambda", ("FunctionName", key.id))


def queue_queries(scope: Scope, queues: Iterable[Key]) -> Iterator[Query]:
    """Everything about the queues; those of another account publish there, not here."""
    for key in queues:
        if key.scope != scope:
            continue
        for metric, stat in QUEUE_METRICS:
            yield Query(SeriesKey(key, metric, stat), "AWS/SQS", ("QueueName", key.id))
