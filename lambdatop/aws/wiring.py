"""Subscriptions, rules and notifications: what hangs on the topics, buses and buckets around functions.

Only places that functions name are read: in their resource policies, destinations and environment. A place
that may not be read is left out; the round fails only when nothing could be read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lambdatop.aws import known
from lambdatop.aws.facts import arn_text
from lambdatop.aws.session import Api
from lambdatop.domain.errors import Denied, SourceError
from lambdatop.domain.events import Event, WiringObserved
from lambdatop.domain.ports import View
from lambdatop.domain.scope import Arn, Scope, parse_arn
from lambdatop.domain.text import clean_name
from lambdatop.domain.wiring import Edge

PER_ROUND = 10
RULES = 50
"""Rules of one bus whose targets are read; each costs a call."""

_log = logging.getLogger(__name__)


class WiringSource:
    """ListSubscriptionsByTopic, ListRules with ListTargetsByRule, GetBucketNotificationConfiguration."""

    name = "wiring"

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope
        self._asked: dict[str, int] = {}
        self._round = 0

    async def collect(self, view: View) -> Sequence[Event]:
        """At most ten places, those that have waited longest first."""
        self._round += 1
        places = self._places(view)
        self._asked = {place: self._asked.get(place, 0) for place in places}
        events: list[Event] = []
        failures: list[SourceError] = []
        for place in sorted(places, key=lambda p: (self._asked[p], p))[:PER_ROUND]:
            self._asked[place] = self._round
            try:
                edges = await self._read(place)
            except SourceError as error:
                failures.append(error)
                _log.debug("%s was not read: %s", place, error)
            else:
                events.append(WiringObserved(self._scope, self._api.now(), place, edges))
        denied = [f for f in failures if isinstance(f, Denied)]
        if failures and not events and len(denied) == len(failures):
            raise denied[0]
        return events

    def pace_floor(self, view: View) -> tuple[float, str]:
        """The configured pace stands."""
        return 0.0, ""

    def _places(self, view: View) -> set[str]:
        """Topics, buses and buckets that functions of this scope name."""
        named = {r.arn for f in known.functions(view, self._scope) for r in f.references}
        for _, triggers in view.world.triggers.values():
            if triggers.function.scope != self._scope:
                continue
            named |= {t.source_arn for t in triggers.push}
            config = triggers.async_config
            if config is not None:
                named |= {config.on_failure_arn or "", config.on_success_arn or ""}
        places = {self._place(parsed) for arn in named if "*" not in arn and (parsed := parse_arn(arn))}
        return places - {""}

    def _place(self, arn: Arn) -> str:
        """The place that holds what hangs on a resource: a rule stands for its whole bus."""
        here = (arn.region, arn.account) == (self._scope.region, self._scope.account)
        if arn.service == "s3":
            return f"arn:{arn.partition}:s3:::{arn.resource.split('/')[0]}"
        if arn.service == "sns" and here:
            return f"arn:{arn.partition}:sns:{arn.region}:{arn.account}:{arn.resource.split(':')[0]}"
        if arn.service == "events" and here:
            kind, *rest = arn.resource.split("/")
            bus = rest[0] if kind == "event-bus" and rest else rest[0] if len(rest) > 1 else "default"
            return f"arn:{arn.partition}:events:{arn.region}:{arn.account}:event-bus/{bus}"
        return ""

    async def _read(self, place: str) -> tuple[Edge, ...]:
        parsed = parse_arn(place)
        assert parsed is not None
        if parsed.service == "sns":
            return await self._topic(place)
        return await (self._bucket(place) if parsed.service == "s3" else self._bus(place))

    async def _topic(self, topic: str) -> tuple[Edge, ...]:
        pages = self._api.pages("sns", "ListSubscriptionsByTopic", token="NextToken", TopicArn=topic)
        ends = [arn_text(s.get("Endpoint")) async for page in pages for s in page.get("Subscriptions") or ()]
        return tuple(Edge(topic, end, "subscription") for end in ends if parse_arn(end))

    async def _bus(self, bus: str) -> tuple[Edge, ...]:
        name = bus.rsplit("/", 1)[-1]
        pages = self._api.pages("events", "ListRules", token="NextToken", EventBusName=name)
        rules = [r async for page in pages for r in page.get("Rules") or ()]
        edges: list[Edge] = []
        for rule in [r for r in rules if r.get("State") != "DISABLED"][:RULES]:
            # A rule on a schedule sends by the clock: nothing on the bus causes it.
            origin = bus if rule.get("EventPattern") else arn_text(rule.get("Arn"))
            raw = str(rule.get("Name") or "")
            found = self._api.pages(
                "events", "ListTargetsByRule", token="NextToken", Rule=raw, EventBusName=name
            )
            targets = [arn_text(t.get("Arn")) async for page in found for t in page.get("Targets") or ()]
            edges += [Edge(origin, target, f"rule {clean_name(raw)}") for target in targets if target]
        return tuple(edges)

    async def _bucket(self, bucket: str) -> tuple[Edge, ...]:
        name = bucket.rsplit(":", 1)[-1]
        answer = await self._api.read("s3", "GetBucketNotificationConfiguration", Bucket=name)
        edges = [Edge(bucket, end, "notification") for end in _ends(answer)]
        if answer.get("EventBridgeConfiguration") is not None:
            default = f"arn:aws:events:{self._scope.region}:{self._scope.account}:event-bus/default"
            edges.append(Edge(bucket, default, "notification"))
        return tuple(edges)


def _ends(answer: Mapping[str, Any]) -> Iterator[str]:
    for member, name in (
        ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
        ("QueueConfigurations", "QueueArn"),
        ("TopicConfigurations", "TopicArn"),
    ):
        for configuration in answer.get(member) or ():
            end = arn_text(configuration.get(name))
            if end:
                yield end
