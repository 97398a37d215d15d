"""Carry out plans in steps: group after group, each after the condition that the one before waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from lambdatop.domain.plans.plan import Plan, State, Wait, shows
from lambdatop.domain.ports.aws import Reader
from lambdatop.domain.ports.console import Result
from lambdatop.domain.ports.runtime import Clock
from lambdatop.engine.clock import wait_at_most
from lambdatop.engine.mutating.read_back import read_fields

CHECK_EVERY_S = 5.0
HALF = 0.5
AGE_ERROR_S = 60.0
"""An age is told of a minute and counted from its beginning: up to so much of it may not be true."""
CLEAR_CHECKS = 12
"""Checks without a problem, a minute of them: a blocked shard is tried again at least that often."""


class Ground(Protocol):
    """The connection on which a plan in steps goes on."""

    @property
    def reader(self) -> Reader:
        """Reads what is waited for."""

    async def step(self, whole: Plan, part: Plan) -> Result:
        """Carry out one step of a plan that was confirmed as a whole."""


NotBegun = Callable[[Plan, Plan, str], Awaitable[None]]
"""Writes into the journal that a step (the second) of a plan (the first) was not begun, and why."""


class Course(Struct, frozen=True):
    """Carries out the steps of a plan. `closing` ends every wait: steps that have not begun are not sent.

    `ground` gives the connection of the moment, or the words why there is none on which the plan may go on.
    """

    clock: Clock
    closing: asyncio.Event
    ground: Callable[[], Ground | str]
    not_begun: NotBegun

    async def run(self, plan: Plan) -> Result:
        """Run all steps, or up to the first group with a step that is not applied or whose wait fails."""
        done: list[Result] = []
        for group in side_by_side(plan.steps):
            watches = [Watch(step, step.wait) for step in group if step.wait]
            ended = await self._group(plan, group, watches, done)
            if ended is not None:
                return await self._end(plan, done, ended)
        words = f"Done: {plan.title}. " + " ".join(r.message for r in done)
        return replace(done[-1], message=words, steps=tuple(done))

    async def _group(
        self, plan: Plan, group: Sequence[Plan], watches: Sequence[Watch], done: list[Result]
    ) -> Result | None:
        """Carry out steps beside each other and wait for all; how it ended where the plan cannot go on."""
        ground = self.ground()
        if isinstance(ground, str):
            return Result("not-sent", f"Nothing further was sent: {ground}.")
        await asyncio.gather(*(watch.begin(ground.reader) for watch in watches))
        results = await asyncio.gather(*(ground.step(plan, step) for step in group))
        done += results
        failed = [(s, r) for s, r in zip(group, results, strict=True) if r.kind != "applied"]
        if failed:
            # Named by its step: "nothing was changed" is said of that one alone.
            words = " ".join(f"{step.title}: {r.message}" for step, r in failed)
            gravest = next((r for _, r in failed if r.kind == "unknown"), failed[0][1])
            return replace(gravest, message=words)
        missing = await self._missing(watches) if watches else ""
        return Result("not-sent", f"Nothing further was sent: {missing}.") if missing else None

    async def _missing(self, watches: Sequence[Watch]) -> str:
        """Wait for what the steps were to bring about; what did not come, "" when all of it did."""
        waiting = list(watches)
        for_s = max(watch.wait.for_s for watch in watches)
        end = self.clock.monotonic() + for_s
        while True:
            ground = self.ground()
            if isinstance(ground, str):
                return f"while it waited {_words(waiting)}, {ground}"
            come = await asyncio.gather(*(watch.come(ground.reader) for watch in waiting))
            waiting = [watch for watch, there in zip(waiting, come, strict=True) if not there]
            if not waiting:
                return ""
            left = end - self.clock.monotonic()
            if left <= 0:
                unread = next((f" (last: {w.error.rstrip('.')})" for w in waiting if w.error), "")
                return f"waited {for_s:.0f} s {_words(waiting)}, in vain{unread}"
            if await wait_at_most(self.clock, self.closing, min(CHECK_EVERY_S, left)):
                return f"lambdatop was closing while it waited {_words(waiting)}"

    async def _end(self, plan: Plan, done: list[Result], last: Result) -> Result:
        """Write down what was not begun, and say what was done, what was not, and what can be done now."""
        for step, result in zip(plan.steps, done, strict=False):
            if result.entry is None:
                await self.not_begun(plan, step, result.message)
        rest = plan.steps[len(done) :]
        for step in rest:
            await self.not_begun(plan, step, last.message)
        applied = [s for s, r in zip(plan.steps, done, strict=False) if r.kind == "applied"]
        undoable = [step for step in applied if step.undo is not None]
        words = [f"{len(applied)} of {len(plan.steps)} steps are done{_way_back(applied, undoable)}."]
        words.append(last.message)
        if applied and rest:
            words.append(f"Not begun: {'; '.join(step.title for step in rest)}.")
        if undoable and rest:
            words.append(f"What was done stays until you undo it (lambdatop undo {undoable[-1].id}).")
        return replace(last, message=" ".join(words), steps=tuple(done))


def _way_back(applied: Sequence[Plan], undoable: Sequence[Plan]) -> str:
    """Return where applied steps are found, and which of them can be undone; "" for none."""
    if not applied:
        return ""
    if len(undoable) == len(applied):
        return " and stand in the journal, where each can be undone"
    final = "; ".join(step.title for step in applied if step.undo is None)
    rest = ", where the others can be undone" if undoable else ""
    return f" and stand in the journal{rest}. No undo takes back: {final}"


def _words(waiting: Sequence[Watch]) -> str:
    return ", ".join(dict.fromkeys(watch.wait.words for watch in waiting))


def side_by_side(steps: Sequence[Plan]) -> list[tuple[Plan, ...]]:
    """Return the steps in groups.

    Those of one are sent without waiting for each other, then all are waited for.
    """
    groups: list[tuple[Plan, ...]] = []
    group: tuple[Plan, ...] = ()
    for step in steps:
        group = (*group, step)
        if step.wait is None or not step.wait.with_next:
            groups.append(group)
            group = ()
    return [*groups, group] if group else groups


@dataclass(slots=True)
class Watch:
    """Reads a step's target until what it waits for has come; `error` is why the last read failed."""

    step: Plan
    wait: Wait
    first: float | None = None
    clear: int = 0
    error: str = ""

    async def begin(self, reader: Reader) -> None:
        """Read, before the step, how much there is of what is to fall."""
        if self.wait.falls:
            self.first = _number(await self._fields(reader), self.wait.falls)

    async def come(self, reader: Reader) -> bool:
        """Read once; return whether the wait is over."""
        if not self.wait.falls:
            seen = await read_fields(reader, self.step.target.key, self.step.after)
            self.error = seen.error
            return seen.state is not None and shows(seen.state, self.step.after)
        fields = await self._fields(reader)
        self.clear = self.clear + 1 if fields.get(self.wait.clears) == "" else 0
        now = _number(fields, self.wait.falls)
        fallen = now is not None and self.first is not None and now <= HALF * (self.first - AGE_ERROR_S)
        return fallen or self.clear > CLEAR_CHECKS

    async def _fields(self, reader: Reader) -> State:
        names = (self.wait.falls, self.wait.clears) if self.wait.clears else (self.wait.falls,)
        seen = await read_fields(reader, self.step.target.key, names)
        self.error = seen.error
        return seen.state or {}


def _number(state: State, field: str) -> float | None:
    value = state.get(field)
    return float(value) if isinstance(value, (int, float)) else None
