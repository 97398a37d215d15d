"""State of functions: of those on screen, that changed lately, or that went silent; a call for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lambdatop.aws.facts import known
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

    async def collect(self, view: View) -> Sequence[Event]:
        """Read the states of one round; a function that has just been deleted is left out."""
        at = self._api.now()
        found: list[tuple[Key, FunctionState]] = []
        refused: list[tuple[Key, SourceError]] = []
        for key in list(dict.fromkeys(self._asked(view)))[:PER_ROUND]:
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
        """Return nothing: what gives no cause is not asked about."""
        return ()

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""

    def _asked(self, view: View) -> Iterator[Key]:
        """Yield the functions whose state is worth a call, those that are known not to run first."""
        world, mine = view.world, known.functions(view, self._scope)
        yield from (f.key for f in mine if (s := world.states.get(f.key)) and not s[1].runs)
        yield from sorted(key for key in view.watched if key.scope == self._scope)
        yield from sorted(f.key for f in paced(mine, self._api.give_way) if _silent(view, f))
        yield from sorted(f.key for f in mine if _changed(f, view.now))


def _silent(view: View, facts: FunctionFacts) -> bool:
    until = min(view.now, view.world.metrics_at.get(facts.key, view.now))
    series = view.world.metric(facts.key, "Invocations")
    return went_silent(series, until, SETTLE_S + facts.timeout_s) is not None


def _changed(facts: FunctionFacts, now: float) -> bool:
    return facts.last_modified is not None and now - facts.last_modified <= CHANGED_S


SPEC = CollectorSpec(
    source=STATES,
    make=lambda opened: StatesSource(opened.api, opened.scope),
)
