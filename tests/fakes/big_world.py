"""An account of any size, as after an hour of looking: a third runs, one in a hundred of those fails."""

from __future__ import annotations

from fakes.worlds import NOW, SCOPE, function, mapping, metrics, points, queue
from msgspec.structs import replace

from lambdatop.domain.facts.function import AccountFacts, FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

ACTIVE, FED, FAILING = 3, 10, 300
"""Every third function runs, every tenth is fed by a queue of its own, every three hundredth fails."""

KINDS = (
    ("Invocations", "Sum", 120.0),
    ("Errors", "Sum", 0.0),
    ("Throttles", "Sum", 0.0),
    ("Duration", "Sum", 6_000.0),
    ("Duration", "Maximum", 180.0),
    ("Duration", "p99", 90.0),
    ("ConcurrentExecutions", "Maximum", 4.0),
    ("AsyncEventsReceived", "Sum", 2.0),
)


def names(count: int) -> tuple[str, ...]:
    return tuple(f"team-{i % 97:02}-service-{i:05}" for i in range(count))


def facts(count: int) -> tuple[FunctionFacts, ...]:
    return tuple(
        function(name, last_modified=NOW - 86_400.0 * (1 + i % 50)) for i, name in enumerate(names(count))
    )


def series(
    functions: tuple[FunctionFacts, ...],
    first: int = 0,
    minutes: int = 60,
    at: float = NOW,
    shift: float = 0.0,
) -> tuple[ev.MetricPoints, ...]:
    """Return GetMetricData's answer for `functions`, the first of which is number `first` of the account."""
    data: list[ev.MetricPoints] = []
    for i, one in enumerate(functions, first):
        if i % ACTIVE:
            data.append(points(one.key, "Invocations", [], end=at))
            continue
        for metric, stat, usual in KINDS:
            wave = [usual * (1 + ((i + m) % 7) / 10) + shift for m in range(minutes)]
            if metric == "Errors" and i % FAILING == 0:
                wave = [60.0 + shift] * minutes
            data.append(points(one.key, metric, wave, stat, at))
    return tuple(data)


def world(count: int, minutes: int = 60) -> World:
    """Return the World of `count` functions with `minutes` of history."""
    functions = facts(count)
    fed = functions[::FED]
    queues = [Key(SCOPE, "queue", f"{one.name}-queue") for one in fed]
    mappings = tuple(
        mapping(
            key=Key(SCOPE, "mapping", f"0f1e2d3c-0000-4000-8000-{i:012}"),
            function=one.key,
            function_arn=one.arn,
            source_arn=queue(key).arn,
            partial_responses=True,
            last_modified=one.last_modified,
        )
        for i, (one, key) in enumerate(zip(fed, queues, strict=True))
    )
    kept = tuple(
        queue(key, visibility_timeout_s=60, max_receive_count=5, dlq_arn=f"{queue(key).arn}-dlq")
        for key in queues
    )
    reserved = tuple((one.key, 50 if i % 20 == 0 else None) for i, one in enumerate(functions))
    account = AccountFacts(100_000, 90_000, 300 << 30, 5 << 30, count)
    start = [
        ev.TargetIdentified(SCOPE, NOW, identity="arn:aws:iam::111122223333:user/kim"),
        ev.FunctionsListed(SCOPE, NOW, functions),
        ev.AccountObserved(SCOPE, NOW, account),
        ev.MappingsListed(SCOPE, NOW, mappings),
        ev.QueuesObserved(SCOPE, NOW, kept),
        ev.ConcurrencyObserved(SCOPE, NOW, reserved),
    ]
    found = fold_all(EMPTY_WORLD, start)
    for first in range(0, count, 500):
        batch = functions[first : first + 500]
        found = fold_all(found, (metrics(*series(batch, first, minutes)),))
    return found


def next_minute(count: int, first: int, size: int, minute: int) -> ev.MetricsObserved:
    """Return the answer for `size` functions from `first` on, `minute` minutes after the world's."""
    at = NOW + 60.0 * minute
    whole = facts(count)[first : first + size]
    event = metrics(*series(whole, first, 5, at, shift=float(minute)), at=at)
    return replace(event, start=at - 300)
