"""Published incidents after releases, and of what functions depend on."""

from __future__ import annotations

from random import Random

from scenes.curves import ACCOUNT, SCOPE, Curve, arn, flat, ramp, step, when
from scenes.lines import Raw, new_text, old_text, stream_name, uuid
from scenes.pushes import pushed
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.facts.function_state import FunctionState
from lambdatop.domain.state import events as ev


def missing_module() -> Scene:
    """A deployment for a newer Node leaves a module out: nothing starts any more.

    The report: `Cannot find module '@bugsnag/js'` after the deployment. Assumed: 20 requests a minute.
    https://github.com/RoadieHQ/sample-service/issues/94
    """
    stage = Stage("missing-module", "A module is missing since a deployment, and every request fails")
    api = stage.function("sample-service", runtime="nodejs14.x")
    stage.change(api, 65, runtime="nodejs16.x", code_sha256="b")
    stage.traffic(api, flat(20), errors=step(65, 0.0, 1.0), duration_ms=step(65, 80, 5))
    words = (
        'undefined\tERROR\tUncaught Exception \t{"errorType":"Runtime.ImportModuleError",'
        '"errorMessage":"Error: Cannot find module \'@bugsnag/js\'\\nRequire stack:\\n'
        '- /var/task/dist/app.js"}'
    )
    stage.executions(
        api,
        flat(20),
        outcome=lambda m, dice: "error" if m >= 65 else "ok",
        said=lambda ended, dice: (f"2026-08-16T09:08:01.685Z\t{words}",) if ended == "error" else (),
    )
    stage.must("error_rate", "sample-service", "critical", minute=65)
    stage.must("recent_change", "sample-service", minute=65)
    stage.may("error_burst", "sample-service")
    return stage.scene()


def extension_crashes() -> Scene:
    """A new version of a layer needs a newer C library: every invocation ends in Extension.Crash.

    The report: 8 ms each, `GLIBC_2.34' not found`, all functions with the layer. Assumed: two of them,
    40 and 90 requests a minute, released at minute 64.
    https://github.com/newrelic/serverless-newrelic-lambda-layers/issues/404
    """
    stage = Stage("extension-crashes", "A layer's extension cannot start, and with it no function")
    for name, rate in (("checkout", 40), ("profile", 90)):
        api = stage.function(name, runtime="provided.al2", memory_mb=1024)
        stage.change(api, 64, layers_size_bytes=9_000_000)
        stage.traffic(api, flat(rate), errors=step(64, 0.002, 1.0), duration_ms=step(64, 60, 8))
        dice, lines = Random(name), list[Raw]()
        for n in range(64 * 12, 90 * 12):
            at, request, stream = when(n / 12), uuid(dice), stream_name(dice)
            crash = f"RequestId: {request} Error: exit status 1 Extension.Crash"
            library = "/lib64/libc.so.6: version `GLIBC_2.34' not found"
            extension = "/opt/extensions/newrelic-lambda-extension"
            init = "INIT_REPORT Init Duration: 5.51 ms\tPhase: invoke\tError Type: Extension.Crash"
            lines += [
                (at, stream, f"START RequestId: {request} Version: $LATEST"),
                (at, stream, f"{extension}: {library} (required by {extension})"),
                (at, stream, crash),
                (at, stream, f"END RequestId: {request}"),
                (at, stream, f"REPORT RequestId: {request}\tDuration: 8.29 ms\tMemory Size: 1024 MB"),
                (
                    at,
                    stream,
                    init,
                ),
            ]
        stage.say(api, lines)
        stage.must("error_rate", name, "critical", minute=64)
        stage.must("recent_change", name, minute=64)
        stage.may("error_burst", name)
    return stage.scene()


def init_takes_ten_seconds() -> Scene:
    """Initialisation hangs in an extension; requests that take milliseconds time out after ten seconds.

    The report: 3,000 calls within three minutes, 128 MB, `Status: timeout`, 111 MB used. Assumed: half of
    them, 60 a minute before.
    https://github.com/newrelic/newrelic-lambda-layers/issues/277
    """
    stage = Stage(
        "init-takes-ten-seconds", "Functions that need milliseconds time out in their initialisation"
    )
    api = stage.function("bad-requests", runtime="nodejs20.x", memory_mb=128, timeout_s=10)
    slow = (66, 67, 68)
    stage.traffic(
        api,
        lambda m: 1000.0 if m in slow else 60.0,
        errors=lambda m: 0.5 if m in slow else 0.0,
        duration_ms=lambda m: 5000.0 if m in slow else 8.0,
    )
    stage.executions(
        api,
        lambda m: 60.0 if m in slow else 6.0,
        new_text,
        lambda m, dice: "timeout" if m in slow and dice.random() < 0.5 else "ok",
        duration_ms=8,
        used_mb=111,
        said=lambda ended, dice: (
            ("INIT_REPORT Init Duration: 10001.07 ms\tPhase: invoke\tStatus: timeout",)
            if ended == "timeout"
            else ()
        ),
    )
    stage.must("timeouts", "bad-requests", "critical", minute=66)
    stage.must("error_rate", "bad-requests", "critical", minute=66)
    stage.may("near_timeout", "bad-requests")
    stage.may("error_burst", "bad-requests")
    stage.may("cost_burn")
    return stage.scene()


def telemetry_is_down() -> Scene:
    """The receiver of telemetry is down: all functions wait for it, time out, and fill the account.

    The report: functions timed out and reached the account's concurrency, production went down. Assumed:
    four functions, timeouts of 30 s, a limit of 1,000.
    https://github.com/newrelic/newrelic-lambda-layers/issues/202
    """
    stage = Stage("telemetry-is-down", "A receiver of telemetry is down, and every function waits for it")
    for n, rate in enumerate((200, 300, 400, 600)):
        api = stage.function(f"api-{n}", timeout_s=30)
        stage.traffic(
            api,
            flat(rate),
            errors=step(65, 0.002, 0.9),
            duration_ms=step(65, 120, 27_000),
            throttles=step(67, 0, rate),
            concurrency=ramp(64, 67, 2, 250),
        )
        stage.executions(
            api,
            flat(10),
            old_text,
            lambda m, dice: "timeout" if m >= 65 and dice.random() < 0.9 else "ok",
        )
        stage.must("throttled", f"api-{n}", "critical", minute=67)
        stage.must("timeouts", f"api-{n}", "critical", minute=65)
        for detector in ("near_timeout", "error_rate", "error_burst", "cost_burn"):
            stage.may(detector, f"api-{n}")
    for metric in ("ConcurrentExecutions", "ClaimedAccountConcurrency"):
        stage.series(ACCOUNT, metric, "Maximum", ramp(64, 67, 8, 1000))
    stage.must("quota_headroom", "concurrent executions", "critical", minute=67)
    stage.may("cost_burn", SCOPE.account)
    return stage.scene()


def images_expired() -> Scene:
    """A lifecycle policy keeps two images; a release of one function removes those of the others.

    The report: about 13 functions, "Lambda cannot initialize the provided container image". Assumed:
    three of them, the code of their state, callers that wait for an answer.
    https://github.com/terraform-aws-modules/terraform-aws-lambda/issues/377
    """
    stage = Stage("images-expired", "A policy of the registry removed the images of functions in use")
    released = stage.function("orders", package_type="Image")
    stage.change(released, 64, code_sha256="b")
    stage.traffic(released, flat(30))
    words = "Lambda cannot initialize the provided container image. Verify the image."
    for name in ("invoices", "mails", "reports"):
        broken = stage.function(name, package_type="Image")
        stage.traffic(broken, step(65, 12, 0))
        state = FunctionState("Inactive", "InvalidImage", words)
        stage.post(72, ev.StatesObserved(SCOPE, 0.0, ((broken, state),)))
        stage.must("not_invocable", name, "critical", minute=72)
    return stage.scene()


def key_denied() -> Scene:
    """A role lost the right to decrypt a function's variables: it does not start, and logs nothing.

    The report: termination hooks that no longer start, `kms:Decrypt` not allowed. Assumed: two events a
    minute, which Lambda keeps and tries again for up to six hours.
    https://github.com/cattle-ops/terraform-aws-gitlab-runner/pull/1253
    """
    stage = Stage("hook-without-key", "A function may not decrypt its variables; its events wait")
    hook = stage.function("terminate-instances")
    pushed(stage, hook, "eventbridge", arn("events", "rule/instance-terminating"))
    stage.traffic(hook, step(64, 2, 0))
    stage.sums(hook, AsyncEventsReceived=flat(2))
    stage.series(hook, "AsyncEventAge", "Maximum", lambda m: 40.0 if m < 64 else 60_000.0 * (m - 63))
    stage.must("async_backlog", "terminate-instances", minute=66)
    stage.may("not_invocable", "terminate-instances")
    return stage.scene()


def silent_since_deployment() -> Scene:
    """The key grant names a role that was made anew: S3 and SNS events are refused in complete silence.

    The report: two functions, no log line, found by hand. Assumed: 30 events a minute, whose age Lambda
    does not publish while it cannot start the function.
    https://github.com/aws/chalice/issues/1103
    """
    stage = Stage("silent-since-deployment", "Two functions do not start since a deployment, and say nothing")
    for name, kind in (("on-upload", "s3"), ("on-topic", "sns")):
        function = stage.function(name)
        stage.change(function, 65, code_sha256="b")
        pushed(stage, function, kind, arn(kind, "uploads"))
        stage.traffic(function, step(65, 30, 0))
        stage.sums(function, AsyncEventsReceived=flat(30))
        stage.must("not_invocable", name, minute=65)
    return stage.scene()


def no_connection_left() -> Scene:
    """A burst of a queue opens more database connections than there are.

    The report: "remaining connection slots are reserved …", Aurora, a spike of a queue. Assumed: 600 runs
    a minute of which a third fails, from minute 64 to 76.
    https://github.com/spreaker/poduptime/issues/20
    """
    stage = Stage("no-connection-left", "A burst of a queue uses up the connections of a database")
    archive = stage.function("archive-database", runtime="nodejs18.x")
    queue = stage.queue("episodes", stage.queue("episodes-dlq"), receives=10)
    stage.mapping("episodes", archive, batch_size=1)
    busy: Curve = step(64, 20, 600, 76)
    stage.traffic(archive, busy, errors=step(64, 0.0, 0.33, 76), duration_ms=flat(2500))
    stage.flow(queue, step(64, 20, 600, 72), busy, step(64, 20, 400, 76))
    stage.depth(
        queue, lambda m: 2.0 if not 64 <= m < 76 else 200.0 * min(m - 63, 76 - m), step(64, 1, 90, 76)
    )
    words = (
        '{"errorType":"error","errorMessage":"remaining connection slots are reserved for non-replication '
        'superuser and rds_superuser connections","code":"53300"}'
    )
    stage.executions(
        archive,
        step(64, 4, 40, 76),
        outcome=lambda m, dice: "error" if 64 <= m < 76 and dice.random() < 0.33 else "ok",
        said=lambda ended, dice: (
            (f"{uuid(dice)}\tERROR\tInvoke Error \t{words}",) if ended == "error" else ()
        ),
    )
    stage.must("error_rate", "archive-database", "critical", minute=64)
    stage.may("error_burst")
    stage.may("sqs_redelivery", "episodes")
    stage.may("queue_backlog", "episodes")
    stage.may("cost_burn")
    stage.may("traffic_burst")
    return stage.scene()


def database_spiral() -> Scene:
    """Requests that miss the cache slow a small database down, and it does not recover while they come.

    The report: 38 requests a second, down for 33 minutes, a database of two cores. Assumed: a timeout of
    15 s that nine of ten requests meet.
    https://github.com/NASA-IMPACT/veda-backend/pull/649
    """
    stage = Stage("database-spiral", "A database of two cores: nine of ten requests time out for 33 minutes")
    raster = stage.function("raster-api", memory_mb=8000, timeout_s=15)
    stage.traffic(
        raster,
        step(62, 240, 2280),
        errors=step(62, 0.002, 0.9),
        duration_ms=step(62, 400, 14_000),
        concurrency=step(62, 3, 560),
    )
    stage.executions(
        raster,
        flat(30),
        new_text,
        lambda m, dice: "timeout" if m >= 62 and dice.random() < 0.9 else "ok",
        duration_ms=400,
        used_mb=900,
    )
    stage.must("timeouts", "raster-api", "critical", minute=62)
    stage.must("error_rate", "raster-api", "critical", minute=62)
    stage.must("near_timeout", "raster-api", "critical", minute=62)
    stage.may("error_burst")
    stage.may("cost_burn")
    stage.may("cold_start_burst")
    return stage.scene()


SCENES = (
    missing_module,
    extension_crashes,
    init_takes_ten_seconds,
    telemetry_is_down,
    images_expired,
    key_denied,
    silent_since_deployment,
    no_connection_left,
    database_spiral,
)
