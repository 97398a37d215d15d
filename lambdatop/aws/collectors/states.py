"""State of functions, a call for each: first of those on screen, changed lately or silent, then in turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lambdatop.aws.facts import known
from lambdatop.aws.facts.known import round_robin
from lambdatop.aws.facts.resources import state_of
from lambdatop.aws.reads.gaps import ENDS_THE_ROUND, ReportedGaps, gap_of
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.cooperative import paced
from lambdatop.domain.errors import Missing, SourceError
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.function_state import FunctionState
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.figures.sudden_change import went_silent
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sources import STATES
from lambdatop.domain.state.events import Event, StatesObserved

PER_ROUND = 10
SUSPECTED = 7
"""Places of a round for functions that give a cause to ask; the others are for all, in turns."""
AGAIN_AFTER = 5
"""Rounds after which a function that changed or went silent is asked about again."""
CHANGED_S = 900.0
"""How long after a change (its LastModified) a function is asked about, s."""
SETTLE_S = 120.0
"""How long CloudWatch takes to publish a minute, s."""
OPERATION = "GetFunctionConfiguration"


class StatesSource:
    """GetFunctionConfiguration of at most PER_ROUND functions a round, the most suspicious first."""

    name = STATES.name

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope
        self._reported = ReportedGaps(self.name)
        self._asked: dict[Key, int] = {}
        self._round = 0

    async def collect(self, view: View) -> Sequence[Event]:
        """Read the states of one round; a function that has just been deleted is left out."""
        self._round += 1
        at = self._api.now()
        found: list[tuple[Key, FunctionState]] = []
        refused: list[tuple[Key, SourceError]] = []
        for key in self._chosen(view):
            self._asked[key] = self._round
            try:
                answer = await self._api.read("lambda", OPERATION, FunctionName=key.id)
            except Missing:
                continue
            except ENDS_THE_ROUND:
                raise
            except SourceError as error:
                refused.append((key, error))
                continue
            found.append((key, state_of(answer)))
        if refused and not found:
            raise refused[0][1]
        gaps = [gap_of(self.name, error, "lambda", OPERATION, key.id) for key, error in refused]
        return (
            StatesObserved(self._scope, at, tuple(found)),
            *self._reported.changes(self._scope, at, gaps),
        )

    def unasked(self, view: View) -> Sequence[Gap]:
        """Return the functions that were not asked about yet."""
        waiting = sum(f.key not in self._asked for f in known.functions(view, self._scope))
        return (Gap(self.name, STATES.action, None, "not asked", waiting),) if waiting else ()

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""

    def _chosen(self, view: View) -> list[Key]:
        """Return the functions of a round: those that give a cause, then those that waited longest."""
        keys = [f.key for f in known.functions(view, self._scope)]
        self._asked = {k: self._asked[k] for k in keys if k in self._asked}
        suspected = sorted(
            dict.fromkeys((*self._followed(view), *filter(self._due, self._suspected(view)))),
            key=lambda k: self._asked.get(k, 0),
        )
        unread = [k for k in keys if k not in self._asked]
        rest = round_robin(view, unread or keys, self._asked, PER_ROUND, self._api.give_way)
        return list(dict.fromkeys((*suspected[:SUSPECTED], *rest)))[:PER_ROUND]

    def _due(self, key: Key) -> bool:
        asked = self._asked.get(key)
        return asked is None or self._round - asked >= AGAIN_AFTER

    def _followed(self, view: View) -> Iterator[Key]:
        """Yield the functions that are asked about in every round: those that do not run, and the watched."""
        world, mine = view.world, known.functions(view, self._scope)
        yield from (f.key for f in mine if (s := world.states.get(f.key)) and not s[1].runs)
        yield from sorted(key for key in view.watched if key.scope == self._scope)

    def _suspected(self, view: View) -> Iterator[Key]:
        """Yield the functions that went silent, then those that changed lately."""
        mine = known.functions(view, self._scope)
        yield from sorted(f.key for f in paced(mine, self._api.give_way) if _silent(view, f))
        yield from sorted(f.key for f in mine if _changed(f, view.now))


def _silent(view: View, facts: FunctionFacts) -> bool:
    until = min(view.now, view.world.metrics_at.get(facts.key, view.now))
    series = view.world.metric(facts.key, "Invocations")
    return went_silent(series, until, SETTLE_S + facts.longest_run_s) is not None


def _changed(facts: FunctionFacts, now: float) -> bool:
    return facts.last_modified is not None and now - facts.last_modified <= CHANGED_S


SPEC = CollectorSpec(
    source=STATES,
    make=lambda opened: StatesSource(opened.api, opened.scope),
)
