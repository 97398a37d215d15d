"""Queues, streams and metrics that only look like an incident. Any alarm here is a false one."""

from __future__ import annotations

from random import Random

from scenes.curves import ACCOUNT, SCOPE, ZERO, Curve, arn, flat, ramp, step, when
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.facts.event_source_mapping import StreamFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev


def _orders(stage: Stage, **mapping: object) -> tuple[Key, Key, Key]:
    """Add orders → orders-worker, with a dead-letter queue that keeps letters for 14 days."""
    worker = stage.function("orders-worker")
    dlq = stage.queue("orders-dlq", retention_s=1_209_600)
    orders = stage.queue("orders", dlq)
    stage.mapping("orders", worker, **mapping)  # type: ignore[arg-type]
    return worker, orders, dlq


def filled_once_a_day() -> Scene:
    """A file of the day becomes 12,000 messages in four portions; they are done within half an hour."""
    stage = Stage("filled-once-a-day", "12,000 messages come in four portions and are done in time")
    worker, orders, dlq = _orders(stage, max_concurrency=10)
    sent: Curve = lambda m: 3000.0 if m in (62, 65, 68, 71) else 0.0  # noqa: E731
    done: Curve = lambda m: 480.0 if 62 <= m < 87 else 0.0  # noqa: E731
    stage.traffic(worker, lambda m: done(m) / 10, duration_ms=flat(9000), concurrency=step(62, 0, 10, 87))
    stage.flow(orders, sent, done, done)
    stage.depth(
        orders, lambda m: max(0.0, sum(sent(t) - done(t) for t in range(60, m + 1))), step(62, 0, 100, 87)
    )
    stage.depth(dlq, ZERO)
    return stage.scene()


def letters_looked_at() -> Scene:
    """Somebody pages through 5,000 old dead letters: they are in flight for a minute and come back."""
    stage = Stage("letters-looked-at", "Old dead letters are read by hand, and nothing is added")
    worker, orders, dlq = _orders(stage)
    stage.traffic(worker, flat(40), errors=flat(0.004))
    stage.flow(orders, flat(40), flat(40), flat(40))
    stage.depth(orders, flat(2), flat(4))
    # Both maxima of a minute hold the same letter once as visible and once as in flight.
    read = (68, 69, 74)
    stage.depth(dlq, lambda m: 5000.0, lambda m: 900.0 if m in read else 0.0)
    stage.flow(dlq, ZERO, lambda m: 900.0 if m in read else 0.0, ZERO)
    stage.never("dlq_growth")
    return stage.scene()


def paused_on_purpose() -> Scene:
    """A person pauses a consumer for a migration of its database, and enables it again after 15 minutes."""
    stage = Stage("paused-on-purpose", "A consumer is paused by a person; 600 messages wait, and are done")
    worker, orders, dlq = _orders(stage)
    mapping = next(iter(stage.mappings))
    stage.remap(mapping, 64, state="Disabled", state_reason="USER_INITIATED", last_modified=when(64))
    stage.remap(mapping, 79, state="Enabled", state_reason="USER_INITIATED", last_modified=when(79))
    done: Curve = lambda m: 0.0 if 64 <= m < 79 else 240.0 if 79 <= m < 82 else 40.0  # noqa: E731
    stage.traffic(worker, done)
    stage.flow(orders, flat(40), done, done)
    stage.depth(
        orders,
        lambda m: 40.0 * (m - 63) if 64 <= m < 79 else max(2.0, 600.0 - 200 * (m - 78)) if m >= 79 else 2.0,
    )
    stage.depth(dlq, ZERO)
    return stage.scene()


def second_time_lucky() -> Scene:
    """One message in 30 meets a lock, comes back after its visibility timeout, and succeeds."""
    stage = Stage("second-time-lucky", "A few messages need a second receive")
    worker, orders, dlq = _orders(stage)
    stage.traffic(worker, flat(62), errors=flat(0.033), duration_ms=flat(250))
    stage.flow(orders, flat(60), flat(62), flat(60))
    stage.depth(orders, flat(2), flat(5))
    stage.depth(dlq, ZERO)
    return stage.scene()


def slow_group() -> Scene:
    """One customer's group of a FIFO queue takes four minutes for each message; the others are quick."""
    stage = Stage("slow-group", "One message group of a FIFO queue is slow, and gets ahead")
    worker = stage.function("customer-sync", timeout_s=300)
    sync = stage.queue("customer-sync.fifo", stage.queue("customer-sync-dlq.fifo"), visibility_timeout_s=1800)
    stage.mapping("customer-sync.fifo", worker)
    stage.traffic(worker, flat(20), duration_ms=flat(900))
    for minute in range(0, 90, 4):
        stage.point(worker, "Duration", "Maximum", minute, 225_000)
    stage.flow(sync, flat(30), flat(30), flat(30))
    stage.depth(sync, lambda m: 12.0 + (m * 5) % 7, flat(3))
    stage.series(sync, "ApproximateAgeOfOldestMessage", "Maximum", lambda m: 40.0 + 60 * (m % 4))
    return stage.scene()


def late_counters() -> Scene:
    """CloudWatch publishes one metric of a queue six minutes late: what was deleted."""
    stage = Stage("late-counters", "A metric that comes six minutes late, for ten minutes")
    worker, orders, dlq = _orders(stage)
    stage.traffic(worker, flat(60), errors=flat(0.004))
    stage.sums(orders, NumberOfMessagesSent=flat(60), NumberOfMessagesReceived=flat(60))
    for minute in range(90):
        stage.point(orders, "NumberOfMessagesDeleted", "Sum", minute, 60, 360 if 66 <= minute < 76 else 0)
    stage.depth(orders, flat(3), flat(4))
    stage.depth(dlq, ZERO)
    return stage.scene()


def stepped_clock() -> Scene:
    """The minutes of CloudWatch slip: one holds the runs of two, the next one has no point."""
    stage = Stage("stepped-clock", "Every tenth minute of a function holds two minutes' runs, the next none")
    api = stage.function("quote-api", timeout_s=10)
    dice = Random("slip")
    for minute in range(90):
        if minute % 10 == 7:
            continue
        runs = round((240 if minute % 10 == 6 else 120) * (0.95 + 0.1 * dice.random()))
        for metric, value in (("Invocations", runs), ("Errors", round(runs * 0.01))):
            stage.point(api, metric, "Sum", minute, value)
        for stat, value in (("Maximum", 900), ("p99", 400), ("Sum", runs * 120)):
            stage.point(api, "Duration", stat, minute, value)
        stage.point(api, "ConcurrentExecutions", "Maximum", minute, 6)
    return stage.scene()


def new_pipeline() -> Scene:
    """A queue and its consumer are new today; the producer, elsewhere, sends 90 messages a minute at once."""
    stage = Stage("new-pipeline", "A new queue, a new consumer, and a steady producer")
    worker = stage.function("ticket-worker", last_modified=when(62))
    tickets = stage.queue("tickets", stage.queue("tickets-dlq", retention_s=1_209_600))
    stage.mapping("tickets", worker, last_modified=when(63))
    stage.traffic(worker, step(66, 0, 30), errors=flat(0.003))
    stage.flow(tickets, step(66, 0, 90), step(66, 0, 90), step(66, 0, 90))
    stage.depth(tickets, step(66, 0, 3), step(66, 0, 4))
    return stage.scene()


def consumer_restarts() -> Scene:
    """A deployment of a stream consumer: three minutes without a batch, then it catches up."""
    stage = Stage("consumer-restarts", "A stream consumer is deployed, and is three minutes behind once")
    fold = stage.function("clickstream", timeout_s=60)
    facts = StreamFacts(Key(SCOPE, "stream", "clicks"), arn("kinesis", "stream/clicks"), "kinesis", 86_400, 4)
    stage.post(59.9, ev.StreamsObserved(SCOPE, 0.0, (facts,)))
    stage.mapping("clicks", fold, "kinesis", max_retry_attempts=5, bisect_on_error=True)
    stage.change(fold, 66, code_sha256="b")
    stage.traffic(
        fold, lambda m: 4.0 if 66 <= m < 69 else 140.0 if 69 <= m < 72 else 60.0, errors=flat(0.004)
    )
    ages = {66: 60_000.0, 67: 120_000.0, 68: 180_000.0, 69: 150_000.0, 70: 80_000.0, 71: 20_000.0}
    stage.series(fold, "IteratorAge", "Maximum", lambda m: ages.get(m, 900.0))
    return stage.scene()


def borrowed_concurrency() -> Scene:
    """A batch uses half of the account for ten minutes and gives it back; nobody is refused."""
    stage = Stage("borrowed-concurrency", "A batch takes 560 of 1,000 environments, and leaves again")
    batch = stage.function("recalculate", timeout_s=120)
    jobs = stage.queue("recalculations", stage.queue("recalculations-dlq", retention_s=1_209_600))
    stage.mapping("recalculations", batch, batch_size=1, max_concurrency=500)
    busy = step(64, 20, 2000, 75)
    stage.traffic(batch, busy, errors=flat(0.003), duration_ms=flat(15_000), concurrency=step(64, 5, 500, 75))
    sent: Curve = lambda m: 22_000.0 if m == 63 else 20.0  # noqa: E731
    stage.flow(jobs, sent, busy, busy)
    left = ramp(63, 75, 22_000, 0)
    stage.depth(jobs, lambda m: left(m) if m >= 63 else 2.0, step(64, 5, 500, 75))
    stage.traffic(stage.function("shop-api"), flat(300), errors=flat(0.004), concurrency=flat(40))
    stage.series(ACCOUNT, "ClaimedAccountConcurrency", "Maximum", step(64, 60, 560, 75))
    stage.may("cost_burn", "recalculate")
    return stage.scene()


SCENES = (
    filled_once_a_day,
    letters_looked_at,
    paused_on_purpose,
    second_time_lucky,
    slow_group,
    late_counters,
    stepped_clock,
    new_pipeline,
    consumer_restarts,
    borrowed_concurrency,
)
