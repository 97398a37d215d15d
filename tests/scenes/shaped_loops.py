"""Loops: those that AWS stops, those that it cannot see, and what only grows like one."""

from __future__ import annotations

from scenes.curves import SCOPE, Curve, arn, flat, ramp, step, when
from scenes.pushes import pushed, received
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.facts.triggers import AsyncConfig, Edge, FunctionTriggers, PushTrigger, Reference
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev

BUS = arn("events", "event-bus/shop")


def stopped_by_lambda() -> Scene:
    """A function sends to the queue that feeds it; Lambda stops each chain after 16 rounds."""
    stage = Stage("sqs-loop-stopped", "A queue loop that Lambda itself keeps stopping")
    dlq = stage.queue("retries-dlq")
    retries = stage.queue("retries", dlq)
    reference = Reference("RETRY_QUEUE", arn("sqs", "retries"))
    worker = stage.function("retry-scheduler", references=(reference,))
    stage.mapping("retries", worker, batch_size=1)
    stage.traffic(worker, step(65, 5, 480))
    stage.flow(retries, step(65, 5, 480), step(65, 5, 480), step(65, 5, 480))
    stage.depth(retries, step(65, 0, 20), step(65, 1, 12))
    stage.depth(dlq, ramp(66, 90, 0, 700))
    stage.sums(worker, RecursiveInvocationsDropped=step(65, 0, 30))
    stage.must("runaway_loop", "retry-scheduler", "critical", minute=65)
    stage.must("dlq_growth", "retries-dlq", minute=66)
    stage.may("suspected_loop", "retry-scheduler")
    stage.may("traffic_burst", "retry-scheduler")
    stage.may("loop_topology", "retry-scheduler")
    return stage.scene()


def eventbridge() -> Scene:
    """A rule of the bus targets the function, and its on-success destination is that bus."""
    stage = Stage("eventbridge-loop", "A loop through EventBridge, which AWS does not detect")
    enrich = stage.function("order-enrich")
    config = AsyncConfig(2, 3600, arn("sqs", "enrich-failures"), BUS)
    rule = PushTrigger("eventbridge", "push async", arn("events", "rule/shop/orders"), "events.amazonaws.com")
    stage.post(
        59.9, ev.TriggersObserved(SCOPE, 0.0, (FunctionTriggers(enrich, config, (rule,), "Terminate"),))
    )
    target = arn("lambda", "function:order-enrich")
    stage.post(59.9, ev.WiringObserved(SCOPE, 0.0, BUS, (Edge(BUS, target, "rule orders"),)))
    stage.traffic(enrich, flat(60), errors=flat(0.002))
    stage.must("loop_topology", "order-enrich", minute=60)
    return stage.scene()


def dynamodb() -> Scene:
    """A function fed by a table's stream that knows the table's name: nobody can tell whether it writes."""
    stage = Stage("dynamodb-loop", "A table feeds a function that knows the table: perhaps a loop")
    table = arn("dynamodb", "table/orders")
    audit = stage.function("order-stats", references=(Reference("TABLE", table),))
    stage.mapping("orders", audit, "dynamodb", max_retry_attempts=3)
    stage.traffic(audit, flat(120), errors=flat(0.002))
    stage.series(audit, "IteratorAge", "Maximum", flat(900))
    stage.must("loop_topology", "order-stats", "info", minute=60, at_most="info")
    stage.never("suspected_loop")
    return stage.scene()


def kinesis_growing() -> Scene:
    """A function writes two records for each one that it reads from the same stream."""
    stage = Stage("kinesis-loop-grows", "A loop through Kinesis that grows by half each minute")
    stream = arn("kinesis", "stream/events")
    split = stage.function("splitter", references=(Reference("OUT_STREAM", stream),), timeout_s=60)
    stage.mapping("events", split, "kinesis", max_retry_attempts=3, batch_size=1)
    growth = lambda m: 20.0 * 1.75 ** max(0, min(m, 74) - 64)  # noqa: E731
    stage.traffic(split, growth, duration_ms=flat(30))
    stage.series(split, "IteratorAge", "Maximum", flat(900))
    stage.sums(Key(SCOPE, "stream", "events"), IncomingRecords=growth)
    stage.must("suspected_loop", "splitter", minute=66)
    stage.may("loop_topology", "splitter")
    stage.may("traffic_burst", "splitter")
    return stage.scene()


def no_loop() -> Scene:
    """A backfill: the same growth without any cycle; and a function that only reads its own dead letters."""
    stage = Stage("backfill", "A backfill grows like a loop, but nothing leads back")
    load = stage.function("loader", timeout_s=60)
    source = stage.queue("load", stage.queue("load-dlq"))
    stage.mapping("load", load)
    rate: Curve = lambda m: 20.0 * 1.8 ** max(0, min(m, 70) - 64)  # noqa: E731
    stage.traffic(load, rate, duration_ms=flat(200))
    sent = step(63, 20, 9000, 66)
    stage.flow(source, sent, rate, rate)
    stage.depth(source, lambda m: sum(sent(t) - rate(t) for t in range(63, m + 1)), flat(60))
    stage.never("suspected_loop")
    stage.never("loop_topology")
    return stage.scene()


def _uploads(stage: Stage, name: str, rate: Curve) -> None:
    thumbs = stage.function(name, last_modified=when(-90_000))
    pushed(stage, thumbs, "s3", "arn:aws:s3:::uploads")
    stage.traffic(thumbs, rate, duration_ms=flat(900))
    received(stage, thumbs, rate)


def loop_after_a_rest() -> Scene:
    """A function that had not run for an hour writes into the bucket that invokes it."""
    stage = Stage("loop-after-a-rest", "A loop through S3 in a function that did not run in the hour before")
    _uploads(stage, "night-thumbs", step(66, 0, 1200))
    stage.must("traffic_burst", "night-thumbs", minute=66, stays=True)
    stage.may("cost_burn")
    return stage.scene()


def slow_loop() -> Scene:
    """A function writes a little more than one object for each that it reads."""
    stage = Stage("slow-loop", "A loop through S3 that grows by a quarter each minute")
    _uploads(stage, "thumbs", lambda m: min(3000.0, 8 * 1.25 ** max(0, m - 62)))
    stage.must("traffic_burst", "thumbs", minute=70, stays=True)
    stage.may("cost_burn")
    return stage.scene()


def slow_queue_loop() -> Scene:
    """A function sends messages back to its queue, whose name came with the message."""
    stage = Stage("slow-queue-loop", "A loop through SQS that grows by a quarter each minute")
    worker, queue = stage.function("requeue"), stage.queue("work", stage.queue("work-dlq"))
    stage.mapping("work", worker, batch_size=1)
    rate: Curve = lambda m: min(2000.0, 20 * 1.25 ** max(0, m - 62))  # noqa: E731
    stage.traffic(worker, rate, duration_ms=flat(50))
    stage.flow(queue, rate, rate, rate)
    stage.depth(queue, flat(2), flat(2))
    stage.must("traffic_burst", "requeue", minute=66, stays=True)
    return stage.scene()


def no_slow_loop() -> Scene:
    """A morning's events, twelve times as many after 20 minutes; and an import of the night begins."""
    stage = Stage("morning-of-events", "Events become many in a straight line; a nightly import begins")
    _uploads(stage, "scans", ramp(62, 82, 20, 240))
    _uploads(stage, "nightly-import", step(66, 0, 300))
    return stage.scene()


SCENES = (
    stopped_by_lambda,
    eventbridge,
    dynamodb,
    kinesis_growing,
    no_loop,
    loop_after_a_rest,
    slow_loop,
    slow_queue_loop,
    no_slow_loop,
)
