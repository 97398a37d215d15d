"""Queues that only fill: nothing fails, and what the consumer is held by; and what only looks like it."""

from __future__ import annotations

from scenes.curves import SCOPE, Curve, flat, ramp, step
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.facts.function_state import FunctionState
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev


def _importer(stage: Stage, source: str = "imports", fifo: bool = False) -> tuple[Key, Key]:
    worker = stage.function("importer", timeout_s=60)
    return worker, stage.queue(source, stage.queue("imports-dlq"), fifo=fifo)


def capped() -> Scene:
    """MaximumConcurrency 2: 3,850 messages a minute come, 350 are done; no error, no throttle."""
    stage = Stage("capped-backlog", "A queue fills because its mapping may run two at once")
    worker, queue = _importer(stage)
    stage.mapping("imports", worker, max_concurrency=2)
    stage.traffic(worker, step(62, 20, 35), duration_ms=step(62, 900, 3400), concurrency=step(62, 1, 2))
    stage.flow(queue, step(62, 200, 3850), step(62, 200, 350), step(62, 200, 350))
    stage.depth(queue, ramp(62, 88, 5, 90_000), step(62, 4, 20))
    stage.series(queue, "ApproximateAgeOfOldestMessage", "Maximum", ramp(62, 90, 1, 1500))
    held = (("held_by", "MaximumConcurrency"),)
    stage.must("queue_backlog", "imports", minute=62, evidence=held)
    return stage.scene()


def blocked_group() -> Scene:
    """FIFO: one group's message fails and is given back; the others go on, its own wait behind it."""
    stage = Stage("blocked-group", "A FIFO queue in which one message group is blocked")
    worker, queue = _importer(stage, "imports.fifo", fifo=True)
    stage.mapping("imports.fifo", worker)
    stage.traffic(worker, flat(200), errors=step(62, 0.0, 0.005))
    stage.flow(queue, flat(205), step(62, 205, 201), step(62, 205, 200))
    stage.depth(queue, ramp(62, 90, 2, 142), flat(3))
    stage.series(queue, "ApproximateAgeOfOldestMessage", "Maximum", ramp(62, 90, 1, 1680))
    stage.must("queue_backlog", "imports.fifo", minute=67)
    stage.may("poison_message", "imports.fifo")
    return stage.scene()


def standing() -> Scene:
    """A queue that has been full for days: as much comes as is done."""
    stage = Stage("standing-backlog", "A queue that has been full since yesterday and does not get emptier")
    worker, queue = _importer(stage)
    stage.reserved[worker] = [(0.0, 3)]
    stage.mapping("imports", worker)
    stage.traffic(worker, flat(90), duration_ms=flat(2000), concurrency=flat(3))
    stage.flow(queue, flat(300), flat(300), flat(300))
    stage.depth(queue, flat(90_000), flat(30))
    stage.series(queue, "ApproximateAgeOfOldestMessage", "Maximum", flat(18_000))
    held = (("held_by", "reserved concurrency"),)
    stage.must("queue_backlog", "imports", minute=60, evidence=held)
    return stage.scene()


def nightly_batch() -> Scene:
    """A batch job puts 30,000 messages in at once; they are worked off for the rest of the hour."""
    stage = Stage("nightly-batch", "A batch of 30,000 messages that is being worked off")
    worker, queue = _importer(stage)
    stage.mapping("imports", worker, max_concurrency=20)
    stage.traffic(worker, step(62, 5, 100), duration_ms=flat(9000), concurrency=step(62, 1, 20))
    sent: Curve = lambda minute: 30_000.0 if minute == 62 else 0.0  # noqa: E731
    stage.flow(queue, sent, step(62, 0, 1000), step(62, 0, 1000))
    stage.depth(queue, lambda m: max(0.0, 30_000.0 - 1000 * (m - 62)) if m >= 62 else 0.0, step(62, 0, 200))
    stage.series(queue, "ApproximateAgeOfOldestMessage", "Maximum", ramp(62, 92, 0, 1800))
    return stage.scene()


def scales_up() -> Scene:
    """Ten times as many messages for good; the consumer grows until it keeps up, after eight minutes."""
    stage = Stage("scales-up", "A consumer that grows with ten times its load, and then keeps up")
    worker, queue = _importer(stage)
    stage.mapping("imports", worker)
    stage.traffic(worker, ramp(62, 70, 20, 210), duration_ms=flat(2000))
    done = ramp(62, 70, 200, 2100)
    stage.flow(queue, step(62, 200, 2000), done, done)
    stage.depth(
        queue,
        lambda m: 5.0 if m < 62 else max(5.0, 2000 - 20 * abs(m - 69) ** 2 if m < 80 else 5.0),
        flat(40),
    )
    return stage.scene()


def busy_and_even() -> Scene:
    """A large queue that is always half a minute behind: its depth wavers and means nothing."""
    stage = Stage("busy-queue", "3,000 messages wait at all times, half a minute's work")
    worker, queue = _importer(stage)
    stage.mapping("imports", worker, max_concurrency=100)
    stage.traffic(worker, flat(600), duration_ms=flat(8000), concurrency=flat(90))
    stage.flow(queue, flat(6000), flat(6000), flat(6000))
    stage.depth(queue, lambda m: 3000.0 + 400 * ((m * 7) % 5) - 800, flat(900))
    stage.series(queue, "ApproximateAgeOfOldestMessage", "Maximum", flat(35))
    return stage.scene()


def image_deleted() -> Scene:
    """A clean-up removes the image of a function: it looks quiet, and its queue fills."""
    stage = Stage("image-deleted", "The image of a function was deleted; no metric says so")
    worker = stage.function("orders-worker", package_type="Image")
    orders = stage.queue("orders", stage.queue("orders-dlq"))
    stage.mapping("orders", worker)
    stage.traffic(worker, step(66, 40, 0))
    stage.flow(orders, flat(40), step(66, 40, 0), step(66, 40, 0))
    stage.depth(orders, ramp(66, 90, 2, 960))
    gone = FunctionState("Inactive", "ImageDeleted", "The image was deleted")
    stage.post(75, ev.StatesObserved(SCOPE, 0.0, ((worker, gone),)))
    stage.must("not_invocable", "orders-worker", minute=66)
    stage.must("not_invocable", "orders-worker", "critical", minute=75)
    stage.may("queue_backlog", "orders")
    stage.may("dead_trigger")
    return stage.scene()


SCENES = (image_deleted, capped, blocked_group, standing, nightly_batch, scales_up, busy_and_even)
