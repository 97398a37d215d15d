"""Drain one queue: receive, keep on disk, delete what is kept, until long polls return nothing.

The mutator sends requests and reads their answers; this file decides their order. A message is deleted only
after it is on disk, so whatever fails in between, it is in the file or in the queue, and perhaps in both: the
next drain receives it again, does not keep it twice, and deletes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from lambdatop.aws.facts.resources import whole
from lambdatop.aws.sdk.walls.allowlist import DRAIN_DELETE, DRAIN_RECEIVE
from lambdatop.aws.sdk.walls.guard import DrainTicket
from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.ports.aws import Sent
from lambdatop.domain.ports.storage import Spill
from lambdatop.domain.sanitize import clean_line
from lambdatop.domain.units import plural

WAIT_S = 5
"""A long poll asks all of SQS's servers; this one, with its answer, ends within the read timeout of 10 s."""

HIDDEN_S = 900
"""How long a received message stays hidden from others; keeping and deleting it takes far less."""

BATCH = 10
EMPTY_POLLS = 3
A_FEW = 20
"""SQS's count is approximate: a drain takes so many more, or a tenth, before it treats them as new."""
OVER_LIMIT = "OverLimit"
COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

_HIDDEN = f"may stay hidden for {HIDDEN_S // 60} minutes"
_DETAIL_MAX = 1500


class Answer(Struct, frozen=True):
    """The result of one request: AWS's answer, or how it ended without one, with AWS's code."""

    parsed: Mapping[str, Any]
    failure: Sent | None = None
    code: str = ""

    @property
    def over_limit(self) -> bool:
        """Whether SQS gives no message because too many are in flight."""
        return self.code.rpartition(".")[2] == OVER_LIMIT


Ask = Callable[[str, Mapping[str, Any]], Awaitable[Answer]]
"""Sends one request of sqs (operation, parameters) on the ticket of the drain; never raises."""


@dataclass(slots=True)
class Drain:
    """One drain of the ticket's queue into `spill`; receives wait up to `wait_s` for a message, s.

    `left` are messages that are on disk and not known to be deleted, by id with their receipt handle;
    `refused` says why SQS did not delete some of them, `unsure` those about which an answer was lost.
    """

    ask: Ask
    ticket: DrainTicket
    spill: Spill
    wait_s: int = WAIT_S
    received: int = 0
    new: int = 0
    again: int = 0
    left: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    stopped: str = ""

    async def run(self) -> Sent:
        """Drain until the queue is empty, or until something prevents it; the result says which.

        A queue that is filled meanwhile is never empty: the drain ends with a few more than were there.
        """
        empty, hindrance = 0, None
        there = await self._remaining()
        most = there + max(A_FEW, there // 10) if there else None
        while empty < EMPTY_POLLS and not self.stopped and (most is None or self.received < most):
            answer = await self._receive()
            hindrance = answer.failure
            if hindrance is not None and not answer.over_limit:
                break
            if messages := answer.parsed.get("Messages"):
                empty = 0
                await self._take(messages)
            elif await self._delete(tuple(self.left)):
                empty = 0  # a blocking message is gone: the rest of its FIFO group may come now
            else:
                empty += 1
                if answer.over_limit and empty < EMPTY_POLLS:  # others hold too many; ours are deleted
                    await asyncio.sleep(self.wait_s)
        if hindrance is not None and not self.received:
            return hindrance
        self.stopped = self.stopped or (hindrance.detail if hindrance else "")
        return Sent("applied", clean_line(await self._words(), _DETAIL_MAX))

    async def _receive(self) -> Answer:
        answer = await self.ask(
            DRAIN_RECEIVE,
            {
                "QueueUrl": self.ticket.queue_url,
                "MaxNumberOfMessages": BATCH,
                "VisibilityTimeout": HIDDEN_S,
                "WaitTimeSeconds": self.wait_s,
                "MessageSystemAttributeNames": ["All"],
                "MessageAttributeNames": ["All"],
            },
        )
        if answer.failure is None or answer.failure.outcome != "unknown":
            return answer
        words = f"{answer.failure.detail} Up to {BATCH} messages {_HIDDEN}."
        return replace(answer, failure=replace(answer.failure, detail=words))

    async def _take(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Keep, then delete; what could not be kept is not deleted."""
        self.received += len(messages)
        try:
            # Cancelled here, the thread goes on writing: what it keeps is not deleted and comes again.
            new = await asyncio.to_thread(self.spill.keep, messages)
        except LambdatopError as error:
            self.stopped = f"{error} The last {len(messages)} messages are in the queue and {_HIDDEN}"
            return
        self.new += new
        self.again += len(messages) - new
        kept = {str(m["MessageId"]): str(m.get("ReceiptHandle") or "") for m in messages}
        self.ticket.kept(kept.values())
        self.left |= kept
        await self._delete(tuple(kept))

    async def _delete(self, ids: Sequence[str]) -> int:
        """Delete these messages, ten at a time; returns how many are gone now."""
        before = len(self.left)
        for start in range(0, len(ids), BATCH):
            if not self.stopped:
                await self._delete_ten(ids[start : start + BATCH])
        return before - len(self.left)

    async def _delete_ten(self, ids: Sequence[str]) -> None:
        entries = [{"Id": str(n), "ReceiptHandle": self.left[one]} for n, one in enumerate(ids)]
        params = {"QueueUrl": self.ticket.queue_url, "Entries": entries}
        answer = await self.ask(DRAIN_DELETE, params)
        if answer.failure is not None and answer.failure.outcome == "unknown":
            # They are on disk: deleting again what may be deleted already does no harm.
            self.unsure.update(ids)
            answer = await self.ask(DRAIN_DELETE, params)
        if answer.failure is not None:
            self.stopped = answer.failure.detail
            return
        by_id = {str(n): one for n, one in enumerate(ids)}
        for entry in answer.parsed.get("Successful") or ():
            gone = by_id.get(str(entry.get("Id")), "")
            self.left.pop(gone, None)
            self.unsure.discard(gone)
        for entry in answer.parsed.get("Failed") or ():
            if one := by_id.get(str(entry.get("Id"))):
                self.refused[one] = str(entry.get("Code") or "no reason given")

    async def _words(self) -> str:
        words = [f"drained {plural(self.new, 'message')} to {self.spill.path}"]
        if self.again:
            words.append(f"{self.again:,} came that the file held already")
        lost = self.left.keys() & self.unsure
        if failed := self.left.keys() - lost:
            words.append(f"{len(failed):,} could not be deleted{self._why(failed)} and will come back")
        if lost:
            words.append(f"whether {len(lost):,} were deleted is not known: those that were not come back")
        if self.stopped:
            words.append(f"stopped early: {self.stopped.rstrip('.')}; run it again to go on")
        elif (remaining := await self._remaining()) is None:
            words.append("how many SQS still counts is not known")
        elif remaining:
            words.append(
                f"SQS still counts about {plural(remaining, 'message')} (late by a minute, or new ones)"
            )
        return "; ".join(words)

    def _why(self, failed: Collection[str]) -> str:
        codes = sorted({self.refused[one] for one in failed if one in self.refused})
        return f" ({', '.join(codes)})" if codes else ""

    async def _remaining(self) -> int | None:
        """Return how many messages SQS counts now, waiting and in flight; None when it does not say."""
        params = {"QueueUrl": self.ticket.queue_url, "AttributeNames": list(COUNTS)}
        told = (await self.ask("GetQueueAttributes", params)).parsed.get("Attributes") or {}
        counts = [whole(told.get(name), -1) for name in COUNTS]
        return None if min(counts) < 0 else sum(counts)
