"""List event source mappings."""

from __future__ import annotations

from lambdatop.aws.facts.resources import mapping_facts
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.keys import Scope


async def list_mappings(api: Api, scope: Scope) -> tuple[MappingFacts, ...]:
    """Read every mapping of the account and region (100 a page)."""
    found = [
        mapping_facts(scope, answer)
        async for page in api.pages(
            "lambda", "ListEventSourceMappings", token="Marker", next_token="NextMarker", MaxItems=100
        )
        for answer in page["EventSourceMappings"]
    ]
    return tuple(m for m in found if m.uuid)
