"""Functions that are invoked by events: who sends them, and Lambda's own queue before them."""

from __future__ import annotations

from scenes.curves import Curve, flat
from scenes.stage import Stage

from lambdatop.domain.facts.triggers import AsyncConfig, FunctionTriggers, PushTrigger
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev


def pushed(stage: Stage, function: Key, kind: str, source: str, invocation: str = "push async") -> None:
    """Add what invokes a function, as its resource policy tells it; it retries twice, for 6 hours at most."""
    trigger = PushTrigger(kind, invocation, source, f"{kind}.amazonaws.com")  # type: ignore[arg-type]
    told = FunctionTriggers(function, AsyncConfig(2, 21_600), (trigger,), "Terminate")
    stage.post(59.9, ev.TriggersObserved(function.scope, 0.0, (told,)))


def received(stage: Stage, function: Key, rate: Curve, attempts: Curve | None = None) -> None:
    """Add Lambda's own queue: events a minute, at most 40 ms old, each tried once unless `attempts` tells."""
    stage.sums(function, AsyncEventsReceived=rate)
    stage.series(function, "AsyncEventAge", "Maximum", flat(40))
    if attempts is not None:
        stage.series(function, "AsyncEventAge", "SampleCount", attempts)
