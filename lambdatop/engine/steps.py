"""Plans in steps: one after the other, each waiting for what the one before it was to bring about."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from lambdatop.domain.plan import Plan, State, Wait, shows
from lambdatop.domain.ports import Clock, Reader, Result
from lambdatop.domain.values import dataclass
from lambdatop.engine.clock import wait_at_most
from lambdatop.engine.settle import look

LOOK_EVERY_S = 5.0
HALF = 0.5
CLEAR_LOOKS = 12
"""Looks without a problem, a minute of them: a blocked shard is tried again at least that often."""

CarryOut = Callable[[Plan], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Course:
    """Carries out the steps of a plan. `closing` ends every wait: what is not begun then is not sent."""

    clock: Clock
    reader: Reader
    closing: asyncio.Event
    carry_out: CarryOut

    async def run(self, plan: Plan) -> Result:
        """All steps, or up to the first that is not applied or whose wait is in vain."""
        done: list[Result] = []
        for step in plan.steps:
            watch = Watch(self.reader, step, step.wait or Wait("", 0.0))
            await watch.begin()
            result = await self.carry_out(step)
            done.append(result)
            if result.kind != "applied":
                return _ended(plan, done, result)
            missing = await self._missing(watch) if step.wait else ""
            if missing:
                return _ended(plan, done, Result("not-sent", f"Nothing further was sent: {missing}."))
        words = f"Done: {plan.title}. " + " ".join(r.message for r in done)
        return replace(done[-1], message=words, steps=tuple(done))

    async def _missing(self, watch: Watch) -> str:
        """Wait for what the step was to bring about; what did not come, "" when it did."""
        wait = watch.wait
        end = self.clock.monotonic() + wait.for_s
        while not await watch.come():
            left = end - self.clock.monotonic()
            if left <= 0:
                return f"waited {wait.for_s:.0f} s {wait.words}, in vain"
            if await wait_at_most(self.clock, self.closing, min(LOOK_EVERY_S, left)):
                return f"lambdatop was closing while it waited {wait.words}"
        return ""


def _ended(plan: Plan, done: list[Result], last: Result) -> Result:
    applied = sum(r.kind == "applied" for r in done)
    words = f"{applied} of {len(plan.steps)} steps are done"
    if applied:
        words += " and stand in the journal, where each can be undone"
    return replace(last, message=f"{words}. {last.message}", steps=tuple(done))


@dataclass(slots=True)
class Watch:
    """Looks at a step's target until what it waits for has come."""

    reader: Reader
    step: Plan
    wait: Wait
    first: float | None = None
    clear: int = 0

    async def begin(self) -> None:
        """Before the step: how much of what is to fall there is."""
        if self.wait.falls:
            self.first = _number(await self._fields(), self.wait.falls)

    async def come(self) -> bool:
        """One look."""
        if not self.wait.falls:
            seen = await look(self.reader, self.step.target.key, self.step.after)
            return seen.state is not None and shows(seen.state, self.step.after)
        fields = await self._fields()
        self.clear = self.clear + 1 if fields.get(self.wait.clears) == "" else 0
        now = _number(fields, self.wait.falls)
        fallen = now is not None and self.first is not None and now <= HALF * self.first
        return fallen or self.clear > CLEAR_LOOKS

    async def _fields(self) -> State:
        names = (self.wait.falls, self.wait.clears) if self.wait.clears else (self.wait.falls,)
        return (await look(self.reader, self.step.target.key, names)).state or {}


def _number(state: State, field: str) -> float | None:
    value = state.get(field)
    return float(value) if isinstance(value, (int, float)) else None
