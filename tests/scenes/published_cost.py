"""Published incidents of log bills, and of work that was done more than once."""

from __future__ import annotations

from scenes.curves import SCOPE, Curve, arn, flat, step
from scenes.pushes import pushed
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.keys import Key


def log_flood() -> Scene:
    """A release logs every item: five times the bytes, the same traffic.

    The report: +400 %, 6.5 TB and 3,250 USD a day. Assumed: 1,200 requests a minute that log it.
    https://grafclouds.com/en/insights/lessons-learned/debug-logging-explosion
    """
    stage = Stage("log-flood", "The same traffic logs five times as much, and goes on doing so")
    api = stage.function("catalogue-api")
    stage.traffic(api, flat(1200), errors=flat(0.002), duration_ms=flat(80))
    group = Key(api.scope, "log group", "/aws/lambda/catalogue-api")
    stage.series(group, "IncomingBytes", "Sum", step(62, 900e6, 4500e6))
    stage.must("log_storm", "/aws/lambda/catalogue-api", minute=62, stays=True)
    stage.must("cost_burn", "catalogue-api", minute=62)
    return stage.scene()


def forwarder_prints() -> Scene:
    """A function that forwards logs prints each event, so that all logs are paid for twice.

    The report: every event is printed, huge costs; no figures. Assumed: 300 MB a minute, 5 MB before.
    https://github.com/DataDog/datadog-serverless-functions/issues/39
    """
    stage = Stage("forwarder-prints", "A forwarder of logs logs what it forwards")
    forward = stage.function("log-forwarder", memory_mb=1024)
    stage.change(forward, 63, code_sha256="b")
    stage.traffic(forward, flat(900), duration_ms=flat(300))
    group = Key(SCOPE, "log group", "/aws/lambda/log-forwarder")
    stage.series(group, "IncomingBytes", "Sum", step(63, 5e6, 300e6))
    stage.must("log_storm", "/aws/lambda/log-forwarder", minute=63, stays=True)
    stage.may("cost_burn")
    return stage.scene()


def large_events() -> Scene:
    """A forwarder writes events of 262 kB into its own log, in spikes.

    The report: single events of 262 kB, a spiky bill. Assumed: 400 of them a minute for six minutes.
    https://github.com/wellcomecollection/platform/issues/5729
    """
    stage = Stage("large-events", "Spikes of log events of 262 kB from a forwarder")
    forward = stage.function("elasticsearch-log-forwarder", memory_mb=512)
    stage.traffic(forward, flat(400), duration_ms=flat(200))
    group = Key(SCOPE, "log group", "/aws/lambda/elasticsearch-log-forwarder")
    stage.series(group, "IncomingBytes", "Sum", step(68, 2e6, 105e6, 74))
    stage.must("log_storm", "/aws/lambda/elasticsearch-log-forwarder", minute=68)
    stage.may("cost_burn")
    return stage.scene()


def files_made_again() -> Scene:
    """An asynchronous function fails at large files, and Lambda's retries undo later work.

    The report: three attempts, a race with later changes, in production. Assumed: six events a minute of
    which a third is large.
    https://github.com/ustaxcourt/ef-cms/issues/8706
    """
    stage = Stage("files-made-again", "Large files fail, are tried again twice, and overwrite later work")
    files = stage.function("async-file-handler", timeout_s=60, memory_mb=3008)
    pushed(stage, files, "other", arn("apigateway", "restapis/ef"))
    attempts = step(62, 6, 10)
    stage.traffic(files, attempts, errors=step(62, 0.0, 0.6), duration_ms=flat(9000))
    stage.sums(files, AsyncEventsReceived=flat(6), AsyncEventsDropped=step(65, 0, 2))
    stage.series(files, "AsyncEventAge", "SampleCount", attempts)
    stage.series(files, "AsyncEventAge", "Maximum", step(62, 60, 190_000))
    stage.must("async_amplification", "async-file-handler", minute=64)
    stage.must("error_rate", "async-file-handler", "critical", minute=62)
    stage.may("async_loss", "async-file-handler")
    stage.may("error_burst", "async-file-handler")
    return stage.scene()


def export_overwritten() -> Scene:
    """One scheduled event fails three times; the last attempt overwrites good files with empty ones.

    The report: an outage of a provider, one event, three invocations. Assumed: its minutes, and that all
    three failed at the download.
    https://github.com/guardian/support-service-lambdas/pull/745
    """
    stage = Stage("export-overwritten", "One event of the night is tried three times, in vain")
    export = stage.function("zuora-datalake-export", timeout_s=900)
    pushed(stage, export, "eventbridge", arn("events", "rule/nightly-export"))
    tried: Curve = lambda m: 1.0 if m in (62, 64, 67) else 0.0  # noqa: E731
    for minute in (62, 64, 67):
        stage.point(export, "Invocations", "Sum", minute, 1)
        stage.point(export, "Errors", "Sum", minute, 1)
        stage.point(export, "Duration", "Maximum", minute, 40_000)
    stage.sums(export, AsyncEventsReceived=lambda m: 1.0 if m == 62 else 0.0)
    stage.sums(export, AsyncEventsDropped=lambda m: 1.0 if m == 68 else 0.0)
    stage.series(export, "AsyncEventAge", "SampleCount", tried)
    stage.series(export, "AsyncEventAge", "Maximum", lambda m: {62: 50.0, 64: 101e3, 67: 262e3}.get(m))
    stage.must("async_loss", "zuora-datalake-export", minute=68)
    return stage.scene()


SCENES = (log_flood, forwarder_prints, large_events, files_made_again, export_overwritten)
