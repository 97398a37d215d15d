"""The console scene's storms, findings and incidents."""

from __future__ import annotations

from collections.abc import Iterable

from fakes.console_names import ARN, NOW, SQS, key

from lambdatop.domain.plans.finding import Finding, Incident, Ref
from lambdatop.domain.state.snapshot import MappingRow, QueueRow, StormRow

FAILURE_PATHS = {
    "orders": "again after 60 s, after 5 failed receives to orders-dlq",
    "clicks": "repeated until the record expires in 22 h at the latest",
    "products": "until 5 retries, then dropped",
    "exports": "disabled: waits in its source",
}


def storms(mappings: Iterable[MappingRow], queues: Iterable[QueueRow]) -> tuple[StormRow, ...]:
    by_name = {q.facts.name: q for q in queues}
    rows = []
    words = {
        "orders": (9.8, "37% of receives are repeats, 37% errors, DLQ grows 17/min"),
        "clicks": (0.0, ""),
    }
    for row in mappings:
        facts = row.facts
        source = by_name.get(facts.source_name)
        dlq = by_name.get(source.facts.dlq.id) if source and source.facts.dlq else None
        score, why = words.get(facts.source_name, (0.0, ""))
        if facts.state == "Disabled":
            why = "disabled: nothing is delivered"
        rows.append(
            StormRow(
                facts.key,
                facts.function,
                facts.source_kind,
                facts.source_name,
                facts.state,
                facts.last_result,
                source,
                dlq,
                iterator_age_ms={"kinesis": 4_200.0, "dynamodb": 900.0}.get(facts.source_kind),
                error_rate=0.367 if facts.function.id == "orders-worker" else 0.0,
                score=score,
                why=why,
                risks=row.risks,
                as_of=row.as_of,
                invocation="queue poll" if facts.source_kind == "sqs" else "stream poll",
                failure_path=FAILURE_PATHS.get(
                    facts.source_name, "again after 30 s, after 5 failed receives to its DLQ"
                ),
                amplification=source.redelivery_ratio if source else None,
                trend="up" if facts.source_name == "orders" else "",
                wasted_per_min={"orders": 264.0}.get(facts.source_name, 0.0),
                wasted_usd_per_hour={"orders": 0.0312}.get(facts.source_name, 0.0),
                blocks=("later records of the shard",) if facts.source_name == "clicks" else (),
            )
        )
    pushed = StormRow(
        None,
        key("function", "image-resize"),
        "s3",
        "s3 uploads",
        "",
        "",
        error_rate=0.002,
        score=0.4,
        why="0% errors",
        as_of=NOW - 20,
        invocation="push async",
        failure_path="2 retries (throttled: up to 6 h), then dropped",
        amplification=1.04,
        trend="flat",
        wasted_per_min=7.2,
        wasted_usd_per_hour=0.016,
    )
    return (*rows, pushed)


def findings() -> tuple[Finding, ...]:
    orders, worker = key("queue", "orders"), key("function", "orders-worker")
    dlq, api = key("queue", "orders-dlq"), key("function", "checkout-api")
    return (
        Finding("sqs_redelivery", "critical", Ref(orders, SQS + "orders", "orders"),
                "orders redelivers: 3.4 receives per deleted message", NOW - 760,
                (("received", 7140), ("deleted", 2100), ("ratio", 3.4), ("dlq_growth_per_min", 17.0)),
                ("disable_trigger", "throttle_to_zero")),
        Finding("dlq_growth", "critical", Ref(dlq, SQS + "orders-dlq", "orders-dlq"),
                "orders-dlq grows 17 per minute, 341 messages now", NOW - 640,
                (("depth", 341), ("growth_per_min", 17.0)), ("disable_trigger", "redrive_dlq")),
        Finding("error_rate", "critical", Ref(worker, ARN + "orders-worker", "orders-worker"),
                "orders-worker fails 37% of 714 invocations a minute", NOW - 700,
                (("errors", 1310), ("invocations", 3570), ("error_rate", 0.367)),
                ("disable_trigger", "throttle_to_zero")),
        Finding("throttled", "warning", Ref(api, ARN + "checkout-api", "checkout-api"),
                "checkout-api is throttled 3 times a minute at 361 of 400", NOW - 95,
                (("throttles", 9), ("concurrency_max", 361), ("reserved", 400)), ("cap_concurrency",)),
    )  # fmt: skip


def incidents(found: tuple[Finding, ...]) -> tuple[Incident, ...]:
    """Return the failing worker with what follows from it, and a throttled function."""
    redelivery, letters, errors, throttled = found
    return (
        Incident(errors, (redelivery, letters), "critical", redelivery.since, (errors.target.key,)),
        Incident(throttled, (), "warning", throttled.since, (throttled.target.key,)),
    )
