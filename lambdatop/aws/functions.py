"""All functions of the account and region."""

from __future__ import annotations

from collections.abc import Sequence

from lambdatop.aws.facts import function_facts
from lambdatop.aws.references import known_names
from lambdatop.aws.session import Api
from lambdatop.domain.events import Event, FunctionsListed
from lambdatop.domain.ports import View
from lambdatop.domain.scope import Scope


class FunctionsSource:
    """ListFunctions, every page."""

    name = "functions"

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope

    async def collect(self, view: View) -> Sequence[Event]:
        """One complete list; a page that fails fails the round, a shorter list would be a lie."""
        at = self._api.now()
        names = known_names(view, self._scope)
        found = [
            function_facts(self._scope, answer, names)
            async for page in self._api.pages(
                "lambda", "ListFunctions", token="Marker", next_token="NextMarker", MaxItems=50
            )
            for answer in page.get("Functions") or ()
        ]
        return (FunctionsListed(self._scope, at, tuple(f for f in found if f.name)),)

    def pace_floor(self, view: View) -> tuple[float, str]:
        """The configured pace stands."""
        return 0.0, ""
