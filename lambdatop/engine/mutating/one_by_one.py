"""Carry out a plan that does the same to many things, one after the other at its pace.

None depends on another, so one that is refused does not end the rest. A thing that has ended by itself since
the plan was made is no failure: nothing is sent for it, and the journal says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.plans.unfinished import NOT_BEGUN, OVER
from lambdatop.domain.plans.wording import count
from lambdatop.domain.ports.console import Result, ResultKind
from lambdatop.domain.ports.runtime import Clock
from lambdatop.engine.clock import wait_at_most
from lambdatop.engine.mutating.composite import Ground
from lambdatop.engine.mutating.verdict import over_before, words

MOST_FAILURES = 3
"""Steps in a row that may fail: what all of them are refused for is not asked five hundred times."""
GRAVEST: tuple[ResultKind, ...] = ("unknown", "refused", "not-sent", "drift", "expired", "read-only")

WriteDown = Callable[[Plan, Plan, str], Awaitable[None]]
"""Writes into the journal how a step (the second) of a plan (the first) ended without a request."""


@dataclass(slots=True)
class Tally:
    """How the steps ended so far: every result, those that failed, and how many were over already."""

    results: list[Result] = field(default_factory=list)
    failed: list[tuple[Plan, Result]] = field(default_factory=list)
    over: int = 0
    in_a_row: int = 0

    @property
    def done(self) -> list[Result]:
        """The results of what was carried out."""
        return [result for result in self.results if result.kind == "applied"]


class OneByOne(Struct, frozen=True):
    """Carries out such a plan. Once `closing` is set, what has not begun is not sent.

    `ground` gives the connection of the moment, or the words why there is none on which the plan may go on.
    `not_sent` writes a step down for which nothing is sent, with the whole detail of its entry.
    """

    clock: Clock
    closing: asyncio.Event
    ground: Callable[[], Ground | str]
    not_sent: WriteDown

    async def run(self, plan: Plan) -> Result:
        """Run the steps to the last one, or until nothing may be sent or several in a row have failed."""
        tally, ended = Tally(), ""
        for step in plan.steps:
            begun = self.clock.monotonic()
            ended = await self._one(plan, step, tally)
            if ended:
                break
            left = plan.pace_s - (self.clock.monotonic() - begun)
            if step is not plan.steps[-1] and left > 0:
                await wait_at_most(self.clock, self.closing, left)
        rest = plan.steps[len(tally.results) :]
        if rest:
            # One entry is enough: the journal knows how many steps there were to be.
            await self.not_sent(plan, rest[0], f"{NOT_BEGUN}: {ended}")
        return _summary(plan, tally, len(rest), ended)

    async def _one(self, plan: Plan, step: Plan, tally: Tally) -> str:
        """Carry one step out; why no further one may begin, "" when it may."""
        ground = self.ground()
        if isinstance(ground, str):
            return ground
        if self.closing.is_set():
            return "lambdatop was closing"
        result = await ground.step(plan, step)
        over = _over(step, result)
        if over and result.entry is None:
            await self.not_sent(plan, step, f"{OVER}: {over}")
        if over:
            result = replace(result, kind="not-sent", message=f"It had ended before: {over}.")
            tally.over += 1
        tally.results.append(result)
        if over or result.kind == "applied":
            tally.in_a_row = 0
            return ""
        if result.entry is None:
            await self.not_sent(plan, step, f"{NOT_BEGUN}: {result.message}")
        tally.failed.append((step, result))
        tally.in_a_row += 1
        return f"{MOST_FAILURES} in a row failed" if tally.in_a_row >= MOST_FAILURES else ""


def _over(step: Plan, result: Result) -> str:
    """Return how the step's thing had ended before, "" when it had not or that is not known."""
    if result.kind == "drift":
        return words(result.now)
    return over_before(step.before, step.after, result.now)


def _summary(plan: Plan, tally: Tally, rest: int, ended: str) -> Result:
    done = tally.done
    parts = [f"{len(done)} of {len(plan.steps)} done"]
    if tally.over:
        parts.append(f"{tally.over} had ended before")
    if tally.failed:
        parts.append(f"{len(tally.failed)} failed")
    if rest:
        parts.append(f"{count(rest, 'step')} not begun ({ended.rstrip('.')})")
    said = [f"{plan.title}: {', '.join(parts)}."]
    kinds: set[ResultKind] = {result.kind for _, result in tally.failed}
    if rest or not done:
        kinds.add("not-sent")
    if tally.failed:
        step, last = tally.failed[-1]
        said.append(f"{step.title}: {last.message}")
    if rest or tally.failed:
        said.append("What was done cannot be taken back; plan it again to go on with what is left.")
    kind: ResultKind = next((k for k in GRAVEST if k in kinds), "applied")
    entry = next((r.entry for r in reversed(tally.results) if r.entry is not None), None)
    return Result(kind, " ".join(said), entry, steps=tuple(tally.results))
