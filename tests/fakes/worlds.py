"""Small worlds for domain tests: real facts and real folds, no fakes."""

from __future__ import annotations

from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import AccountFacts, FunctionFacts
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.settings.settings import MetricSettings, Settings
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

SCOPE = Scope("111122223333", "eu-central-1")
NOW = 1_800_000_000.0  # a whole minute
WORKER = Key(SCOPE, "function", "orders-worker")
ORDERS = Key(SCOPE, "queue", "orders")
DLQ = Key(SCOPE, "queue", "orders-dlq")
MAPPING = Key(SCOPE, "mapping", "0f1e2d3c-0000-4000-8000-000000000001")


def function(name: str = "orders-worker", **changes: object) -> FunctionFacts:
    key = Key(SCOPE, "function", name)
    arn = f"arn:aws:lambda:{SCOPE.region}:{SCOPE.account}:function:{name}"
    facts: dict[str, object] = {"memory_mb": 256, "timeout_s": 10, "log_group": f"/aws/lambda/{name}"}
    return FunctionFacts(key, arn, **(facts | changes))  # type: ignore[arg-type]


def queue(key: Key, **changes: object) -> QueueFacts:
    facts: dict[str, object] = {
        "key": key,
        "arn": f"arn:aws:sqs:{SCOPE.region}:{SCOPE.account}:{key.id}",
        "url": f"https://sqs.{SCOPE.region}.amazonaws.com/{SCOPE.account}/{key.id}",
        "at": NOW,
        "visible": 0,
        "in_flight": 0,
        "delayed": 0,
    }
    return QueueFacts(**(facts | changes))  # type: ignore[arg-type]


def mapping(**changes: object) -> MappingFacts:
    facts: dict[str, object] = {
        "key": MAPPING,
        "function": WORKER,
        "function_arn": function().arn,
        "source_arn": queue(ORDERS).arn,
        "source_kind": "sqs",
        "state": "Enabled",
        "batch_size": 10,
    }
    return MappingFacts(**(facts | changes))  # type: ignore[arg-type]


def points(
    key: Key, metric: str, values: list[float], stat: str = "Sum", end: float = NOW
) -> ev.MetricPoints:
    """Return one value per minute, the last one in the minute that ends at `end`."""
    first = int(end) - 60 * len(values)
    return ev.MetricPoints(
        SeriesKey(key, metric, stat), tuple((first + 60 * i, v) for i, v in enumerate(values))
    )


def metrics(*data: ev.MetricPoints, at: float = NOW) -> ev.MetricsObserved:
    return ev.MetricsObserved(SCOPE, at, at - 3600, at + 60, tuple(data))


def incident() -> World:
    """Return the incident: poison in orders, 30 receives for 10 deletes a minute, a DLQ that grows by 4."""
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(), function("thumbnailer"))),
            ev.MappingsListed(SCOPE, NOW, (mapping(),)),
            ev.AccountObserved(SCOPE, NOW, AccountFacts(1000, 900, 300 << 30, 5 << 30, 2)),
            ev.QueuesObserved(
                SCOPE,
                NOW,
                (
                    queue(ORDERS, dlq_arn=queue(DLQ).arn, max_receive_count=3, in_flight=7, visible=2),
                    queue(DLQ, visible=40),
                ),
            ),
            metrics(
                points(WORKER, "Invocations", [20.0] * 10),
                points(WORKER, "Errors", [8.0] * 10),
                points(WORKER, "Duration", [900.0] * 10, "Maximum"),
                points(WORKER, "Duration", [9000.0] * 10),
                points(WORKER, "ConcurrentExecutions", [3.0] * 10, "Maximum"),
                points(ORDERS, "NumberOfMessagesReceived", [30.0] * 10),
                points(ORDERS, "NumberOfMessagesDeleted", [10.0] * 10),
                points(ORDERS, "NumberOfMessagesSent", [14.0] * 10),
                points(
                    DLQ,
                    "ApproximateNumberOfMessagesVisible",
                    [float(4 * i) for i in range(1, 11)],
                    "Maximum",
                ),
            ),
        ],
    )


PROMPT = Settings(metrics=MetricSettings(publish_delay_s=0.0))
"""Settings under which every minute that has ended is final."""
