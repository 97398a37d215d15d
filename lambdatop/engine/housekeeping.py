"""Run small loops beside the collectors: the journal on disk, our own spend, open intents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.keys import Scope
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.ports.aws import EventSink
from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.ports.storage import JournalStore
from lambdatop.domain.state.events import JournalRead, SourceReported, SourceState
from lambdatop.engine.mutating.executor import Executor
from lambdatop.engine.spend_meter import SpendMeter

TICK_S = 1.0
RECOVERY_S = 30.0
STANDING_S = 10.0

JOURNAL, RECOVERY, PLANS, ANSWERS = "journal", "recovery", "plans", "answers"


class Report(Protocol):
    """Says how a part of the engine is doing."""

    def __call__(
        self, source: str, state: SourceState = "ok", sentence: str = "", next_in_s: float | None = None
    ) -> None:
        """Post a SourceReported."""


def reporter(clock: Clock, scope: Callable[[], Scope], post: EventSink) -> Report:
    """Return a Report that posts events under the present scope."""

    def report(
        source: str, state: SourceState = "ok", sentence: str = "", next_in_s: float | None = None
    ) -> None:
        post((SourceReported(scope(), clock.now(), source, state, sentence, None, next_in_s),))

    return report


async def watch_journal(
    clock: Clock, journal: JournalStore, scope: Callable[[], Scope], post: EventSink, report: Report
) -> None:
    """Post the journal at once and whenever it has changed on disk, by whichever process."""
    known: tuple[Entry, ...] | None = None
    trouble: str | None = None
    while True:
        try:
            entries = await asyncio.to_thread(journal.read)
            gap = await asyncio.to_thread(journal.gap)
        except LambdatopError as error:
            if str(error) != trouble:
                trouble = str(error)
                report(JOURNAL, "failed", trouble, TICK_S)
        else:
            if trouble != gap:
                trouble = gap
                report(JOURNAL, "failed" if gap else "ok", gap)
            if entries is not known:
                known = entries
                post((JournalRead(scope(), clock.now(), entries),))
        await clock.sleep(TICK_S)


async def watch_spend(clock: Clock, meter: SpendMeter, scope: Callable[[], Scope], post: EventSink) -> None:
    """Post what lambdatop itself has asked for, when it has asked for more."""
    calls = -1
    while True:
        if meter.total_calls != calls:
            calls = meter.total_calls
            post((meter.observed(scope()),))
        await clock.sleep(TICK_S)


async def settle_intents(clock: Clock, executor: Executor, report: Report) -> None:
    """Settle intents of dead processes now and every 30 s; a dying neighbour leaves one at any time.

    Plans in steps that ended halfway are said under `PLANS`.
    """
    failing, told = False, ""
    while True:
        try:
            await executor.recover()
        except LambdatopError as error:
            failing = True
            report(RECOVERY, "failed", str(error), RECOVERY_S)
        else:
            if failing:
                failing = False
                report(RECOVERY)
            halves = " ".join(f"{plan.sentence}." for plan in await executor.halfway())
            if halves != told:
                told = halves
                report(PLANS, "stale" if halves else "ok", halves)
        await clock.sleep(RECOVERY_S)


async def watch_oddities(clock: Clock, oddities: Callable[[], str], report: Report) -> None:
    """Report what was left out of AWS's answers, whenever that has grown."""
    told = ""
    while True:
        sentence = oddities()
        if sentence != told:
            told = sentence
            report(ANSWERS, "stale", sentence)
        await clock.sleep(TICK_S)


async def watch_standing(clock: Clock, executor: Executor) -> None:
    """Read every 10 s what our standing mutations have set: two responders may not know of each other."""
    while True:
        await clock.sleep(STANDING_S)
        try:
            await executor.settle_standing()
        except LambdatopError:
            continue  # the journal's own watch reports what is wrong with it
