"""All event source mappings of the account and region, in every state."""

from __future__ import annotations

from collections.abc import Sequence

from lambdatop.aws.reads.single_reads import list_mappings
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sources import MAPPINGS
from lambdatop.domain.state.events import Event, MappingsListed


class MappingsSource:
    """ListEventSourceMappings without a filter, every page."""

    name = MAPPINGS.name

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope

    async def collect(self, view: View) -> Sequence[Event]:
        """Return all event source mappings as one complete list."""
        at = self._api.now()
        return (MappingsListed(self._scope, at, await list_mappings(self._api, self._scope)),)

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""


SPEC = CollectorSpec(
    source=MAPPINGS,
    make=lambda opened: MappingsSource(opened.api, opened.scope),
    trials=(("lambda", "ListEventSourceMappings", {"MaxItems": 1}),),
)
