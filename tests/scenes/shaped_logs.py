"""What only the log tells: timeouts and lost memory in three formats, limits, storms, deployments."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from scenes.curves import SCOPE, flat, step, when
from scenes.lines import Execution, failed_init, json_lines, new_text, old_text, stream_name, uuid
from scenes.scene import Scene
from scenes.stage import Stage

from lambdatop.domain.keys import Key


def json_logs() -> Scene:
    """Three functions that log JSON: one times out, one runs out of memory, one cannot start."""
    stage = Stage("json-logs", "JSON logs: timeouts, out of memory, failing initialisation")
    slow = stage.function("quote-api", timeout_s=5, log_format="JSON")
    fat = stage.function("report-builder", memory_mb=512, log_format="JSON")
    broken = stage.function("new-worker", log_format="JSON")
    fine = stage.function("price-api", log_format="JSON")
    stage.traffic(slow, flat(30), errors=step(66, 0, 0.4), duration_ms=step(66, 700, 3600))
    stage.executions(slow, flat(12), json_lines, _from(66, "timeout", 0.4), duration_ms=700)
    stage.traffic(fat, flat(30), errors=step(66, 0, 0.3), duration_ms=flat(2500))
    stage.executions(fat, flat(12), json_lines, _from(66, "oom", 0.3), duration_ms=2500, used_mb=300)
    stage.traffic(broken, flat(30), errors=step(66, 0, 1.0), duration_ms=flat(10))
    dice = Random("init")
    stage.say(
        broken,
        [r for m in range(66, 90) for k in range(4) for r in failed_init(when(m + k / 4), stream_name(dice))],
    )
    stage.traffic(fine, flat(200), errors=flat(0.003))
    stage.executions(fine, flat(12), json_lines, said=lambda ended, dice: ("priced 12 items",))
    stage.must("timeouts", "quote-api", minute=66)
    stage.must("memory_pressure", "report-builder", "critical", minute=66)
    for name in ("quote-api", "report-builder", "new-worker"):
        stage.must("error_rate", name, minute=66)
        stage.may("error_burst", name)
    stage.must("near_timeout", "quote-api", minute=66)
    stage.may("resource_limit", "report-builder")
    return stage.scene()


def _from(start: int, ended: str, share: float) -> Callable[[int, Random], str]:
    return lambda minute, dice: ended if minute >= start and dice.random() < share else "ok"


def text_logs() -> Scene:
    """The same in text: half of the account still writes the old style, half the new one."""
    stage = Stage("text-logs", "Old and new text logs: timeouts and memory killed in either")
    for style, name in ((old_text, "old"), (new_text, "new")):
        slow = stage.function(f"{name}-quotes", timeout_s=3)
        fat = stage.function(f"{name}-reports", memory_mb=256)
        stage.traffic(slow, flat(40), errors=step(65, 0, 0.3), duration_ms=step(65, 400, 2200))
        stage.executions(slow, flat(10), style, _from(65, "timeout", 0.3), duration_ms=400)
        stage.traffic(fat, flat(40), errors=step(65, 0, 0.3), duration_ms=flat(900))
        stage.executions(fat, flat(10), style, _from(65, "oom", 0.3), duration_ms=900, used_mb=150)
        stage.must("timeouts", f"{name}-quotes", minute=65)
        stage.must("near_timeout", f"{name}-quotes", minute=65)
        stage.must("memory_pressure", f"{name}-reports", "critical", minute=65)
        stage.must("error_rate", f"{name}-quotes", minute=65)
        stage.must("error_rate", f"{name}-reports", minute=65)
    stage.may("error_burst")
    stage.may("resource_limit")
    return stage.scene()


def hard_limits() -> Scene:
    """No space in /tmp, too many open files, a payload too large; and one that only talks of limits."""
    stage = Stage("hard-limits", "Limits by their wordings, and a line that only mentions one")
    words = {
        "zip-builder": "[ERROR] OSError: [Errno 28] No space left on device: '/tmp/export-17.zip'",
        "crawler": "Error: getaddrinfo EMFILE example.com\n    at GetAddrInfoReqWrap.onlookup",
        "fan-out": "[ERROR] RequestEntityTooLargeException: 1259520 byte payload is too large for Event",
    }
    for name, line in words.items():
        key = stage.function(name)
        stage.traffic(key, flat(30), errors=step(67, 0.0, 0.3))
        stage.executions(
            key, flat(8), new_text, _from(67, "error", 0.3),
            said=lambda ended, dice, line=line: (line,) if ended == "error" else (),  # type: ignore[misc]
        )  # fmt: skip
        stage.must("resource_limit", name, minute=67)
        stage.must("error_rate", name, minute=67)
        stage.may("error_burst", name)
    chatty = stage.function("limits-docs")
    stage.traffic(chatty, flat(30))
    stage.executions(
        chatty, flat(8), said=lambda ended, dice: ("order 41322 has 413 items, table spaces left: 3",)
    )
    stage.never("resource_limit", "limits-docs")
    return stage.scene()


def jvm() -> Scene:
    """A JVM and a Node function that fill their memory by design."""
    stage = Stage("jvm-memory", "A JVM at 97 % of its memory: by design")
    java = stage.function("java-orders", runtime="java21", memory_mb=1024)
    node = stage.function("node-render", runtime="nodejs22.x", memory_mb=512)
    python = stage.function("py-orders", memory_mb=1024)
    for key, used in ((java, 1000), (node, 490), (python, 400)):
        stage.traffic(key, flat(60), errors=flat(0.002))
        stage.executions(key, flat(10), used_mb=used)
    stage.must("memory_pressure", "java-orders", "info", at_most="info")
    stage.must("memory_pressure", "node-render", "info", at_most="info")
    return stage.scene()


def log_storm() -> Scene:
    """Somebody left debug logging on: forty times the bytes at the same traffic."""
    stage = Stage("log-storm", "Forty times the log bytes at the same traffic; a neighbour has more traffic")
    loud = stage.function("price-api")
    busy = stage.function("catalogue-api")
    stage.traffic(loud, flat(900))
    stage.traffic(busy, step(66, 400, 2600))
    for key, curve in ((loud, step(66, 900_000, 36e6)), (busy, step(66, 2.5e6, 16e6))):
        stage.sums(Key(SCOPE, "log group", f"/aws/lambda/{key.id}"), IncomingBytes=curve)
    stage.must("log_storm", "/aws/lambda/price-api", minute=66)
    stage.may("cost_burn", "price-api")
    return stage.scene()


def deployment() -> Scene:
    """A deployment: new environments, a third of the requests start cold for two minutes, and that is all."""
    stage = Stage("deployment", "A deployment with cold starts and nothing else")
    api = stage.function("checkout-api")
    stage.change(api, 66, code_sha256="b")
    stage.traffic(api, flat(120), errors=flat(0.004), duration_ms=lambda m: 95.0 if m in (66, 67) else 80.0)
    stage.executions(api, flat(30), fresh=step(66, 0.01, 0.5, 69))
    stage.never("recent_change")
    return stage.scene()


def bad_deployment() -> Scene:
    """The new version fails in a quarter of its requests; another function changed and is fine."""
    stage = Stage("bad-deployment", "A deployment whose version fails in a quarter of its requests")
    api = stage.function("checkout-api")
    other = stage.function("session-api")
    stage.change(api, 66, code_sha256="b")
    stage.change(other, 66.5, memory_mb=512)
    stage.traffic(api, flat(120), errors=step(66, 0.004, 0.26))
    stage.traffic(other, flat(90), errors=flat(0.006))
    stage.must("recent_change", "checkout-api", minute=66)
    stage.must("error_rate", "checkout-api", minute=66)
    stage.may("error_burst", "checkout-api")
    stage.never("recent_change", "session-api")
    return stage.scene()


def old_errors() -> Scene:
    """The errors began ten minutes before the deployment that was to mend them."""
    stage = Stage("late-deployment", "A deployment in the middle of an incident is not its cause")
    api = stage.function("checkout-api")
    stage.change(api, 74, code_sha256="b")
    stage.traffic(api, flat(120), errors=step(64, 0.004, 0.2))
    stage.must("error_rate", "checkout-api", minute=64)
    stage.may("error_burst", "checkout-api")
    stage.never("recent_change")
    return stage.scene()


def weighted_alias() -> Scene:
    """Two versions behind one alias, and durable executions: one request id starts again and again."""
    stage = Stage("weighted-alias", "Two versions behind an alias; a durable function that replays by design")
    api = stage.function("checkout-api")
    stage.traffic(api, flat(240), errors=flat(0.004))
    stage.executions(api, flat(20), version=lambda dice: "42" if dice.random() < 0.1 else "41")
    durable = stage.function("order-saga")
    stage.traffic(durable, flat(60), duration_ms=flat(40))
    dice, stream = Random("saga"), "2027/01/15/[7]0123456789abcdef0123456789abcdef"
    for minute in range(50, 90):
        request = uuid(dice)
        for replayed in range(6):
            run = Execution(when(minute + replayed / 6), request, stream, 40, 256, 80, version="7")
            stage.say(durable, new_text(run))
    stage.never("async_amplification")
    stage.never("suspected_loop")
    stage.never("poison_message")
    return stage.scene()


SCENES = (
    json_logs,
    text_logs,
    hard_limits,
    jvm,
    log_storm,
    deployment,
    bad_deployment,
    old_errors,
    weighted_alias,
)
