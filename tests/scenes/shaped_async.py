"""Asynchronous invocations: retries, backlogs, losses, and reserved concurrency 0 on purpose."""

from __future__ import annotations

from scenes.curves import SCOPE, Curve, arn, flat, ramp, step, when
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.facts.triggers import AsyncConfig, FunctionTriggers, PushTrigger
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev


def _events(stage: Stage, function: Key, received: Curve, attempts: Curve, oldest_ms: Curve) -> None:
    """Add Lambda's own queue: events accepted, attempts made, age of the oldest attempt."""
    stage.sums(function, AsyncEventsReceived=received)
    stage.series(function, "AsyncEventAge", "SampleCount", attempts)
    stage.series(function, "AsyncEventAge", "Maximum", oldest_ms)


NO_CONFIG = AsyncConfig()


def _configured(stage: Stage, function: Key, config: AsyncConfig = NO_CONFIG) -> None:
    bucket = PushTrigger("s3", "push async", "arn:aws:s3:::uploads", "s3.amazonaws.com")
    facts = FunctionTriggers(function, config, (bucket,), "Terminate")
    stage.post(59.9, ev.TriggersObserved(SCOPE, 0.0, (facts,)))


def retries() -> Scene:
    """Every event fails and is tried three times; nothing catches it in the end."""
    stage = Stage("async-retries", "Asynchronous events are tried three times each and then dropped")
    images = stage.function("image-resize", timeout_s=30)
    _configured(stage, images)
    stage.traffic(images, step(64, 30, 84), errors=step(64, 0.0, 0.95), duration_ms=flat(700))
    _events(stage, images, flat(30), step(64, 30, 84), step(64, 300, 185_000))
    stage.sums(images, AsyncEventsDropped=step(67, 0, 27))
    stage.must("async_amplification", "image-resize", "critical", minute=64)
    stage.must("async_loss", "image-resize", "critical", minute=67)
    stage.must("error_rate", "image-resize", "critical", minute=64)
    stage.must("error_burst", "image-resize", minute=64)
    stage.may("async_backlog", "image-resize")
    return stage.scene()


def backlog_drains() -> Scene:
    """A throttled hour lies behind; what waited is tried now, without new events and without failing."""
    stage = Stage(
        "async-backlog-drains", "A backlog from a throttled hour drains: many attempts, ever younger"
    )
    mailer = stage.function("mailer", reserved=20)
    _configured(stage, mailer)
    stage.traffic(mailer, step(42, 30, 130, 74), throttles=step(10, 0, 60, 42), concurrency=flat(9))

    def oldest_ms(minute: int) -> float:
        waited_min = minute - 10 if minute < 42 else 32 - (minute - 42)
        return max(300.0, 60_000.0 * waited_min)

    attempts: Curve = lambda m: 90.0 if 10 <= m < 42 else 130.0 if 42 <= m < 74 else 30.0  # noqa: E731
    _events(stage, mailer, flat(30), attempts, oldest_ms)
    stage.never("async_amplification")
    stage.never("async_backlog")
    stage.never("throttled")
    return stage.scene()


def backlog_grows() -> Scene:
    """Events come in faster than the reserved concurrency lets them out."""
    stage = Stage("async-backlog", "Asynchronous events wait ever longer behind reserved concurrency 10")
    pdf = stage.function("invoice-pdf", reserved=10)
    _configured(stage, pdf, AsyncConfig(2, 3600, arn("sqs", "invoice-dlq")))
    stage.traffic(
        pdf, step(64, 80, 120), duration_ms=flat(5000), throttles=step(64, 0, 90), concurrency=step(64, 7, 10)
    )
    _events(stage, pdf, step(64, 80, 180), step(64, 80, 210), ramp(64, 90, 400, 1_500_000))
    stage.must("async_backlog", "invoice-pdf", minute=64)
    stage.must("throttled", "invoice-pdf", "critical", minute=64, evidence=(("limit", "reserved"),))
    stage.may("async_amplification", "invoice-pdf")
    return stage.scene()


def letters_refused() -> Scene:
    """The role may no longer write to the dead-letter queue."""
    stage = Stage("dead-letters-refused", "Dead letters cannot be delivered: the events are gone")
    sync = stage.function("crm-sync", dlq_arn=arn("sqs", "crm-dlq"))
    _configured(stage, sync)
    stage.traffic(sync, flat(60), errors=step(66, 0.01, 0.09))
    _events(stage, sync, flat(55), flat(61), flat(900))
    stage.sums(sync, DeadLetterErrors=step(67, 0, 2), AsyncEventsDropped=step(67, 0, 2))
    stage.must("async_loss", "crm-sync", "critical", minute=67)
    stage.must("error_rate", "crm-sync", minute=66)
    stage.may("error_burst", "crm-sync")
    return stage.scene()


def reserved_zero() -> Scene:
    """Somebody stopped two functions: one with asynchronous events, one with callers."""
    stage = Stage("reserved-zero", "Reserved concurrency 0, set on purpose")
    api = stage.function("legacy-api")
    jobs = stage.function("legacy-jobs", dlq_arn=arn("sqs", "legacy-dlq"))
    _configured(stage, jobs)
    for function in (api, jobs):
        stage.reserved[function].append((when(63), 0))
    stage.traffic(api, step(63, 40, 0), throttles=step(63, 0, 40))
    stage.traffic(jobs, step(63, 20, 0))
    # Straight to the dead-letter queue: no attempt, and no Throttles are published.
    _events(stage, jobs, flat(20), step(63, 20, 0), flat(200))
    stage.sums(jobs, AsyncEventsDropped=step(63, 0, 20))
    stage.must("throttled", "legacy-api", "info", minute=63, at_most="info")
    stage.must("throttled", "legacy-jobs", "info", minute=63, at_most="info")
    stage.must("async_loss", "legacy-jobs", "info", minute=63, at_most="info")
    stage.never("async_amplification")
    stage.never("async_backlog")
    return stage.scene()


def sampled_tail() -> Scene:
    """The log is too fast for the tail: what it saw is mostly failures, the metrics tell the truth."""
    stage = Stage("sampled-tail", "A sampled log tail shows repeated requests; nearly all events run once")
    events = stage.function("event-router")
    _configured(stage, events)
    stage.traffic(events, flat(3000), errors=flat(0.012))
    _events(stage, events, flat(2960), flat(3000), flat(65_000))
    stage.tails[events] = (False, "this log is long or fast: reading goes on with the next round")
    lines = []
    for minute in range(50, 90):
        for n in range(6):
            request = f"{minute:08x}-0000-4000-a000-{n // 3:012x}"
            stream = f"2027/01/15/[$LATEST]{n:032x}"
            at = when(minute) + 8 * n
            lines.append((at, stream, f"START RequestId: {request} Version: $LATEST"))
            lines.append((at + 1, stream, "[ERROR] TimeoutError: upstream"))
    stage.say(events, lines)
    stage.never("async_amplification")
    stage.never("proactive_init")
    stage.never("cold_start_burst")
    return stage.scene()


def durable_replays() -> Scene:
    """A step of a durable function fails since a deployment: executions are replayed, none of them ends."""
    stage = Stage("durable-replays", "Executions of a durable function are replayed and never end")
    orders = stage.function("order-flow", durable=True, durable_timeout_s=604_800)
    stage.traffic(orders, step(64, 30, 90), errors=step(64, 0.0, 0.95), duration_ms=flat(400))
    stage.sums(
        orders,
        DurableExecutionStarted=flat(10),
        DurableExecutionFailed=flat(0),
        DurableExecutionTimedOut=flat(0),
    )
    stage.must("durable_replay", "order-flow", "critical", minute=64)
    stage.must("error_rate", "order-flow", "critical", minute=64)
    stage.may("error_burst", "order-flow")
    stage.may("traffic_burst", "order-flow")
    stage.may("cost_burn")
    return stage.scene()


SCENES = (
    retries,
    backlog_drains,
    backlog_grows,
    letters_refused,
    reserved_zero,
    sampled_tail,
    durable_replays,
)
