"""Published incidents of limits: memory, files, payloads, timeouts, concurrency."""

from __future__ import annotations

from random import Random

from scenes.curves import ACCOUNT, Curve, flat, ramp, step, when
from scenes.lines import Execution, json_lines, new_text, old_text, stream_name, uuid
from scenes.pushes import pushed
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.facts.function import AccountFacts
from lambdatop.domain.facts.quota_limits import Provisioned
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev


def full_memory_times_out() -> Scene:
    """All memory is used and then the timeout comes: memory is the cause.

    The report: 192 of 192 MB with `Status: timeout` after 180 s. Assumed: 40 % of 30 runs a minute, a
    timeout of 30 s.
    https://github.com/DataDog/datadog-lambda-extension/issues/1237
    """
    stage = Stage("oom-as-timeout", "Runs that use all of their memory and then time out")
    job = stage.function("export-job", memory_mb=192, timeout_s=30)
    stage.traffic(job, flat(30), errors=step(66, 0.0, 0.4), duration_ms=step(66, 4000, 16_000))
    stage.executions(
        job,
        flat(8),
        old_text,
        lambda minute, dice: "timeout" if minute >= 66 and dice.random() < 0.4 else "ok",
        duration_ms=4000,
        used_mb=192,
    )
    stage.must("memory_pressure", "export-job", minute=66)
    stage.must("error_rate", "export-job", minute=66)
    stage.may("timeouts")
    stage.may("near_timeout")
    stage.may("error_burst")
    stage.may("cost_burn")
    return stage.scene()


def extension_fills_memory() -> Scene:
    """An extension leaks until the memory is full; then it holds finished invocations until their timeout.

    The report: 2,048 MB, a timeout of 120 s, 400,000 to 800,000 invocations a day, done in some hundred
    ms. Assumed: 3 % of 400 a minute from minute 66 on.
    https://github.com/axiomhq/axiom-lambda-extension/issues/48
    """
    stage = Stage(
        "extension-fills-memory", "A leak of an extension: full memory, then timeouts of two minutes"
    )
    api = stage.function("events-api", runtime="nodejs22.x", memory_mb=2048, timeout_s=120, log_format="JSON")
    stage.traffic(api, flat(400), errors=step(66, 0.0, 0.03), duration_ms=step(66, 300, 3900))
    for minute in range(66, 90):
        stage.point(api, "Duration", "Maximum", minute, 120_000)
    hung: Curve = step(66, 0, 0.03)
    stage.executions(
        api,
        flat(40),
        json_lines,
        lambda minute, dice: "timeout" if dice.random() < hung(minute) else "ok",
        duration_ms=300,
        used_mb=2048,
    )
    stage.must("memory_pressure", "events-api", "info", minute=60)
    stage.must("timeouts", "events-api", minute=66)
    stage.must("near_timeout", "events-api", minute=66)
    stage.may("error_rate")
    stage.may("error_burst")
    stage.may("cost_burn")
    return stage.scene()


def leak_since_release() -> Scene:
    """A new runtime version leaks: each environment grows until its process is killed.

    The report: since a deployment at 12:43, from .NET Core 2.0 to 2.1. Assumed: 512 MB, six minutes for
    each 80 MB, a twelfth of the runs killed in the end.
    https://github.com/aws/aws-lambda-dotnet/issues/336
    """
    stage = Stage("leak-since-release", "Memory grows since a deployment until processes are killed")
    trigger = stage.function("dynamodb-trigger", runtime="dotnetcore2.0", memory_mb=512)
    stage.change(trigger, 60.5, runtime="dotnetcore2.1", code_sha256="b")
    stage.traffic(trigger, flat(60), errors=step(84, 0.0, 0.08), duration_ms=flat(150))
    dice, name = Random("leak"), stream_name(Random("leak"))
    for n in range(50 * 6, 90 * 6):
        minute = n / 6
        used = 110 if minute < 61 else min(512, round(110 + 80 * (minute - 61) / 6))
        killed = minute >= 84 and n % 12 == 0
        run = Execution(
            when(minute), uuid(dice), name, 150, 512, 512 if killed else used, "oom" if killed else "ok"
        )
        stage.say(trigger, old_text(run))
    stage.must("memory_pressure", "dynamodb-trigger", minute=87)
    stage.may("error_rate")
    stage.may("error_burst")
    stage.may("recent_change")
    stage.may("resource_limit")
    return stage.scene()


def thrice_in_vain() -> Scene:
    """One event needs more memory than there is; Lambda tries it three times, each time in vain.

    The report: 6,000 of 6,000 MB after 6 s, three runs. Assumed: retries after 1 and 2 minutes (AWS's
    defaults), no other event in this hour.
    https://github.com/domino14/macondo/issues/294
    """
    stage = Stage("thrice-in-vain", "One event runs out of 6,000 MB, three times")
    bot = stage.function("bestbot", runtime="provided.al2", memory_mb=6000, timeout_s=60)
    pushed(stage, bot, "sns", "arn:aws:sns:eu-central-1:111122223333:bot-requests")
    dice, request = Random("bot"), uuid(Random("bot"))
    for minute in (66, 67, 69):
        for metric, value in (("Invocations", 1), ("Errors", 1)):
            stage.point(bot, metric, "Sum", minute, value)
        stage.point(bot, "Duration", "Maximum", minute, 6083)
        run = Execution(when(minute) + 5, request, stream_name(dice), 6083, 6000, 6000, "oom")
        stage.say(bot, old_text(run))
    stage.sums(bot, AsyncEventsReceived=lambda m: 1.0 if m == 66 else 0.0)
    stage.must("memory_pressure", "bestbot", "critical", minute=66)
    stage.may("resource_limit", "bestbot")
    stage.may("async_loss", "bestbot")
    return stage.scene()


def seven_an_hour() -> Scene:
    """A query over many rows makes some requests time out, seven in an hour.

    The report: 7 in the last hour, 30.27 s. Assumed: 20 requests a minute, the seven spread evenly.
    https://github.com/praetorian-inc/chariot-ui/issues/166
    """
    stage = Stage("seven-an-hour", "Seven requests of an hour time out, far from each other")
    api = stage.function("my-function", runtime="provided.al2023", timeout_s=30, memory_mb=512)
    slow = tuple(range(32, 90, 8))
    stage.traffic(api, flat(20), errors=lambda m: 0.05 if m in slow else 0.0, duration_ms=flat(300))
    for minute in slow:
        stage.point(api, "Duration", "Maximum", minute, 30_000)
    dice = Random("seven")
    stage.executions(api, flat(6), old_text, duration_ms=300)
    for minute in (m for m in slow if m >= 50):
        run = Execution(when(minute), uuid(dice), stream_name(dice), 30_270, 512, 140, "timeout")
        stage.say(api, old_text(run))
    stage.must("timeouts", "my-function", minute=64)
    stage.may("near_timeout", "my-function")
    return stage.scene()


def unpacked_repositories() -> Scene:
    """A linter unpacks repositories into /tmp and never removes them: warm environments run full.

    The report: `ENOSPC: no space left on device, write`. Assumed: three runs a minute, every second fails.
    https://github.com/humanmade/linter-bot/issues/158
    """
    stage = Stage("unpacked-repositories", "/tmp of warm environments is full of old repositories")
    lint = stage.function("hm-linter", runtime="nodejs14.x", timeout_s=300, memory_mb=1024)
    stage.traffic(lint, flat(3), errors=step(65, 0.0, 0.5), duration_ms=flat(22_000))
    words = (
        '{"errorType":"Error","errorMessage":"ENOSPC: no space left on device, write","code":"ENOSPC",'
        '"errno":-28,"syscall":"write","stack":["Error: ENOSPC: no space left on device, write"]}'
    )
    stage.executions(
        lint,
        flat(3),
        outcome=lambda m, dice: "error" if m >= 65 and dice.random() < 0.5 else "ok",
        said=lambda ended, dice: (
            (f"{uuid(dice)}\tERROR\tUncaught Exception \t{words}",) if ended == "error" else ()
        ),
        duration_ms=22_000,
        used_mb=400,
    )
    stage.must("resource_limit", "hm-linter", minute=65)
    stage.may("error_rate")
    stage.may("error_burst")
    return stage.scene()


def browser_profiles() -> Scene:
    """Each run of a headless browser leaves its profile in /tmp: 80 %, 93 %, full.

    The report: df prints 818 and then 947 of 1,100 MB, 8,192 MB of memory. Assumed: what the browser says
    when it is full, one of nine runs.
    https://github.com/Sparticuz/chromium/issues/231
    """
    stage = Stage("browser-profiles", "A headless browser fills /tmp within nine runs")
    shot = stage.function("screenshot", runtime="nodejs20.x", memory_mb=8192, timeout_s=30)
    stage.traffic(shot, flat(18), errors=step(66, 0.0, 1 / 9), duration_ms=flat(900))
    dice, name = Random("profiles"), ""
    for n in range(50 * 18, 90 * 18):
        at, place = when(n / 18), n % 9
        if place == 0:
            name = stream_name(dice)
        full = place == 8 and n >= 66 * 18
        used = f"/dev/vdd        1.1G  {122 * place}M  {1100 - 122 * place}M  {11 * place}% /tmp"
        said = (
            ("Error: ENOSPC: no space left on device, mkdtemp '/tmp/puppeteer_dev_chrome_profile-x'",)
            if full
            else ("Response status: 200 Google", used)
        )
        run = Execution(at, uuid(dice), name, 900, 8192, 1217, "error" if full else "ok", None, said)
        stage.say(shot, new_text(run))
    stage.must("resource_limit", "screenshot", minute=66)
    stage.may("error_rate")
    stage.may("error_burst")
    return stage.scene()


def sockets_at_once() -> Scene:
    """503 requests at once, of which 93 find no file descriptor for a socket.

    The report: about 503 at once, 93 failed with `getaddrinfo EMFILE`. Assumed: in one minute, eleven
    requests a minute before and after.
    https://github.com/aws/aws-sdk-js-v3/issues/5273
    """
    stage = Stage("sockets-at-once", "93 of 503 simultaneous requests fail for want of file descriptors")
    query = stage.function("query-table", runtime="nodejs18.x", memory_mb=512)
    stage.traffic(
        query,
        lambda m: 503.0 if m == 68 else 11.0,
        errors=lambda m: 0.185 if m == 68 else 0.0,
        duration_ms=flat(800),
        concurrency=lambda m: 503.0 if m == 68 else 2.0,
    )
    words = (
        '{"errorType":"Error","errorMessage":"getaddrinfo EMFILE dynamodb.us-east-1.amazonaws.com",'
        '"code":"EMFILE","errno":-24}'
    )
    stage.executions(
        query,
        lambda m: 200.0 if m == 68 else 6.0,
        outcome=lambda m, dice: "error" if m == 68 and dice.random() < 0.185 else "ok",
        said=lambda ended, dice: (
            (f"{uuid(dice)}\tERROR\tInvoke Error \t{words}",) if ended == "error" else ()
        ),
    )
    stage.must("resource_limit", "query-table", minute=68)
    stage.must("error_rate", "query-table", minute=68)
    stage.may("error_burst")
    stage.may("cold_start_burst")
    stage.may("cost_burn")
    return stage.scene()


def list_of_everything() -> Scene:
    """The answer to one request grows beyond 6 MB: the handler logs 200, and the runtime fails to send it.

    The report: 6,291,556 bytes at most, everything from 460 of 464 datasets on fails. Assumed: one of 30
    requests asks for all.
    https://github.com/DataBiosphere/azul/issues/8258
    """
    stage = Stage("list-of-everything", "Requests for the whole list exceed the response limit")
    service = stage.function("azul-service", memory_mb=2048, timeout_s=31)
    stage.traffic(service, flat(60), errors=step(62, 0.0, 1 / 30), duration_ms=flat(900))
    words = (
        "[ERROR] [LAMBDA_RUNTIME] Failed to post handler success response. Http response code: 413. "
        '{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).",'
        '"errorType":"RequestEntityTooLarge"}'
    )
    stage.executions(
        service,
        flat(60),
        outcome=lambda m, dice: "error" if m >= 62 and dice.random() < 1 / 30 else "ok",
        said=lambda ended, dice: (
            ("Returning 200 response", words) if ended == "error" else ("Returning 200 response",)
        ),
        duration_ms=900,
    )
    stage.must("resource_limit", "azul-service", minute=62)
    stage.may("error_rate")
    stage.may("error_burst")
    return stage.scene()


def four_of_twenty_five() -> Scene:
    """A client sends 25 requests within two seconds to a function that may run four at once.

    The report: reserved concurrency 4, 4 throttles of about 25, the API answered 503. Assumed: 3 requests
    a minute besides.
    https://github.com/kirill-markin/flashcards-open-source-app/pull/1922
    """
    stage = Stage("four-of-twenty-five", "Four of 25 simultaneous requests are refused by a reservation of 4")
    mcp = stage.function("mcp-handler", reserved=4)
    stage.traffic(
        mcp,
        lambda m: 21.0 if m == 66 else 3.0,
        duration_ms=flat(300),
        concurrency=lambda m: 4.0 if m == 66 else 1.0,
    )
    stage.point(mcp, "Throttles", "Sum", 66, 4)
    stage.must("throttled", "mcp-handler", minute=66, evidence=(("limit", "reserved"),))
    stage.may("quota_headroom")
    return stage.scene()


def twenty_thousand_at_once() -> Scene:
    """A scale test of a state machine runs into the account's limit of 20,000.

    The report: `Lambda.TooManyRequestsException`, a limit of 20,000. Assumed: rates and durations.
    https://github.com/HumanCellAtlas/data-store/issues/1118
    """
    stage = Stage("twenty-thousand-at-once", "A state machine uses up 20,000 environments")
    stage.account = AccountFacts(20_000, 19_900, 300 << 30, 5 << 30, 40)
    copy = stage.function("dss-scalability-test", timeout_s=300)
    stage.traffic(
        copy,
        ramp(60, 72, 2000, 40_000),
        duration_ms=flat(29_000),
        throttles=step(72, 0, 5000),
        concurrency=ramp(60, 72, 1000, 19_900),
    )
    for metric in ("ConcurrentExecutions", "ClaimedAccountConcurrency"):
        stage.series(ACCOUNT, metric, "Maximum", ramp(60, 72, 1100, 20_000))
    stage.must(
        "throttled", "dss-scalability-test", "critical", minute=72, evidence=(("limit", "account pool"),)
    )
    stage.must("quota_headroom", "concurrent executions", "critical", minute=71)
    stage.may("cost_burn")
    return stage.scene()


def spills_over() -> Scene:
    """500 provisioned environments at 28 % of use, and a third of the requests runs elsewhere.

    The report: 427,698 invocations, of which 127,194 spill over, 28.5 %. Assumed: a minute's worth, and
    100,000 a minute before.
    https://repost.aws/questions/QUcokiH6lITPSP5SxILk1VKg/lambda-provisioned-concurrency-metrics
    """
    stage = Stage("spillover", "Short requests spill over although most provisioned environments are free")
    api = stage.function("auth-api", timeout_s=3)
    stage.traffic(api, step(62, 100_000, 427_698), duration_ms=flat(20), concurrency=step(62, 60, 142))
    alias = Key(api.scope, "alias", "auth-api:live")
    ready = (Provisioned("live", 500, 500, 500, "READY"),)
    stage.post(59.9, ev.ProvisionedObserved(api.scope, 0.0, ((api, ready),)))
    stage.sums(
        alias,
        ProvisionedConcurrencyInvocations=step(62, 100_000, 300_504),
        ProvisionedConcurrencySpilloverInvocations=step(62, 0, 127_194),
    )
    stage.series(alias, "ProvisionedConcurrencyUtilization", "Maximum", step(62, 0.12, 0.285))
    stage.must("provisioned_spillover", "auth-api:live", minute=62)
    stage.may("cost_burn")
    return stage.scene()


SCENES = (
    full_memory_times_out,
    extension_fills_memory,
    leak_since_release,
    thrice_in_vain,
    seven_an_hour,
    unpacked_repositories,
    browser_profiles,
    sockets_at_once,
    list_of_everything,
    four_of_twenty_five,
    twenty_thousand_at_once,
    spills_over,
)
