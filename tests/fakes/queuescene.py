"""A queue-fed and an event-fed function for detector tests: minutes as AWS would publish them."""

from __future__ import annotations

from collections.abc import Iterable

from fakes.worlds import DLQ, NOW, ORDERS, PROMPT, SCOPE, WORKER, function, mapping, metrics, points, queue

from lambdatop.domain.detectors.spec import Detect
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import AccountFacts
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

END = NOW - 60
"""A function's minutes are final once they are as old as its timeout (10 s), so the newest is not."""

HOG = Key(SCOPE, "function", "thumbnailer")
ACCOUNT = Key(SCOPE, "account", SCOPE.account)


def runs(**counts: list[float]) -> list[ev.MetricPoints]:
    """Sum series of orders-worker by name, all but the newest minutes final."""
    return [points(WORKER, name, values, end=END) for name, values in counts.items()]


def moved(
    received: list[float], deleted: list[float], sent: list[float] | None = None
) -> list[ev.MetricPoints]:
    """Return the metrics of the queue orders, by minute."""
    return [
        points(ORDERS, "NumberOfMessagesReceived", received),
        points(ORDERS, "NumberOfMessagesDeleted", deleted),
        *([points(ORDERS, "NumberOfMessagesSent", sent)] if sent else []),
    ]


def depth(values: list[float], key: Key = DLQ) -> ev.MetricPoints:
    """Return the visible messages, by minute."""
    return points(key, "ApproximateNumberOfMessagesVisible", values, "Maximum")


def scene(
    data: Iterable[ev.MetricPoints],
    *more: ev.Event,
    fed: tuple[MappingFacts, ...] | None = None,
    redrive: str = "",
    in_flight: int = 0,
) -> World:
    """Return orders → orders-worker with orders-dlq, and thumbnailer beside it."""
    source = queue(ORDERS, dlq_arn=queue(DLQ).arn, max_receive_count=3, in_flight=in_flight)
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(), function("thumbnailer"))),
            ev.MappingsListed(SCOPE, NOW, (mapping(),) if fed is None else fed),
            ev.AccountObserved(SCOPE, NOW, AccountFacts(100, 90, 1 << 40, 1, 2)),
            ev.QueuesObserved(SCOPE, NOW, (source, queue(DLQ, visible=9, redrive=redrive))),
            metrics(*data),
            *more,
        ],
    )


def found(
    detect: Detect,
    world: World,
    before: Iterable[Finding] = (),
    settings: Settings = PROMPT,
    now: float = NOW,
) -> list[Finding]:
    """Return the findings of a detector, after a round with the findings `before`."""
    return list(detect(evaluation_context(world, now, settings, before)))
