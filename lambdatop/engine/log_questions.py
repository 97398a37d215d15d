"""Answer questions about logs that a person asks: older lines, and errors by kind for money."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection

from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.insights import (
    MOST_GROUPS,
    ErrorsFound,
    Scan,
    errors_found,
    errors_query,
    price_usd,
)
from lambdatop.domain.loglines.tail import Older
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.state.world import World


class LogQuestions:
    """Asked on the engine's loop; every answer is read now. Raises LambdatopError with a sentence."""

    def __init__(
        self, backend: Callable[[], Awaitable[Backend]], world: Callable[[], World], clock: Clock
    ) -> None:
        self._backend = backend
        self._world = world
        self._clock = clock

    async def older(self, functions: frozenset[Key], before: float) -> Older:
        """Return a page of the logs of these functions up to `before` (s since the epoch, inclusive)."""
        history = (await self._backend()).history
        if history is None:
            raise LambdatopError("This connection cannot read older log lines.")
        known = self._known(functions)
        groups = Counter(facts.log_group for facts in self._world().functions.values())
        return await history.older(known, before, {group for group, writers in groups.items() if writers > 1})

    async def scan(self, functions: frozenset[Key], minutes: float) -> Scan:
        """Return what asking for the errors of the last `minutes` would scan and cost.

        Nothing is asked yet.
        """
        queries = (await self._backend()).queries
        if queries is None:
            raise LambdatopError("This connection cannot ask Logs Insights.")
        groups = sorted({facts.log_group for facts in self._known(functions)})
        asked, end = groups[:MOST_GROUPS], self._clock.now()
        start = end - minutes * 60
        about = await queries.estimate_bytes(asked, start, end)
        usd = None if about is None else price_usd(about)
        return Scan(tuple(asked), start, end, about, usd, len(groups) - len(asked))

    async def errors(self, scan: Scan) -> ErrorsFound:
        """Ask Logs Insights; when the caller is cancelled the query is stopped."""
        queries = (await self._backend()).queries
        if queries is None:
            raise LambdatopError("This connection cannot ask Logs Insights.")
        found = await queries.run(scan.groups, errors_query(), scan.start, scan.end)
        # Ten thousand rows take most of a second, which belongs to nobody's loop.
        return await asyncio.to_thread(errors_found, found)

    def _known(self, functions: Collection[Key]) -> list[FunctionFacts]:
        listed = self._world().functions
        known = [listed[key] for key in sorted(functions) if key in listed]
        if not known:
            raise LambdatopError("None of these functions exists any more, so there is no log to read.")
        return known
