"""Days on which nothing is wrong: noise, ramps, canaries. Any alarm here is a false one."""

from __future__ import annotations

from math import pi, sin

from scenes.curves import SCOPE, arn, flat, ramp
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.facts.event_source_mapping import StreamFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev


def noise() -> Scene:
    """Eight functions of all kinds with Poisson traffic, a few errors, jitter in every duration."""
    stage = Stage("healthy-noise", "A healthy fleet with noise")
    for i, (name, per_min) in enumerate(
        (
            ("catalogue-api", 900),
            ("session-api", 300),
            ("cart-api", 140),
            ("profile-api", 40),
            ("admin-api", 6),
        )
    ):
        key = stage.function(name, timeout_s=10)
        wave = lambda m, i=i, per_min=per_min: per_min * (1 + 0.3 * sin(2 * pi * (m + 9 * i) / 45))  # noqa: E731
        stage.traffic(key, wave, errors=flat(0.012), duration_ms=flat(150 + 60 * i))
        stage.executions(key, flat(6), fresh=flat(0.02))
    worker = stage.function("orders-worker")
    dlq = stage.queue("orders-dlq", retention_s=1_209_600)
    orders = stage.queue("orders", dlq)
    stage.mapping("orders", worker)
    runs = stage.traffic(worker, flat(80), errors=flat(0.01))
    stage.sums(
        orders,
        NumberOfMessagesSent=[float(10 * n) for n in runs],
        NumberOfMessagesReceived=[10.0 * n + n // 60 for n in runs],
        NumberOfMessagesDeleted=[float(10 * n) for n in runs],
    )
    stage.depth(orders, lambda m: 3.0 + m % 5, flat(12))
    stage.depth(dlq, flat(2))
    fold = stage.function("clickstream", timeout_s=60)
    stream = Key(SCOPE, "stream", "clicks")
    facts = StreamFacts(stream, arn("kinesis", "stream/clicks"), "kinesis", 604_800, 4)
    stage.post(59.9, ev.StreamsObserved(SCOPE, 0.0, (facts,)))
    stage.mapping("clicks", fold, "kinesis", max_retry_attempts=5)
    stage.traffic(fold, flat(240), errors=flat(0.008))
    stage.series(fold, "IteratorAge", "Maximum", lambda m: 400.0 + 3000 * (m % 4))
    return stage.scene()


def traffic_ramp() -> Scene:
    """Morning: five times the traffic within a quarter of an hour, with the cold starts that belong to it."""
    stage = Stage("traffic-ramp", "Five times the traffic within a quarter of an hour")
    for name, per_min in (("catalogue-api", 300), ("cart-api", 60)):
        key = stage.function(name, timeout_s=10)
        stage.traffic(key, ramp(62, 77, per_min, 5 * per_min), errors=flat(0.01))
        stage.executions(key, ramp(62, 77, 6, 30), fresh=ramp(62, 70, 0.02, 0.12))
    images = stage.function("image-resize")
    stage.traffic(images, ramp(62, 77, 20, 100), errors=flat(0.008))
    stage.sums(images, AsyncEventsReceived=ramp(62, 77, 20, 100))
    stage.series(images, "AsyncEventAge", "SampleCount", ramp(62, 77, 20, 101))
    stage.series(images, "AsyncEventAge", "Maximum", lambda m: 200.0 + 90 * (m % 9))
    return stage.scene()


def retried_once() -> Scene:
    """One event in fifty fails once and succeeds at its retry a minute later: what retries are for."""
    stage = Stage("few-retries", "A few asynchronous events need a second attempt")
    images = stage.function("image-resize")
    stage.traffic(images, flat(102), errors=flat(0.02))
    stage.sums(images, AsyncEventsReceived=flat(100))
    stage.series(images, "AsyncEventAge", "SampleCount", flat(102))
    stage.series(images, "AsyncEventAge", "Maximum", flat(61_000))
    return stage.scene()


def tried_by_hand() -> Scene:
    """A developer tries a function some times in an hour, most times in vain."""
    stage = Stage("tried-by-hand", "A function that is tried by hand fails now and then")
    tried = stage.function("dev-import")
    for minute, failed in ((61, 1), (63, 1), (66, 0), (70, 1), (71, 1), (80, 1)):
        stage.point(tried, "Invocations", "Sum", minute, 1)
        stage.point(tried, "Errors", "Sum", minute, failed)
        stage.point(tried, "Duration", "Maximum", minute, 300)
    return stage.scene()


SCENES = (noise, traffic_ramp, retried_once, tried_by_hand)
