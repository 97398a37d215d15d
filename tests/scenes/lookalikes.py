"""Days that only look like an incident: releases, peaks, tests, silence. Any alarm here is a false one."""

from __future__ import annotations

from math import pi, sin
from random import Random

from scenes.curves import ACCOUNT, Curve, flat, ramp, step, when
from scenes.lines import Execution, json_lines, new_text, stream_name, uuid
from scenes.pushes import pushed, received
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.facts.quota_limits import Provisioned
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev


def _claimed(stage: Stage, curve: Curve) -> None:
    stage.series(ACCOUNT, "ClaimedAccountConcurrency", "Maximum", curve)


def release_starts_cold() -> Scene:
    """A release replaces every environment: for three minutes most requests start cold and take long."""
    stage = Stage("release-starts-cold", "A release with its cold starts, over after three minutes")
    api = stage.function("checkout-api", timeout_s=10)
    stage.change(api, 66, code_sha256="b")
    stage.traffic(api, flat(300), errors=flat(0.003), duration_ms=step(66, 110, 340, 69))
    stage.executions(api, flat(20), fresh=lambda m: 0.6 if 66 <= m < 69 else 0.02)
    return stage.scene()


def canary_shifts() -> Scene:
    """An alias shifts from one version to the next: a tenth, half, all; nothing fails."""
    stage = Stage("canary-shifts", "An alias moves its traffic to a new version in three steps")
    api = stage.function("cart-api", timeout_s=10)
    stage.change(api, 62, code_sha256="b")
    stage.traffic(api, flat(200), errors=flat(0.004), duration_ms=flat(90))
    for start, share in ((50, 0.0), (64, 0.1), (72, 0.5), (80, 1.0)):
        until = {50: 64, 64: 72, 72: 80, 80: 90}[start]
        stage.executions(
            api,
            step(start, 0, 16, until),
            fresh=lambda m, start=start: 0.3 if m == start else 0.02,  # type: ignore[misc]
            version=lambda dice, share=share: "8" if dice.random() < share else "7",  # type: ignore[misc]
        )
    return stage.scene()


def planned_load_test() -> Scene:
    """A load test in working hours: eight times the requests for a quarter of an hour, far from any limit."""
    stage = Stage("planned-load-test", "Eight times the requests for 15 minutes, at 38 % of the account")
    api = stage.function("search-api", timeout_s=10)
    stage.traffic(
        api,
        step(65, 300, 2400, 80),
        errors=flat(0.004),
        duration_ms=flat(260),
        concurrency=step(65, 8, 300, 80),
    )
    stage.executions(api, step(65, 6, 30, 80), fresh=lambda m: 0.4 if m == 65 else 0.01)
    _claimed(stage, step(65, 90, 380, 80))
    return stage.scene()


def monday_morning() -> Scene:
    """The weekly peak: three times the traffic of the early morning within 20 minutes, everywhere."""
    stage = Stage("monday-morning", "Three times the traffic within 20 minutes, in all functions alike")
    for name, rate in (("login-api", 120), ("dashboard-api", 400), ("export-api", 30)):
        key = stage.function(name, timeout_s=10)
        stage.traffic(
            key, ramp(60, 80, rate, 3 * rate), errors=flat(0.012), duration_ms=ramp(60, 80, 140, 170)
        )
        stage.executions(key, ramp(60, 80, 5, 15), fresh=ramp(60, 72, 0.02, 0.1))
    worker = stage.function("mail-worker")
    mails = stage.queue("mails", stage.queue("mails-dlq"))
    stage.mapping("mails", worker)
    more = ramp(60, 80, 60, 180)
    stage.traffic(worker, more)
    stage.flow(mails, more, more, more)
    stage.depth(mails, ramp(60, 80, 3, 40), ramp(60, 80, 2, 9))
    _claimed(stage, ramp(60, 80, 60, 190))
    return stage.scene()


def nightly_workflow() -> Scene:
    """A state machine runs its nightly map: 40 workers that it waits for, 1,000 runs a minute."""
    stage = Stage("nightly-workflow", "A workflow of the night: from no run to 1,000 a minute")
    worker = stage.function("nightly-row", timeout_s=60)
    stage.traffic(
        worker,
        step(65, 0, 1000, 84),
        errors=flat(0.002),
        duration_ms=flat(2200),
        concurrency=step(65, 0, 40, 84),
    )
    _claimed(stage, step(65, 20, 62, 84))
    return stage.scene()


def first_day() -> Scene:
    """A new function goes live: no history, cold starts, and 300 requests a minute at once."""
    stage = Stage("first-day", "A function without a past gets its first traffic")
    api = stage.function("loyalty-api", timeout_s=10, last_modified=when(64))
    stage.traffic(api, step(66, 0, 300), errors=flat(0.01), duration_ms=flat(130))
    stage.executions(api, step(66, 0, 20), fresh=lambda m: 0.5 if m == 66 else 0.03)
    return stage.scene()


def public_holiday() -> Scene:
    """A day off: an office application fades out, then nobody comes any more."""
    stage = Stage("public-holiday", "The traffic of an office application ends for the day")
    api = stage.function("timesheet-api")
    stage.traffic(api, lambda m: max(0.0, 30.0 - 0.5 * m) if m < 62 else 0.0)
    jobs = stage.function("timesheet-jobs")
    queue = stage.queue("timesheets", stage.queue("timesheets-dlq"))
    stage.mapping("timesheets", jobs)
    stage.traffic(jobs, step(60, 6, 0))
    stage.flow(queue, step(60, 6, 0), step(60, 6, 0), step(60, 6, 0))
    stage.depth(queue, flat(0))
    return stage.scene()


def dip_everywhere() -> Scene:
    """A provider of many users is down for ten minutes: less traffic, then some more than usual."""
    stage = Stage("dip-everywhere", "Three quarters of all traffic are missing for ten minutes")
    for name, rate in (("catalogue-api", 900), ("cart-api", 140), ("session-api", 300)):
        key = stage.function(name, timeout_s=10)
        stage.traffic(
            key,
            lambda m, rate=rate: rate * (0.25 if 64 <= m < 74 else 1.5 if 74 <= m < 77 else 1.0),  # type: ignore[misc]
            errors=flat(0.01),
        )
        stage.executions(key, flat(6), fresh=lambda m: 0.1 if 74 <= m < 76 else 0.02)
    return stage.scene()


def errs_once_a_day() -> Scene:
    """A report that runs once a day fails: all of its invocations, which is one."""
    stage = Stage("errs-once-a-day", "One invocation of the day, and it fails")
    report = stage.function("daily-report", timeout_s=300)
    for metric, value in (("Invocations", 1), ("Errors", 1)):
        stage.point(report, metric, "Sum", 68, value)
    stage.point(report, "Duration", "Maximum", 68, 4100)
    words = "[ERROR] KeyError: 'rate' in row 3"
    run = Execution(
        when(68), uuid(Random("daily")), stream_name(Random("daily")), 4100, 256, 90, "error", 350.0, (words,)
    )
    stage.say(report, new_text(run))
    return stage.scene()


def long_but_in_time() -> Scene:
    """A job of eleven minutes starts every five minutes; its timeout is 15 minutes."""
    stage = Stage("long-but-in-time", "A scheduled job runs for 660 of its 900 seconds")
    job = stage.function("reindex", timeout_s=900, memory_mb=1024)
    for minute in range(0, 90, 5):
        for metric, value in (("Invocations", 1), ("Errors", 0)):
            stage.point(job, metric, "Sum", minute, value, 660)
        for stat, value in (("Maximum", 661_000), ("p99", 661_000), ("Sum", 661_000)):
            stage.point(job, "Duration", stat, minute, value, 660)
        stage.point(job, "ConcurrentExecutions", "Maximum", minute, 3)
    return stage.scene()


def at_its_reservation() -> Scene:
    """A reservation that fits: the function uses all 20 of it in some minutes, and nobody is refused."""
    stage = Stage("at-its-reservation", "Reserved concurrency that is just enough, day after day")
    resize = stage.function("resize", reserved=20, timeout_s=30)
    stage.traffic(
        resize,
        flat(600),
        errors=flat(0.003),
        duration_ms=flat(1700),
        concurrency=lambda m: 17.0 + (m * 7) % 4,
    )
    _claimed(stage, flat(80))
    return stage.scene()


def provisioned_by_schedule() -> Scene:
    """Provisioned concurrency is raised at eight; while it is allocated some requests run elsewhere."""
    stage = Stage("provisioned-by-schedule", "A scheduled allocation takes two minutes, as it always does")
    api = stage.function("portal-api", timeout_s=10)
    alias = Key(api.scope, "alias", "portal-api:live")
    stage.traffic(api, ramp(62, 70, 600, 1500), errors=flat(0.004), concurrency=ramp(62, 70, 9, 40))
    small = (Provisioned("live", 20, 20, 20, "READY"),)
    growing = (Provisioned("live", 60, 20, 20, "IN_PROGRESS"),)
    ready = (Provisioned("live", 60, 60, 60, "READY"),)
    for minute, state in ((59.9, small), (65.1, growing), (67.1, ready)):
        stage.post(minute, ev.ProvisionedObserved(api.scope, 0.0, ((api, state),)))
    spilled: Curve = lambda m: 90.0 if m in (65, 66) else 0.0  # noqa: E731
    stage.sums(
        alias,
        ProvisionedConcurrencyInvocations=lambda m: ramp(62, 70, 600, 1500)(m) - spilled(m),
        ProvisionedConcurrencySpilloverInvocations=spilled,
    )
    stage.series(
        alias, "ProvisionedConcurrencyUtilization", "Maximum", lambda m: 1.0 if m in (65, 66) else 0.6
    )
    return stage.scene()


def says_error() -> Scene:
    """A library writes ERROR at each retry that then succeeds, and quotes other people's limits."""
    stage = Stage("says-error", "A library that logs ERROR, timeouts and memory, while nothing fails")
    sync = stage.function("crm-sync", runtime="nodejs22.x")
    beat = stage.function("price-feed", log_format="JSON")
    stage.traffic(sync, flat(40), errors=flat(0.002), duration_ms=flat(300))
    stage.traffic(beat, flat(60), errors=flat(0.002), duration_ms=flat(200))
    quoted = (
        "ERROR crm.client - attempt 1 of 5 failed: upstream timed out after 3 seconds, retrying",
        "ERROR retry succeeded; errors so far: 0",
        "WARN remote host says: OutOfMemory on node 7, 413 Payload Too Large, too many open files",
    )
    stage.executions(sync, flat(12), said=lambda ended, dice: (dice.choice(quoted),))
    stage.executions(
        beat,
        flat(12),
        json_lines,
        said=lambda ended, dice: ('{"level":"ERROR","message":"feed stale, refetched","errors":0}',),
    )
    return stage.scene()


def replayed_upload() -> Scene:
    """Somebody copies 10,000 old objects into a bucket again; each one is an event, as meant.

    Nothing distinguishes the first minutes from a loop, which the finding itself says: it may stand.
    """
    stage = Stage("replayed-upload", "10,000 objects are copied again within twelve minutes")
    thumbs = stage.function("thumbnailer", timeout_s=30)
    pushed(stage, thumbs, "s3", "arn:aws:s3:::archive")
    rate = step(66, 5, 850, 78)
    stage.traffic(thumbs, rate, errors=flat(0.002), duration_ms=flat(400))
    received(stage, thumbs, rate)
    stage.may("traffic_burst", "thumbnailer")
    return stage.scene()


def louder_with_traffic() -> Scene:
    """An advertisement: six times the requests, six times the log. That it costs as much more may be said."""
    stage = Stage("louder-with-traffic", "A log grows sixfold because the traffic does")
    api = stage.function("landing-api", timeout_s=10)
    rate = ramp(63, 69, 400, 2600)
    stage.traffic(api, rate, errors=flat(0.006), duration_ms=flat(90))
    group = Key(api.scope, "log group", "/aws/lambda/landing-api")
    stage.series(group, "IncomingBytes", "Sum", lambda m: 9000 * rate(m) * (1 + 0.1 * sin(2 * pi * m / 7)))
    _claimed(stage, ramp(63, 69, 30, 70))
    stage.may("cost_burn", "landing-api")
    return stage.scene()


SCENES = (
    release_starts_cold,
    canary_shifts,
    planned_load_test,
    monday_morning,
    nightly_workflow,
    first_day,
    public_holiday,
    dip_everywhere,
    errs_once_a_day,
    long_but_in_time,
    at_its_reservation,
    provisioned_by_schedule,
    says_error,
    replayed_upload,
    louder_with_traffic,
)
