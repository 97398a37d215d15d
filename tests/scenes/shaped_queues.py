"""Queue-fed incidents, and what only looks like one."""

from __future__ import annotations

from random import Random
from typing import Any

from scenes.curves import ZERO, Curve, flat, ramp, step, when
from scenes.lines import Raw, stream_name, uuid
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.keys import Key

PAIR = "orders → orders-worker"


def _shop(stage: Stage, **mapping: Any) -> tuple[Key, Key, Key]:
    """Add orders → orders-worker → orders-dlq, beside a healthy neighbour."""
    worker = stage.function("orders-worker")
    dlq = stage.queue("orders-dlq", retention_s=1_209_600)
    orders = stage.queue("orders", dlq)
    stage.mapping("orders", worker, "sqs", **mapping)
    mailer = stage.function("mailer")
    mails = stage.queue("mails")
    stage.mapping("mails", mailer)
    stage.traffic(mailer, flat(45), errors=flat(0.005))
    stage.flow(mails, flat(45), flat(45), flat(45))
    stage.depth(mails, flat(2), flat(3))
    return worker, orders, dlq


def poison() -> Scene:
    """One message in forty fails from minute 64 on; it comes back, and after five times it is given up."""
    stage = Stage("sqs-poison", "Poison messages take their batches with them into redelivery and a DLQ")
    worker, orders, dlq = _shop(stage, partial_responses=False)
    stage.traffic(worker, step(64, 40, 75), errors=step(64, 0.0, 0.45), duration_ms=flat(300))
    stage.flow(orders, flat(200), step(64, 200, 380), step(64, 200, 190))
    stage.depth(orders, step(64, 5, 60), step(64, 10, 180))
    stage.depth(dlq, ramp(66, 90, 0, 96))
    stage.say(worker, _poison_lines(Random("poison")))
    stage.must("sqs_redelivery", "orders", minute=64)
    stage.must("poison_message", "orders", minute=66)
    stage.must("dlq_growth", "orders-dlq", minute=66)
    stage.must("error_rate", "orders-worker", "critical", minute=64)
    stage.must("batch_amplification", PAIR, minute=64)
    stage.must("risky_config", PAIR, "info", at_most="info")
    stage.may("error_burst", "orders-worker")
    return stage.scene()


def _poison_lines(dice: Random) -> list[Raw]:
    """Return the same message id in one execution after another, each with a request id of its own."""
    message, lines = uuid(dice), list[Raw]()
    stream = stream_name(dice)
    for minute in range(64, 90, 3):
        at, request = when(minute + 0.5), uuid(dice)
        lines += [
            (at, stream, f"START RequestId: {request} Version: $LATEST"),
            (at + 0.2, stream, f"[ERROR] ValueError: message {message}: currency 'XBT' is not known"),
            (at + 0.3, stream, f"END RequestId: {request}"),
            (at + 0.3, stream, f"REPORT RequestId: {request}\tDuration: 300.00 ms\tMemory Size: 256 MB"),
        ]
    return lines


def redrive() -> Scene:
    """Somebody mended the function and moves the DLQ back: old messages, received again, and done."""
    stage = Stage("dlq-redrive", "A redrive that runs: the DLQ drains, with a hiccup, and nothing fails")
    worker, orders, dlq = _shop(stage)
    stage.traffic(worker, step(68, 40, 90, 84), errors=flat(0.004))
    stage.flow(orders, step(68, 40, 90, 84), step(68, 40, 92, 84), step(68, 40, 90, 84))
    stage.depth(orders, step(68, 3, 40, 84), step(68, 4, 60, 84))
    # A cancelled receive puts messages back for a moment: depth is approximate.
    sinking: Curve = lambda minute: max(0.0, 900 - 60 * max(0, minute - 67)) + 12 * (minute in (72, 73, 74))  # noqa: E731
    stage.depth(dlq, sinking)
    stage.redrives[dlq] = [(0.0, ""), (when(68), "RUNNING"), (when(84), "COMPLETED")]
    stage.never("dlq_growth")
    stage.never("poison_message")
    return stage.scene()


def whole_batch() -> Scene:
    """The warehouse answers 503 to everything: every batch fails as a whole, no message is to blame."""
    stage = Stage("dependency-down", "A dependency answers 503: every batch fails, no message is poison")
    worker, orders, dlq = _shop(stage, partial_responses=False)
    stage.traffic(worker, step(66, 40, 60), errors=step(66, 0.0, 1.0), duration_ms=flat(900))
    stage.flow(orders, flat(200), step(66, 200, 300), step(66, 200, 0))
    stage.depth(orders, ramp(66, 90, 5, 4500), step(66, 10, 600))
    stage.depth(dlq, ZERO)
    stage.executions(
        worker,
        step(66, 8, 12),
        outcome=lambda minute, dice: "error" if minute >= 66 else "ok",
        said=lambda outcome, dice: (
            ("[ERROR] RuntimeError: warehouse answered 503 Service Unavailable",)
            if outcome == "error"
            else ("reserved stock",)
        ),
        duration_ms=900,
    )
    stage.must("error_rate", "orders-worker", "critical", minute=66)
    stage.must("sqs_redelivery", "orders", minute=66)
    stage.must("error_burst", "orders-worker", minute=66)
    stage.may("dlq_growth", "orders-dlq")
    stage.may("queue_backlog", "orders")
    return stage.scene()


def dead_trigger() -> Scene:
    """Lambda switched a mapping off; a person switched another one off on purpose."""
    stage = Stage("dead-trigger", "A mapping disabled by Lambda while messages wait; another one by a person")
    worker, orders, _ = _shop(stage)
    mapping = next(k for k, v in stage.mappings.items() if v[0][1].function == worker)
    why = "Lambda initiated: the execution role may no longer receive from the queue"
    stage.remap(mapping, 65, state="Disabled", state_reason=why, last_modified=when(65))
    stage.traffic(worker, step(65, 40, 0))
    stage.flow(orders, flat(40), step(65, 40, 0), step(65, 40, 0))
    stage.depth(orders, ramp(65, 90, 2, 1000))
    archiver = stage.function("archiver")
    archive = stage.queue("archive")
    off = stage.mapping("archive", archiver, state="Disabled", state_reason="USER_INITIATED")
    stage.depth(archive, flat(30))
    assert off != mapping
    stage.must("dead_trigger", PAIR, "critical", minute=65)
    stage.must("dead_trigger", "archive → archiver", "info", at_most="info")
    return stage.scene()


def silent_poller() -> Scene:
    """Enabled, but nothing is polled: PolledEventCount, which even an empty poll publishes, is missing."""
    stage = Stage("silent-poller", "An enabled mapping that polls nothing although messages wait")
    worker, orders, _ = _shop(stage, metrics=("EventCount",))
    mapping = next(k for k, v in stage.mappings.items() if v[0][1].function == worker)
    stage.traffic(worker, step(62, 40, 0))
    stage.flow(orders, flat(40), step(62, 40, 0), step(62, 40, 0))
    stage.depth(orders, ramp(62, 90, 2, 1100))
    stage.series(mapping, "PolledEventCount", "Sum", lambda minute: 40.0 if minute < 62 else None)
    stage.must("dead_trigger", PAIR, minute=62)
    stage.may("queue_backlog", "orders")
    stage.may("not_invocable", "orders-worker")
    return stage.scene()


def self_inflicted() -> Scene:
    """The mapping may run 50 at once, the function 5."""
    stage = Stage("self-inflicted-throttle", "MaximumConcurrency 50 above reserved concurrency 5")
    worker, orders, dlq = _shop(stage, max_concurrency=50)
    stage.reserved[worker] = [(0.0, 5)]
    stage.traffic(
        worker,
        step(65, 40, 140),
        duration_ms=flat(2000),
        throttles=step(65, 0, 60),
        concurrency=step(65, 2, 5),
    )
    stage.flow(orders, step(65, 40, 200), step(65, 40, 260), step(65, 40, 140))
    stage.depth(orders, ramp(65, 90, 2, 1400), step(65, 3, 90))
    stage.depth(dlq, ZERO)
    limit = (("limit", "self-inflicted"),)
    stage.must("throttled", "orders-worker", "critical", minute=65, evidence=limit)
    stage.must("risky_config", PAIR, "info", at_most="info")
    stage.may("sqs_redelivery", "orders")
    stage.may("queue_backlog", "orders")
    return stage.scene()


def producer_burst() -> Scene:
    """A producer sends ten times as much for five minutes; the backlog builds up and drains by itself."""
    stage = Stage("producer-burst", "A burst of the producer: a backlog that builds up and drains")
    worker, orders, dlq = _shop(stage)
    sent = step(66, 40, 400, 71)
    done = step(66, 40, 160, 82)
    stage.traffic(worker, done, duration_ms=flat(800), errors=flat(0.003))
    stage.flow(orders, sent, done, done)
    stage.depth(orders, lambda m: max(2.0, 240.0 * min(max(0, m - 65), 5) - 120.0 * max(0, m - 70)), flat(30))
    stage.depth(dlq, ZERO)
    return stage.scene()


def long_jobs() -> Scene:
    """Long jobs hold messages in flight for a whole window: received, not deleted yet, and nothing fails."""
    stage = Stage("long-jobs", "Jobs of eight minutes: in flight for long, deleted late, none received twice")
    renderer = stage.function("renderer", timeout_s=900)
    jobs = stage.queue("jobs", visibility_timeout_s=5400)
    stage.mapping("jobs", renderer, batch_size=1)
    for minute in range(58, 90):
        # A run that began eight minutes ago is published only once it has ended.
        stage.point(renderer, "Invocations", "Sum", minute, 5, 480)
        stage.point(renderer, "Errors", "Sum", minute, 0, 480)
        stage.point(renderer, "Duration", "Maximum", minute, 500_000, 480)
        stage.point(renderer, "Duration", "p99", minute, 490_000, 480)
        stage.point(renderer, "Duration", "Sum", minute, 2_400_000, 480)
        stage.point(renderer, "ConcurrentExecutions", "Maximum", minute, 40)
    begun, done = step(58, 0, 5), step(66, 0, 5)
    stage.flow(jobs, begun, begun, done)
    stage.depth(jobs, step(58, 0, 1), ramp(58, 66, 0, 40), ramp(58, 66, 0, 38))
    return stage.scene()


def old_letters() -> Scene:
    """A DLQ that somebody fills by hand once and that is then left alone."""
    stage = Stage("old-letters", "A DLQ that has been full since last week and does not grow")
    worker, orders, dlq = _shop(stage)
    stage.traffic(worker, flat(40), errors=flat(0.004))
    stage.flow(orders, flat(40), flat(40), flat(40))
    stage.depth(orders, flat(2), flat(4))
    stage.depth(dlq, flat(5341))
    stage.never("dlq_growth")
    stage.never("poison_message")
    return stage.scene()


def last_poison() -> Scene:
    """Three messages in a queue without a redrive policy: nothing else comes in, they fail for ever."""
    stage = Stage("last-poison", "Three messages that always fail, in a queue without a redrive policy")
    sync = stage.function("crm-sync")
    changes = stage.queue("crm-changes", visibility_timeout_s=30)
    stage.mapping("crm-changes", sync)
    stage.traffic(sync, step(62, 20, 6), errors=step(62, 0.0, 1.0))
    stage.flow(changes, step(62, 20, 0), step(62, 20, 6), step(62, 20, 0))
    stage.depth(changes, flat(1), step(62, 4, 3), step(62, 0, 1))
    stage.must("poison_message", "crm-changes", minute=62)
    stage.must("sqs_redelivery", "crm-changes", "critical", minute=62)
    stage.must("error_rate", "crm-sync", "critical", minute=62)
    stage.must("risky_config", "crm-changes → crm-sync", "info", at_most="info")
    stage.may("error_burst", "crm-sync")
    return stage.scene()


def peeked() -> Scene:
    """Somebody looks into a small queue by hand: sixty receives that delete nothing, once."""
    stage = Stage("manual-peek", "Somebody looks into the queue by hand; nothing fails")
    worker, orders, dlq = _shop(stage)
    stage.traffic(worker, flat(8))
    stage.flow(orders, flat(10), lambda minute: 70.0 if minute == 68 else 10.0, flat(10))
    stage.depth(orders, flat(2), lambda minute: 30.0 if minute == 68 else 2.0)
    stage.depth(dlq, ZERO)
    return stage.scene()


SCENES = (
    poison,
    last_poison,
    peeked,
    redrive,
    whole_batch,
    dead_trigger,
    silent_poller,
    self_inflicted,
    producer_burst,
    long_jobs,
    old_letters,
)
