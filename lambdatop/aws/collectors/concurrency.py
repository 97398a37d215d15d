"""Reserved concurrency, function by function: no list operation returns it, so each costs one call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from lambdatop.aws.facts import known
from lambdatop.aws.facts.known import round_robin
from lambdatop.aws.facts.resources import reserved_of
from lambdatop.aws.reads.gaps import ENDS_THE_ROUND, ReportedGaps, gap_of
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.errors import Missing, SourceError
from lambdatop.domain.facts.function import Reserved
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sources import CONCURRENCY
from lambdatop.domain.state.events import ConcurrencyObserved, Event

PER_ROUND = 20
AT_ONCE = 4


class ConcurrencySource:
    """GetFunctionConcurrency of at most 20 functions a round.

    In larger accounts the functions take turns (see `aws/facts/known.py`). GetFunction would answer the same
    and more (a link to the code), which is why it is not used.
    """

    name = CONCURRENCY.name

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope
        self._asked: dict[Key, int] = {}
        self._unread: dict[Key, Gap] = {}
        self._reported = ReportedGaps(self.name)
        self._round = 0

    async def collect(self, view: View) -> Sequence[Event]:
        """Read one round of functions; one that has just been deleted is left out."""
        self._round += 1
        # The time of the question, not of the answers: a change made in between is newer than these.
        at = self._api.now()
        keys = [f.key for f in known.functions(view, self._scope)]
        self._asked = {k: self._asked.get(k, 0) for k in keys}
        gate = asyncio.Semaphore(AT_ONCE)

        answered: list[Key] = []
        failed: list[SourceError] = []
        refused: dict[Key, SourceError] = {}

        async def ask(key: Key) -> tuple[Key, Reserved] | None:
            async with gate:
                if failed:  # throttled: the others would be too
                    return None
                try:
                    answer = await self._api.read("lambda", "GetFunctionConcurrency", FunctionName=key.id)
                except Missing:
                    answered.append(key)
                    return None
                except ENDS_THE_ROUND as error:
                    failed.append(error)
                    return None
                except SourceError as error:
                    refused[key] = error
            answered.append(key)
            return None if key in refused else (key, reserved_of(answer))

        chosen = round_robin(view, keys, self._asked, PER_ROUND, self._api.give_way)
        answers = await asyncio.gather(*map(ask, chosen))
        if failed:
            raise failed[0]  # the answers are lost with it, so no function counts as asked
        self._asked |= dict.fromkeys(answered, self._round)
        reserved = tuple(pair for pair in answers if pair is not None)
        if refused and not reserved:
            raise next(iter(refused.values()))
        self._unread = {k: gap for k, gap in self._unread.items() if k in self._asked and k not in chosen}
        self._unread |= {
            key: gap_of(self.name, error, "lambda", "GetFunctionConcurrency", key.id)
            for key, error in refused.items()
        }
        events = (ConcurrencyObserved(self._scope, at, reserved),) if reserved else ()
        return (*events, *self._reported.changes(self._scope, at, self._unread.values()))

    def unasked(self, view: View) -> Sequence[Gap]:
        """Return the functions that were not asked about yet."""
        read = view.world.reserved.keys() | self._unread.keys()
        waiting = sum(f.key not in read for f in known.functions(view, self._scope))
        return (Gap(self.name, CONCURRENCY.action, None, "not asked", waiting),) if waiting else ()

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""


SPEC = CollectorSpec(
    source=CONCURRENCY,
    make=lambda opened: ConcurrencySource(opened.api, opened.scope),
)
