"""Capacity providers of functions on managed instances: state, limit, and the vCPUs of their instances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from lambdatop.aws.facts import known
from lambdatop.aws.facts.resources import arn_text, optional
from lambdatop.aws.reads.gaps import ENDS_THE_ROUND, ReportedGaps, gap_of, not_known
from lambdatop.aws.reads.metric_data import observe, span_until
from lambdatop.aws.reads.metric_queries import Query
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.errors import SourceError
from lambdatop.domain.facts.function_state import VCPUS, CapacityProvider
from lambdatop.domain.facts.not_read import Gap, NotKnown, or_none
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sanitize import clean_name
from lambdatop.domain.sources import CAPACITY_PROVIDERS
from lambdatop.domain.state.events import CapacityProvidersListed, Event

DIMENSIONS = ("CapacityProviderName", "InstanceType")
MOST_TYPES = 20
"""Instance types of one provider that are asked for: two series each, which cost money."""
HISTORY_MIN = 60


class CapacityProvidersSource:
    """ListCapacityProviders, and CloudWatch's vCPUs of those that run a function; nothing without one."""

    name = CAPACITY_PROVIDERS.name

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope
        self._reported = ReportedGaps(self.name)

    async def collect(self, view: View) -> Sequence[Event]:
        """Read one round; metrics that are missing leave the providers as they are."""
        at, gaps = self._api.now(), list[Gap]()
        named = {f.capacity_provider for f in known.functions(view, self._scope) if f.capacity_provider}
        if not named:
            return (
                CapacityProvidersListed(self._scope, at, ()),
                *self._reported.changes(self._scope, at, ()),
            )
        listed = await self._listed(named)
        types = await self._types(gaps)
        found = [self._provider(item, types) for item in listed]
        gaps += [
            Gap(self.name, "cloudwatch:GetMetricData", p.key.id, "over the limit")
            for p in found
            if isinstance(p.instance_types, NotKnown) and p.instance_types.reason == "over the limit"
        ]
        events: list[Event] = [CapacityProvidersListed(self._scope, at, tuple(found))]
        queries = [
            _query(p, of, metric) for p in found for of in or_none(p.instance_types) or () for metric in VCPUS
        ]
        if queries:
            try:
                span = span_until(at, HISTORY_MIN)
                events.append(await observe(self._api, self._scope, queries, span, view.world))
            except ENDS_THE_ROUND:
                raise
            except SourceError as error:
                gaps.append(gap_of(self.name, error, "cloudwatch", "GetMetricData", None))
        return (*events, *self._reported.changes(self._scope, at, gaps))

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""

    async def _listed(self, named: set[str]) -> list[Mapping[str, Any]]:
        """Return those of these names; a name that is not listed is another account's, or gone."""
        found = []
        async for page in self._api.pages(
            "lambda", "ListCapacityProviders", token="Marker", next_token="NextMarker"
        ):
            found += [item for item in page["CapacityProviders"] if _name(item) in named]
        return found

    async def _types(self, gaps: list[Gap]) -> Mapping[str, set[str]] | NotKnown:
        """Return the instance types of each provider that have published their vCPUs within three hours."""
        found: dict[str, set[str]] = defaultdict(set)
        pages = self._api.pages(
            "cloudwatch",
            "ListMetrics",
            token="NextToken",
            Namespace="AWS/Lambda",
            MetricName=VCPUS[0],
            RecentlyActive="PT3H",
        )
        try:
            async for page in pages:
                for metric in page.get("Metrics") or ():
                    of = {d.get("Name"): str(d.get("Value") or "") for d in metric.get("Dimensions") or ()}
                    if set(of) == set(DIMENSIONS):
                        found[clean_name(of[DIMENSIONS[0]])].add(clean_name(of[DIMENSIONS[1]]))
        except ENDS_THE_ROUND:
            raise
        except SourceError as error:
            gaps.append(gap_of(self.name, error, "cloudwatch", "ListMetrics", None))
            return not_known(error, "cloudwatch", "ListMetrics")
        return found

    def _provider(
        self, item: Mapping[str, Any], types: Mapping[str, set[str]] | NotKnown
    ) -> CapacityProvider:
        name = _name(item)
        scaling: Mapping[str, Any] = item.get("CapacityProviderScalingConfig") or {}
        mine = types if isinstance(types, NotKnown) else tuple(sorted(types.get(name, ())))
        if not isinstance(mine, NotKnown) and len(mine) > MOST_TYPES:
            mine = NotKnown("over the limit", "cloudwatch:GetMetricData")
        return CapacityProvider(
            Key(self._scope, "capacity provider", name),
            clean_name(str(item.get("State") or "")),
            optional(scaling.get("MaxVCpuCount")),
            mine,
        )


SPEC = CollectorSpec(
    source=CAPACITY_PROVIDERS,
    make=lambda opened: CapacityProvidersSource(opened.api, opened.scope),
    trials=(("lambda", "ListCapacityProviders", {"MaxItems": 1}),),
)


def _name(item: Mapping[str, Any]) -> str:
    return arn_text(item.get("CapacityProviderArn")).rpartition(":")[2]


def _query(provider: CapacityProvider, of: str, metric: str) -> Query:
    # The sum is right whether AWS sends one value a minute for all instances of a type or one for each.
    series = SeriesKey(provider.measured_as(of), metric, "Sum")
    values = zip(DIMENSIONS, (provider.key.id, of), strict=True)
    return Query(series, "AWS/Lambda", tuple(values))
