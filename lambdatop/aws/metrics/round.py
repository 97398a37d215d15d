"""Read metrics once: trip-wire, discovery, sweep, detail. Each answer may change what is asked for next."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from lambdatop.aws.facts.known import round_robin
from lambdatop.aws.metrics.memory import Memory, Tier
from lambdatop.aws.metrics.plan_input import Targets, in_detail, in_trouble, polling_state, reading, targets
from lambdatop.aws.reads.gaps import reason_of
from lambdatop.aws.reads.metric_data import Span, ask, span_until, usable
from lambdatop.aws.reads.metric_queries import Query, account_queries, function_queries, sweep_queries
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.errors import CredentialsError, SourceError
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import Reason
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.polling import hot
from lambdatop.domain.polling.answers import Answers
from lambdatop.domain.polling.plan import PollingPlan, plan
from lambdatop.domain.polling.tripwire import RECENT_MIN, USUAL_MIN
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sanitize import clean_name
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.events import ActivityObserved, Event, MetricsObserved, PollsPlanned


async def active_functions(api: Api, scope: Scope, paid: Callable[[int], None]) -> ActivityObserved:
    """Return functions with a point of Invocations within the last three hours or a little more.

    A function that is new to CloudWatch appears some minutes late. `paid` is called for each page, which
    costs as much as one metric. Raises SourceError kinds.
    """
    asked_at, found = api.now(), set()
    async for page in api.pages(
        "cloudwatch",
        "ListMetrics",
        token="NextToken",
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=[{"Name": "FunctionName"}],
        RecentlyActive="PT3H",
    ):
        paid(1)
        for metric in page.get("Metrics") or ():
            dimensions: list[dict[str, Any]] = metric.get("Dimensions") or []
            # The same function appears again by version and alias (Resource), which are not asked for.
            if len(dimensions) == 1 and dimensions[0].get("Name") == "FunctionName":
                found.add(Key(scope, "function", clean_name(str(dimensions[0].get("Value") or ""))))
    return ActivityObserved(scope, asked_at, tuple(sorted(found)))


FOLDED_MOST = 4_000
"""Series in one event: folding more at once would block the loop for over 50 ms."""
PIECE = 2_000
"""Queries that are made without a pause: some ms."""
MANY_SWEPT, MANY_MIN = 3_000, 15
"""A larger sweep asks for so many minutes only: it costs the same, but a round has to end in time."""


class Round:
    """One round, with what it asks for and learns; `memory` is kept for the next one."""

    def __init__(self, api: Api, scope: Scope, settings: Settings, memory: Memory, view: View) -> None:
        self._api, self._scope, self._settings, self._memory = api, scope, settings, memory
        self._view = view
        self._seen = Answers(view.world)
        self._minutes = settings.metrics.history_min
        self._facts: Targets = targets(view, scope)
        self._trouble = in_trouble(view, scope, memory)
        self._others = memory.ledger.others(api.now(), view.world.spend)
        self._wire = tuple(account_queries(scope))
        self.events: list[Event] = []
        memory.forget_others(self._facts.functions)

    def plan(self) -> PollingPlan:
        """Plan what is due now, by all that is known so far."""
        now = self._api.now()
        state = polling_state(
            self._view,
            self._facts,
            self._memory,
            self._settings,
            now=now,
            trouble=self._trouble,
            read=reading(self._seen, self._scope, self._memory, now, self._minutes),
            active=self._seen.active(self._scope),
            wire_units=len(self._wire),
            per_call=self._span().per_call,
            others=self._others,
        )
        self._memory.ledger.calm = not state.wrong
        return plan(state)

    async def run(self) -> bool:
        """Run the whole round; returns whether a full read must go on at once."""
        planned = self.plan()
        if planned.wire:
            await self._trip_wire()
            planned = self.plan()
        if planned.discover:
            await self._discover()
            planned = self.plan()
        for _ in range(2):  # the second time among those that seemed inactive
            if not planned.sweep or await self._sweep(planned):
                break
            planned = self.plan()
        planned = self.plan() if planned.sweep else planned
        await self._detail(planned)
        return planned.more

    def unasked(self) -> Counter[Reason]:
        """Return how many functions, queues, triggers and streams lack figures, by reason.

        A function that has not run lately needs no detail; one swept for errors lacks all other series.
        """
        planned, asked, active = self.plan(), self._memory.asked, self._seen.active(self._scope)
        first = {key for key in (*planned.detail, *planned.fixed) if key not in asked}
        worth = self._facts.functions if active is None else self._facts.functions & active
        if self._settings.limits.budget_usd_per_hour <= 0:
            first |= worth - asked.keys()  # they take turns
        found: dict[Key, Reason] = dict.fromkeys(
            (worth | self._facts.fixed.keys()) - asked.keys(), "over the limit"
        )
        found |= {series.key: why for series, why in self._memory.owed.items()}
        return Counter((found | dict.fromkeys(first, "not asked")).values())

    async def everything(self, most: Callable[[int], int]) -> None:
        """Ask for all series of all functions, or of `most(units besides)` of them, whatever they cost."""
        besides = len(self._wire) + sum(len(queries) for queries in self._facts.fixed.values())
        chosen = round_robin(
            self._view, self._facts.functions, self._memory.asked, most(besides), self._api.give_way
        )
        await self._detail(replace(self.plan(), detail=tuple(chosen)), self._wire)

    async def _detail(self, planned: PollingPlan, first: Sequence[Query] = ()) -> None:
        """Ask for all series of what is due, with `first` before them, and record the plan itself."""
        memory, world = self._memory, self._view.world
        functions = [f for k in planned.detail if (f := world.functions.get(k))]
        asked = await self._in_pieces(function_queries(self._seen, functions, self._facts.mappings))
        now = self._api.now()
        chosen = [q for q in asked if memory.due(q, now)]
        fixed = [query for key in planned.fixed for query in self._facts.fixed[key]]
        queries = [*first, *fixed, *chosen]
        if queries:
            tier: Tier = "detail" if memory.full_since is None else "wanted"
            await self._observe(queries, self._span(), self._paid(tier))
            room = planned.room + memory.series * len(functions) - len(chosen)
            more = await self._worth_asking(functions, asked, room)
            await self._ask_further(more, tier)
            asked, chosen = [*asked, *more], [*chosen, *more]
        memory.answered(asked)
        memory.asked |= dict.fromkeys((*planned.detail, *planned.fixed), self._api.now())
        if functions:
            memory.series = len(chosen) / len(functions)
        done = memory.full_since is not None and not planned.more
        memory.full_since = None if done else memory.full_since
        polling = replace(planned.polling, note=memory.note)
        self._learn(PollsPlanned(self._scope, self._api.now(), polling, done))

    async def _worth_asking(
        self, functions: Sequence[FunctionFacts], asked: Sequence[Query], room: float
    ) -> list[Query]:
        """Return series that the answers have made worth asking for, as far as the budget allows.

        A command that reads only once has no later round in which to ask for them.
        """
        memory, done = self._memory, {query.series for query in asked}
        queries = await self._in_pieces(function_queries(self._seen, functions, self._facts.mappings))
        more = [q for q in queries if q.series not in done and memory.due(q, self._api.now())]
        affordable = max(0, int(min(room, len(more))))
        memory.owed |= {query.series: "over the limit" for query in more[affordable:]}
        return more[:affordable]

    async def _ask_further(self, queries: Sequence[Query], tier: Tier) -> None:
        """Ask for what the answers made worth asking for; a failure must not lose former answers."""
        if not queries:
            return
        try:
            await self._observe(queries, self._span(), self._paid(tier))
        except CredentialsError:
            raise
        except SourceError as error:
            self._memory.owed |= dict.fromkeys((query.series for query in queries), reason_of(error))

    # -- tiers -----------------------------------------------------------------------------------

    async def _trip_wire(self) -> None:
        minutes = max(self._minutes, USUAL_MIN + RECENT_MIN + 1)
        await self._observe(self._wire, span_until(self._api.now(), minutes), self._paid("wire"))
        self._memory.wire_at = self._api.now()

    async def _discover(self) -> None:
        """Ask which functions ran lately; without an answer all count as active, as the plan can afford."""
        self._memory.discovered_at = self._api.now()
        try:
            self._learn(await active_functions(self._api, self._scope, self._paid("list")))
            self._memory.note = ""
        except CredentialsError:
            raise
        except SourceError as error:
            self._memory.note = f"which functions ran lately is not known, so all count as active: {error}"

    async def _sweep(self, planned: PollingPlan) -> bool:
        """Sweep one series of many functions to find those worth detail; returns whether that is enough."""
        memory, swept, metric = self._memory, planned.sweep, planned.metric
        span = self._span()
        if len(swept) > MANY_SWEPT:
            span = span_until(self._api.now(), min(MANY_MIN, self._minutes))
        queries = tuple(sweep_queries(swept, metric))
        await self._observe(
            queries, span, self._paid("periodic" if planned.periodic else "sweep"), partial=True
        )
        now = self._api.now()
        memory.swept.setdefault(metric, {}).update(dict.fromkeys(swept, now))
        if planned.periodic:
            memory.periodic_at = now
        moved = reading(self._seen, self._scope, memory, now, self._minutes)
        memory.swept_excess[metric] = max(
            (m.excess for m in moved.moves if m.wire.sweep == metric), default=0
        )
        minutes = min((span.end - span.start) // 60, USUAL_MIN)
        found = hot.found(self._seen, swept, metric, moved, now, minutes)
        memory.found(found, now)
        return planned.periodic or not set(found) <= set(in_detail(memory, now))

    async def _in_pieces(self, queries: Iterable[Query]) -> list[Query]:
        """Make all queries in pieces: 80,000 made at once would block the loop for a fifth of a second."""
        made: list[Query] = []
        for query in queries:
            made.append(query)
            if len(made) % PIECE == 0:
                await self._api.rest()
        return made

    # -- asking ----------------------------------------------------------------------------------

    def _span(self) -> Span:
        return span_until(self._api.now(), self._minutes)

    async def _observe(
        self, queries: Sequence[Query], span: Span, paid: Callable[[int], None], *, partial: bool = False
    ) -> None:
        answered = await ask(self._api, queries, span, paid)
        data = await usable(self._api, answered, self._seen.answered)
        self._memory.note_answers(answered, {points.series for points in data}, self._seen)
        at = self._api.now()
        self._memory.note_lacking(answered, at)
        for i in range(0, max(1, len(data)), FOLDED_MOST):
            part = data[i : i + FOLDED_MOST]
            self._learn(MetricsObserved(self._scope, at, span.start, span.end, part, partial))
            await asyncio.sleep(0)

    def _learn(self, event: Event) -> None:
        """Emit it, and use it for the rest of this round."""
        self.events.append(event)
        self._seen.take(event)

    def _paid(self, tier: Tier) -> Callable[[int], None]:
        return lambda units: self._memory.ledger.pay(self._api.now(), units, tier)
