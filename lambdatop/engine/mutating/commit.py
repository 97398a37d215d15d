"""Carry one mutation from the intent on disk to the outcome on disk: the only way to `Mutator`.

A call goes out once. Only when AWS has refused it because it was busy it goes out again, after another look
at the target, and each attempt is written down before it leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar, TypeVarTuple, Unpack

from msgspec.structs import replace

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.mitigations.drain import OPERATION as DRAIN
from lambdatop.domain.mitigations.one_by_one import ended
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.ports.aws import Lease, Mutator, Reader, Sent
from lambdatop.domain.ports.console import Result
from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.ports.storage import JournalStore, SpillStore
from lambdatop.engine.mutating.read_back import ReadBack, read_fields, settled
from lambdatop.engine.mutating.verdict import Verdict, drifted, judge
from lambdatop.engine.unexpected import unexpected

BUSY_PAUSES_S = (1.0, 2.0)
"""Waits before the second and the third attempt at a call that AWS was too busy for."""

ON_ITS_WAY = "cancelled while the call was on its way"

_Args = TypeVarTuple("_Args")
_Answer = TypeVar("_Answer")


async def drift(reader: Reader, plan: Plan) -> Result | None:
    """Return the three-way view when the target is not as the plan saw it; None when it is."""
    if not plan.before:
        return None
    fresh = await read_fields(reader, plan.target.key, plan.before)
    if fresh.state is None:
        words = f"The target could not be read before the call; nothing was sent. {fresh.error}"
        return Result("not-sent", words)
    return drifted(plan, fresh.state)


async def _written(write: Callable[[Unpack[_Args]], _Answer], *args: *_Args) -> _Answer:
    """Run a write into the journal, off the loop and always to its end.

    A thread cannot be cancelled: a cancelled task waits for it, so that what is written next comes after it,
    and nobody reads a journal that is about to change.
    """
    writing = asyncio.ensure_future(asyncio.to_thread(write, *args))
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        while not writing.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait((writing,))
        writing.exception()
        raise


class Committer:
    """Carries out one step that was checked: intent, call, read back, outcome."""

    def __init__(
        self,
        clock: Clock,
        journal: JournalStore,
        reader: Reader,
        spills: SpillStore | None = None,
        lease: Lease | None = None,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._reader = reader
        self._spills = spills
        self._lease = lease
        self._interrupted = interrupted

    async def commit(self, mutator: Mutator, plan: Plan, entry: Entry) -> Result:
        """Send the plan's call; `entry` is its intent. Cancelling it leaves an outcome on disk."""
        try:
            await _written(self._journal.intent, entry)
        except LambdatopError as error:
            return Result("not-sent", f"{error} Nothing was sent.")
        except asyncio.CancelledError:
            self._close(entry, Verdict("not-sent", "cancelled before it was sent"))
            raise
        except Exception as error:  # without an intent on disk nothing may be sent, whatever the reason
            return Result("not-sent", f"{unexpected('the journal', error)} Nothing was sent.")
        sent = Sent("unknown", ON_ITS_WAY)
        # Nobody waits for the lease before acting: it only lets two responders hear of each other.
        leasing = asyncio.ensure_future(self._take_lease(entry))
        try:
            sent = await self._once(mutator, entry)
            for number, pause in enumerate(BUSY_PAUSES_S, 2):
                if not sent.busy:
                    break
                hindrance = await self._may_try_again(mutator, plan, entry, number, pause, sent)
                if hindrance:
                    sent = replace(sent, detail=f"{sent.detail}; not sent again: {hindrance}")
                    break
                sent = Sent("unknown", ON_ITS_WAY)
                sent = await self._once(mutator, entry)
            seen = await self._read_back(plan, sent)
            neighbour = await leasing
        except asyncio.CancelledError:
            leasing.cancel()
            self._close(entry, judge(plan, sent, ReadBack(None)))
            raise
        return await self._finish(entry, judge(plan, sent, seen), neighbour)

    async def not_sent(self, entry: Entry, detail: str) -> None:
        """Write down a step for which nothing is sent: the journal tells where a plan ended, and why."""
        try:
            await _written(self._journal.intent, entry)
        except LambdatopError:
            return  # nothing was sent, and the steps that were stand there with how many there were to be
        except Exception as error:
            unexpected("the journal", error)
            return
        await _written(self._close, entry, Verdict("not-sent", detail))

    async def _take_lease(self, entry: Entry) -> str:
        """Return who else works on the target, or why that is not known.

        "" without a lease, or when it is ours.
        """
        if self._lease is None:
            return ""
        owner = f"{entry.actor.rpartition('/')[2]}@{entry.host}"
        leased = await self._lease.take(entry.target, owner, self._clock.now())
        return "" if leased.mine else f"Lease: {leased.words}."

    async def _may_try_again(
        self, mutator: Mutator, plan: Plan, entry: Entry, number: int, pause_s: float, sent: Sent
    ) -> str:
        """Wait, look, ask who signs, write the attempt down; why it must not be made, "" when it may."""
        await self._clock.sleep(pause_s)
        if self._interrupted():
            return "it was interrupted"
        changed = await drift(self._reader, plan)
        if changed is not None:
            return changed.message
        try:
            signer = await mutator.signer(entry.call)
            why = sent.detail if signer in ("", entry.actor) else f"{sent.detail}; signed by {signer}"
            at = self._clock.now()
            await _written(self._journal.attempt, entry.id, at, number, why)
        except LambdatopError as error:
            return str(error)
        return ""

    async def _once(self, mutator: Mutator, entry: Entry) -> Sent:
        try:
            if entry.call.operation == DRAIN:
                return await self._drain(mutator, entry)
            return await mutator.send(entry.call, entry.call.digest())
        except LambdatopError as error:
            return Sent("unknown", str(error))
        except Exception as error:  # it may have left the machine: only a read can tell
            return Sent("unknown", unexpected("the call", error))

    async def _drain(self, mutator: Mutator, entry: Entry) -> Sent:
        if self._spills is None:
            return Sent("not-sent", "there is no place on this machine to keep messages")
        try:
            name = str(entry.call.params["QueueName"])
            spill = await asyncio.to_thread(self._spills.open, entry.target.scope, name)
        except LambdatopError as error:
            return Sent("not-sent", str(error))
        try:
            return await mutator.drain(entry.call, entry.call.digest(), spill)
        finally:
            spill.close()

    async def _read_back(self, plan: Plan, sent: Sent) -> ReadBack:
        if sent.outcome == "refused" and ended(plan.after):
            # It may have ended between the look at it and the request: then nothing is left to do.
            return await read_fields(self._reader, plan.target.key, plan.after)
        if sent.outcome in ("refused", "not-sent"):
            return ReadBack(None)
        return await settled(self._clock, self._reader, plan)

    async def _finish(self, entry: Entry, verdict: Verdict, neighbour: str) -> Result:
        words = " ".join(filter(None, (verdict.message, neighbour)))
        problem = await _written(self._close, entry, verdict)
        if problem:
            words += f" Its outcome could not be written ({problem}); the entry stays open until it can be."
        done = replace(
            entry,
            outcome="open" if problem else verdict.outcome,
            outcome_at=self._clock.now(),
            detail=verdict.detail,
            seen=verdict.seen,
        )
        return Result(verdict.outcome, words, done, now=verdict.seen, want=entry.after)

    def _close(self, entry: Entry, verdict: Verdict) -> str:
        """Write the outcome; what went wrong, if anything."""
        try:
            self._journal.outcome(entry.id, self._clock.now(), verdict.outcome, verdict.detail, verdict.seen)
        except LambdatopError as error:
            return str(error)
        except Exception as error:  # the call is done; losing its result over this would be worse
            return unexpected("the journal", error)
        return ""
