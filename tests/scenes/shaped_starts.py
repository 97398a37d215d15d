"""Environments: cold starts that nothing explains, environments that never serve, and provisioned ones."""

from __future__ import annotations

from random import Random

from scenes.curves import flat, step, when
from scenes.lines import Execution, Raw, new_text, stream_name, uuid
from scenes.scene import Scene
from scenes.stage import Stage

INIT = "INIT_START Runtime Version: python:3.13.v41\tRuntime Version ARN: arn:aws:lambda:x::runtime:0"


def cold_burst() -> Scene:
    """Environments are thrown away after a few requests: no deployment, no more traffic than before."""
    stage = Stage("cold-burst", "Half of the requests start cold, without a deployment or more traffic")
    api = stage.function("quote-api")
    stage.traffic(api, flat(60), errors=flat(0.004))
    stage.executions(api, flat(25), fresh=step(66, 0.01, 0.5))
    calm = stage.function("price-api")
    stage.traffic(calm, flat(60), errors=flat(0.004))
    stage.executions(calm, flat(25), fresh=flat(0.02))
    stage.must("cold_start_burst", "quote-api", minute=66)
    return stage.scene()


def reserved_one() -> Scene:
    """Lambda prepares a second environment; it takes the only connection, and the first one fails."""
    stage = Stage("reserved-one-shaped", "Reserved concurrency 1: an idle environment holds the connection")
    writer = stage.function("ledger-writer", reserved=1, timeout_s=10)
    stage.traffic(writer, flat(12), errors=step(70, 0.0, 0.8), concurrency=flat(1))
    refused = "[ERROR] OperationalError: exclusive connection refused: held by another session"
    dice, lines = Random("reserved-one"), list[Raw]()
    first, second = stream_name(dice), stream_name(dice)
    lines.append((when(70), second, INIT))
    for minute in range(50, 90):
        for k in range(3):
            bad = minute >= 70 and k < 2
            cold = 310.5 if minute == 50 and k == 0 else None
            at = when(minute + k / 3) + 1
            said = (refused,) if bad else ()
            ended = "error" if bad else "ok"
            lines += new_text(Execution(at, uuid(dice), first, 90, 256, 80, ended, cold, said))
    stage.say(writer, lines)
    stage.must("proactive_init", "ledger-writer", minute=70)
    stage.must("error_rate", "ledger-writer", "critical", minute=70)
    stage.may("error_burst", "ledger-writer")
    return stage.scene()


def provisioned() -> Scene:
    """Provisioned concurrency: environments initialise in the background, long before any request."""
    stage = Stage("provisioned", "Provisioned environments initialise ahead of requests and are recycled")
    api = stage.function("checkout-api", reserved=5)
    stage.traffic(api, flat(60), errors=flat(0.003))
    stage.executions(api, flat(20))
    dice, lines = Random("provisioned"), list[Raw]()
    for minute in range(52, 90, 4):
        stream = stream_name(dice)
        lines.append((when(minute), stream, INIT))
        lines.append((when(minute) + 0.8, stream, "INIT_REPORT Init Duration: 780.12 ms"))
        lines += new_text(Execution(when(minute + 2.5), uuid(dice), stream, 100, 256, 90))
    stage.say(api, lines)
    stage.never("cold_start_burst")
    return stage.scene()


SCENES = (cold_burst, reserved_one, provisioned)
