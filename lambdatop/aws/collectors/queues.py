"""Queues behind mappings, and the queues where failures end: live counts and redrive policies."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from lambdatop.aws.facts import known
from lambdatop.aws.facts.resources import whole
from lambdatop.aws.reads.gaps import ReportedGaps, gap_of
from lambdatop.aws.reads.queues import QueueReader, queue_key
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.errors import gravest
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.errors import Missing, SourceError
from lambdatop.domain.facts.not_read import Gap, NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.keys import Key, Scope, parse_arn
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sanitize import clean_name
from lambdatop.domain.sources import QUEUES
from lambdatop.domain.state.events import Event, QueuesObserved

AT_ONCE = 8
REDRIVE_ROUNDS = 5
MOVING = ("RUNNING", "CANCELLING")


class _Redrive(NamedTuple):
    """What ListMessageMoveTasks answered for a queue, in which round, and the queue's depth then."""

    round: int
    depth: int
    status: str
    moved: int = 0
    to_move: int = -1

    def due(self, round_: int, depth: int) -> bool:
        return depth != self.depth or self.status in MOVING or round_ - self.round >= REDRIVE_ROUNDS


class QueuesSource:
    """Every SQS queue that feeds a mapping or takes failed events of one, or of a function."""

    name = QUEUES.name

    def __init__(self, api: Api, scope: Scope, reader: QueueReader) -> None:
        self._api = api
        self._scope = scope
        self._reader = reader
        self._redrives: dict[Key, _Redrive] = {}
        self._unmoved: list[Gap] = []
        self._reported = ReportedGaps(self.name)
        self._asked: set[str] = set()
        self._round = 0

    async def collect(self, view: View) -> Sequence[Event]:
        """Read one round: the queues that are named, then the dead-letter queues that these name."""
        self._round += 1
        wanted = self._named(view)
        found, gone, failed = await self._read_all(sorted(wanted))
        dead_letters = {q.dlq_arn for q in found if q.dlq_arn}
        more, more_gone, more_failed = await self._read_all(sorted(dead_letters - wanted))
        self._unmoved = [gap for gap in self._unmoved if gap.target in {q.name for q in (*found, *more)}]
        queues = tuple([await self._redrive(q) if q.arn in dead_letters else q for q in (*found, *more)])
        failures = failed | more_failed
        self._asked = wanted
        if failures and not queues:
            raise gravest(list(failures.values()))
        gaps = [
            gap_of(self.name, error, "sqs", "GetQueueAttributes", _name(arn))
            for arn, error in failures.items()
        ]
        news = self._reported.changes(self._scope, self._api.now(), (*gaps, *self._unmoved))
        if not (queues or gone or more_gone):
            return news
        return (QueuesObserved(self._scope, self._api.now(), queues, (*gone, *more_gone)), *news)

    def unasked(self, view: View) -> Sequence[Gap]:
        """Return the queues that functions and triggers have named since the last round."""
        waiting = len(self._named(view) - self._asked)
        return (Gap(self.name, QUEUES.action, None, "not asked", waiting),) if waiting else ()

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""

    def _named(self, view: View) -> set[str]:
        mappings = known.mappings(view, self._scope)
        arns = {m.source_arn for m in mappings} | {m.on_failure_arn or "" for m in mappings}
        arns |= {f.dlq_arn or "" for f in known.functions(view, self._scope)}
        for _, triggers in view.world.triggers.values():
            config = triggers.async_config
            if not isinstance(config, NotKnown) and triggers.function.scope == self._scope:
                arns |= {config.on_failure_arn or "", config.on_success_arn or ""}
        return {arn for arn in arns if _is_queue(arn)}

    async def _redrive(self, queue: QueueFacts) -> QueueFacts:
        """Return the dead-letter queue with the state of its newest redrive, where that can be read.

        Asked when its depth has changed or a redrive ran, and in every fifth round.
        """
        depth, known_ = queue.visible + queue.in_flight, self._redrives.get(queue.key)
        if known_ is None or known_.due(self._round, depth):
            self._unmoved = [gap for gap in self._unmoved if gap.target != queue.name]
            try:
                answer = await self._api.read(
                    "sqs", "ListMessageMoveTasks", SourceArn=queue.arn, MaxResults=1
                )
            except SourceError as error:
                answer = {}  # its status stays "", which is not "none"
                self._unmoved.append(gap_of(self.name, error, "sqs", "ListMessageMoveTasks", queue.name))
            tasks = answer.get("Results") or ()
            newest = tasks[0] if tasks else {}
            known_ = self._redrives[queue.key] = _Redrive(
                self._round,
                depth,
                clean_name(str(newest.get("Status") or "")),
                whole(newest.get("ApproximateNumberOfMessagesMoved")),
                whole(newest.get("ApproximateNumberOfMessagesToMove"), -1),
            )
        return replace(queue, redrive=known_.status, moved=known_.moved, to_move=known_.to_move)

    async def _read_all(
        self, arns: Sequence[str]
    ) -> tuple[list[QueueFacts], list[Key], dict[str, SourceError]]:
        """Return the queues, those that are gone, and by ARN why others could not be read."""
        found: list[QueueFacts] = []
        gone: list[Key] = []
        failed: dict[str, SourceError] = {}
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(arn: str) -> None:
            async with gate:
                try:
                    found.append(await self._reader.read(arn))
                except Missing:
                    gone.append(queue_key(arn, self._scope))
                except SourceError as error:
                    failed[arn] = error

        await asyncio.gather(*(one(arn) for arn in arns))
        return sorted(found, key=lambda q: q.key), gone, failed


SPEC = CollectorSpec(
    source=QUEUES,
    make=lambda opened: QueuesSource(opened.api, opened.scope, QueueReader(opened.api, opened.scope)),
)


def _name(arn: str) -> str:
    parsed = parse_arn(arn)
    return parsed.name if parsed else arn


def _is_queue(arn: str) -> bool:
    parsed = parse_arn(arn)
    return parsed is not None and parsed.service == "sqs"
