"""All event source mappings of the account and region, in every state."""

from __future__ import annotations

from collections.abc import Sequence

from lambdatop.aws.facts import mapping_facts
from lambdatop.aws.session import Api
from lambdatop.domain.events import Event, MappingsListed
from lambdatop.domain.mapping import MappingFacts
from lambdatop.domain.ports import View
from lambdatop.domain.scope import Scope


class MappingsSource:
    """ListEventSourceMappings without a filter, every page."""

    name = "mappings"

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope

    async def collect(self, view: View) -> Sequence[Event]:
        """One complete list."""
        at = self._api.now()
        return (MappingsListed(self._scope, at, await list_mappings(self._api, self._scope)),)

    def pace_floor(self, view: View) -> tuple[float, str]:
        """The configured pace stands."""
        return 0.0, ""


async def list_mappings(api: Api, scope: Scope) -> tuple[MappingFacts, ...]:
    """Every mapping of the account and region (100 a page)."""
    found = [
        mapping_facts(scope, answer)
        async for page in api.pages(
            "lambda", "ListEventSourceMappings", token="Marker", next_token="NextMarker", MaxItems=100
        )
        for answer in page["EventSourceMappings"]
    ]
    return tuple(m for m in found if m.uuid)
