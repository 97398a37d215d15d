"""Streams behind a function for detector tests: mappings and minutes as AWS would publish them."""

from __future__ import annotations

from fakes.worlds import NOW, SCOPE, WORKER, function, mapping, metrics, points

from lambdatop.domain.facts.event_source_mapping import MappingFacts, StreamFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

CLICKS = Key(SCOPE, "stream", "clicks")
CLICKS_ARN = f"arn:aws:kinesis:{SCOPE.region}:{SCOPE.account}:stream/clicks"
TABLE = Key(SCOPE, "table", "orders")
TABLE_STREAM = f"arn:aws:dynamodb:{SCOPE.region}:{SCOPE.account}:table/orders/stream/2027-01-15T00:00:00.000"
DAY = 86_400

END = NOW - 60
"""A function's minutes are final once they are as old as its timeout (10 s), so the newest is not."""


def kinesis(**changes: object) -> MappingFacts:
    facts: dict[str, object] = {"source_arn": CLICKS_ARN, "source_kind": "kinesis", "batch_size": 100}
    return mapping(**(facts | changes))


def stream(**changes: object) -> ev.StreamsObserved:
    facts: dict[str, object] = {"source_kind": "kinesis", "retention_s": DAY, "shards": 1}
    return ev.StreamsObserved(SCOPE, NOW, (StreamFacts(CLICKS, CLICKS_ARN, **(facts | changes)),))  # type: ignore[arg-type]


def rising(minutes: int, start_ms: float = 60_000.0, step_ms: float = 60_000.0) -> list[float]:
    return [start_ms + i * step_ms for i in range(minutes)]


def fed(
    age_ms: list[float],
    *more: ev.Event,
    errors: float = 10.0,
    runs: float = 10.0,
    mappings: tuple[MappingFacts, ...] | None = None,
    end: float = END,
) -> World:
    """Return orders-worker fed by a stream, with its iterator age by minute and steady runs and errors."""
    n = len(age_ms)
    names = sorted({"orders-worker", *(m.function.id for m in mappings or ())})
    return fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, tuple(function(name) for name in names)),
            ev.MappingsListed(SCOPE, NOW, (kinesis(),) if mappings is None else mappings),
            metrics(
                points(WORKER, "IteratorAge", age_ms, "Maximum", end=end),
                points(WORKER, "Invocations", [runs] * n, end=end),
                points(WORKER, "Errors", [errors] * n, end=end),
            ),
            *more,
        ],
    )
