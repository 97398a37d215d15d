"""Incidents that reports, exercises and documents describe as a risk: the figures are ours."""

from __future__ import annotations

from scenes.curves import ACCOUNT, SCOPE, Curve, arn, flat, ramp, step
from scenes.lines import Raw, stream_name, uuid
from scenes.pushes import received
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.facts.event_source_mapping import StreamFacts
from lambdatop.domain.facts.function import AccountFacts
from lambdatop.domain.facts.triggers import Reference
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev


def writes_its_table() -> Scene:
    """A consumer of a table's stream writes to the table, one for each; a risk that paulswail.com names."""
    stage = Stage("table-writes-itself", "A consumer of a table's stream writes to that table")
    table = arn("dynamodb", "table/orders")
    stats = stage.function("order-stats", references=(Reference("TABLE", table),))
    stage.mapping("orders", stats, "dynamodb", max_retry_attempts=3)
    rate = step(66, 20, 3000)
    stage.traffic(stats, rate, duration_ms=flat(40))
    stage.series(stats, "IteratorAge", "Maximum", flat(900))
    stage.must("suspected_loop", "order-stats", minute=66)
    stage.may("loop_topology")
    stage.may("traffic_burst")
    stage.may("cost_burn")
    return stage.scene()


def invokes_itself() -> Scene:
    """An asynchronous function invokes itself twice: it doubles until it meets the account's limit."""
    stage = Stage("invokes-itself", "A function invokes itself twice each time, and nothing names it")
    fan = stage.function("fan-out", timeout_s=30)
    rate: Curve = lambda m: min(60_000.0, 5.0 * 2.0 ** max(0, m - 64))  # noqa: E731
    stage.traffic(fan, rate, duration_ms=flat(60))
    received(stage, fan, rate)
    stage.must("traffic_burst", "fan-out", minute=66)
    stage.may("cost_burn")
    stage.may("quota_headroom")
    return stage.scene()


def key_denied() -> Scene:
    """Every batch fails with the ARN of a key, which holds a UUID (the words are those of a report)."""
    stage = Stage("kms-denied", "A consumer may not use a key; the id of the key is no message's")
    worker = stage.function("orders-worker")
    dlq = stage.queue("orders-dlq")
    orders = stage.queue("orders", dlq, receives=100)
    stage.mapping("orders", worker)
    stage.traffic(worker, flat(40), errors=step(64, 0.0, 1.0), duration_ms=flat(120))
    stage.flow(orders, flat(100), step(64, 100, 300), step(64, 100, 0))
    stage.depth(orders, ramp(64, 90, 3, 2600), step(64, 4, 300))
    key = arn("kms", "key/0f1e2d3c-5555-4666-8777-888899990000")
    text = f"[ERROR] ClientError: User is not authorized to perform: kms:Decrypt on resource: {key}"
    stage.executions(
        worker,
        flat(6),
        outcome=lambda minute, dice: "error" if minute >= 64 else "ok",
        said=lambda outcome, dice: (text,) if outcome == "error" else ("done",),
    )
    stage.must("error_rate", "orders-worker", "critical", minute=64)
    stage.never("poison_message")
    stage.may("sqs_redelivery")
    stage.may("error_burst")
    stage.may("batch_amplification")
    stage.may("queue_backlog")
    return stage.scene()


def jvm_flag() -> Scene:
    """A healthy Java function names a flag of the JVM at each cold start."""
    stage = Stage("jvm-flag", "A healthy Java function whose log names HeapDumpOnOutOfMemoryError")
    java = stage.function("billing-java", runtime="java21", memory_mb=1024)
    stage.traffic(java, flat(60), duration_ms=flat(150))
    flags = "Picked up JAVA_TOOL_OPTIONS: -XX:+TieredCompilation -XX:+HeapDumpOnOutOfMemoryError"
    stage.executions(java, flat(12), fresh=flat(0.03), said=lambda outcome, dice: (flags,), used_mb=180)
    stage.never("memory_pressure")
    stage.never("resource_limit")
    return stage.scene()


def reported_items() -> Scene:
    """Failed items of batches are reported: no Errors, but the DLQ grows (what partial responses are for)."""
    stage = Stage("reported-items", "Two of 200 messages fail, are reported as items, and reach the DLQ")
    worker = stage.function("orders-worker")
    dlq = stage.queue("orders-dlq")
    orders = stage.queue("orders", dlq, receives=3)
    stage.mapping("orders", worker, partial_responses=True)
    stage.traffic(worker, flat(40), duration_ms=flat(150))
    stage.flow(orders, flat(200), step(62, 200, 206), step(62, 200, 198))
    stage.depth(orders, flat(2), flat(6))
    stage.depth(dlq, ramp(62, 90, 0, 56))
    stage.must("poison_message", "orders", minute=64)
    stage.must("dlq_growth", "orders-dlq", minute=64)
    return stage.scene()


def letters_sent_back() -> Scene:
    """A consumer of the dead-letter queue sends every message back to the queue that it came from."""
    stage = Stage("letters-sent-back", "A DLQ's consumer feeds the queue from which the dead letters come")
    dlq = stage.queue("orders-dlq")
    orders = stage.queue("orders", dlq, receives=3)
    worker = stage.function("orders-worker")
    back = stage.function("dlq-replayer", references=(Reference("QUEUE", arn("sqs", "orders")),))
    stage.mapping("orders", worker)
    stage.mapping("orders-dlq", back)
    stage.traffic(worker, step(62, 40, 80), errors=step(62, 0.0, 0.5))
    stage.traffic(back, step(62, 0, 20))
    stage.flow(orders, step(62, 100, 140), step(62, 100, 260), step(62, 100, 100))
    stage.flow(dlq, step(62, 0, 0), step(62, 0, 40), step(62, 0, 40))
    stage.depth(orders, flat(6), step(62, 4, 90))
    stage.depth(dlq, flat(2))
    stage.must("suspected_loop", "dlq-replayer", minute=62)
    stage.may("dlq_growth", "orders-dlq")
    stage.may("sqs_redelivery")
    stage.may("error_rate")
    stage.may("error_burst")
    stage.may("dead_trigger")
    return stage.scene()


def behind_in_real_time() -> Scene:
    """A consumer is 45 minutes behind at the slope of the clock (an exercise of techwithdb.com)."""
    stage = Stage("shard-at-real-time", "A shard that is blocked by a batch that now and then times out")
    fold = stage.function("clickstream", timeout_s=60)
    stage.mapping("clicks", fold, "kinesis", partial_responses=False)
    stream = StreamFacts(
        Key(SCOPE, "stream", "clicks"), arn("kinesis", "stream/clicks"), "kinesis", 86_400, 1
    )
    stage.post(59.9, ev.StreamsObserved(SCOPE, 0.0, (stream,)))
    stage.traffic(fold, flat(2), errors=lambda m: 1.0 if m % 5 == 0 else 0.0, duration_ms=flat(58_000))
    stage.series(fold, "IteratorAge", "Maximum", lambda m: 60_000.0 * max(1, m - 45))
    stage.must("blocked_shard", "clicks", minute=60)
    stage.may("near_timeout")
    stage.may("batch_amplification")
    return stage.scene()


def equal_shares() -> Scene:
    """A limit of 10 and six functions with three each: nobody is to blame (the limit of new accounts)."""
    stage = Stage("equal-shares", "A small account's pool is used up by six functions alike")
    stage.account = AccountFacts(10, 10, 300 << 30, 5 << 30, 6)
    for n in range(6):
        api = stage.function(f"api-{n}")
        stage.traffic(api, flat(120), throttles=step(64, 0, 40), concurrency=step(64, 1, 3))
    for metric in ("ConcurrentExecutions", "ClaimedAccountConcurrency"):
        stage.series(ACCOUNT, metric, "Maximum", step(64, 5, 10))
    for n in range(6):
        stage.must("throttled", f"api-{n}", "critical", minute=64, evidence=(("top_consumers", None),))
    stage.must("quota_headroom", "concurrent executions", "critical", minute=64)
    return stage.scene()


def never_enabled() -> Scene:
    """A mapping stays in Enabling for 25 minutes while 1,000 messages wait."""
    stage = Stage("stuck-enabling", "A mapping that does not get out of Enabling")
    worker = stage.function("orders-worker")
    orders = stage.queue("orders", stage.queue("orders-dlq"))
    mapping = stage.mapping("orders", worker, state="Enabling", last_modified=0.0)
    stage.remap(mapping, 61, state="Enabling", last_modified=1_800_000_000 + 60 * 61.0)
    stage.flow(orders, step(61, 40, 40), step(61, 40, 0), step(61, 40, 0))
    stage.depth(orders, ramp(61, 86, 2, 1000))
    stage.must("dead_trigger", "orders → orders-worker", minute=61)
    stage.may("queue_backlog", "orders")
    return stage.scene()


def java_fails() -> Scene:
    """Four of ten runs of a managed Java function fail: the log must name with what."""
    stage = Stage("java-fails", "A Java function fails: its own form of an uncaught exception")
    java = stage.function("billing-java", runtime="java21", memory_mb=512)
    stage.traffic(java, flat(60), errors=step(64, 0.0, 0.4), duration_ms=flat(150))
    lines: list[Raw] = []
    dice = stage.dice
    name = stream_name(dice)
    for n in range(64 * 4, 90 * 4):
        at, request = 1_800_000_000 + 15.0 * n, uuid(dice)
        lines.append((at, name, f"START RequestId: {request} Version: $LATEST"))
        if n % 5 < 2:
            words = "order is not open"
            trace = f"{words}: java.lang.IllegalStateException\njava.lang.IllegalStateException: {words}\n"
            lines.append((at + 0.1, name, f"{trace}\tat com.example.Handler.handleRequest(Handler.java:41)"))
        lines.append((at + 0.2, name, f"END RequestId: {request}"))
        lines.append(
            (at + 0.2, name, f"REPORT RequestId: {request}\tDuration: 12.00 ms\tMemory Size: 512 MB")
        )
    stage.say(java, lines)
    stage.must("error_rate", "billing-java", "critical", minute=64)
    stage.must("error_burst", "billing-java", minute=64)
    return stage.scene()


def seldom_and_always() -> Scene:
    """A schedule invokes a function once a minute, and since a while it fails each time."""
    stage = Stage("seldom-and-always", "A function that runs once a minute fails each time")
    beat = stage.function("heartbeat")
    stage.sums(beat, Invocations=flat(1), Errors=step(64, 0, 1))
    stage.series(beat, "Duration", "Maximum", flat(300))
    stage.must("error_rate", "heartbeat", minute=64, stays=True)
    return stage.scene()


def share_stays() -> Scene:
    """A busy API fails thirty times as often as before, still below the error rate that raises an alarm."""
    stage = Stage("share-stays", "Errors jump to 3 % and stay there for 25 minutes")
    api = stage.function("payments-api")
    stage.traffic(api, flat(30_000), errors=step(64, 0.001, 0.03), duration_ms=flat(60))
    stage.must("error_burst", "payments-api", minute=64, stays=True)
    return stage.scene()


SCENES = (
    seldom_and_always,
    share_stays,
    writes_its_table,
    invokes_itself,
    key_denied,
    jvm_flag,
    reported_items,
    letters_sent_back,
    behind_in_real_time,
    equal_shares,
    never_enabled,
    java_fails,
)
