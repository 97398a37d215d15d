"""All functions of the account and region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from lambdatop.aws.facts import known
from lambdatop.aws.facts.environment import names_of, references
from lambdatop.aws.facts.resources import function_facts
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.wire.response_hooks import HIDDEN
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.cooperative import paced
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import EventSink, View
from lambdatop.domain.sources import FUNCTIONS
from lambdatop.domain.state.events import Event, FunctionsListed


class FunctionsSource:
    """ListFunctions, every page."""

    name = FUNCTIONS.name

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope
        self._tell: EventSink = lambda events: None

    def when_parts_come(self, tell: EventSink) -> None:
        """Call `wake` after each page of the first list, which takes long in a large account."""
        self._tell = tell

    async def collect(self, view: View) -> Sequence[Event]:
        """Read one complete list; a page that fails fails the round: a shorter list would be wrong."""
        at = self._api.now()
        sources = [m.source_arn for m in known.mappings(view, self._scope)]
        before = [f.arn for f in known.functions(view, self._scope)]
        # What an answer may keep must be known before it is asked for; the rest waits for the next list.
        self._api.keep_names(names_of((*sources, *before)))
        found: list[tuple[FunctionFacts, Mapping[str, object]]] = []
        async for page in self._api.pages(
            "lambda", "ListFunctions", token="Marker", next_token="NextMarker", MaxItems=50
        ):
            new = [(function_facts(self._scope, answer), _shown(answer)) for answer in page["Functions"]]
            found += new
            if not before and page.get("NextMarker"):
                named = tuple(facts for facts, _ in new if facts.name)
                self._tell((FunctionsListed(self._scope, at, named, complete=False),))
        rest = self._api.give_way
        names = names_of((*sources, *(facts.arn for facts, _ in paced(found, rest))))
        rest()
        functions = (
            self._referring(facts, shown, names) for facts, shown in paced(found, rest) if facts.name
        )
        return (FunctionsListed(self._scope, at, tuple(functions)),)

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""

    def _referring(
        self, facts: FunctionFacts, variables: Mapping[str, object], names: Mapping[str, str]
    ) -> FunctionFacts:
        found = references(variables, self._scope, names)
        return replace(facts, references=found) if found else facts


SPEC = CollectorSpec(
    source=FUNCTIONS,
    make=lambda opened: FunctionsSource(opened.api, opened.scope),
    trials=(("lambda", "ListFunctions", {"MaxItems": 1}),),
)


def _shown(answer: Mapping[str, Any]) -> dict[str, object]:
    """Return the environment variables whose values the answer still holds.

    A function's own name in a variable does not mean that it sends something there.
    """
    variables = (answer.get("Environment") or {}).get("Variables") or {}
    hidden = (HIDDEN, answer.get("FunctionName"))
    return {name: value for name, value in variables.items() if value not in hidden}
