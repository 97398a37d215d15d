"""Subscriptions, rules and notifications of the topics, buses and buckets around functions.

A place that may not be read is left out; the round fails only when nothing could be read.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lambdatop.aws.facts.event_places import Place, places
from lambdatop.aws.facts.resources import arn_text, json_object
from lambdatop.aws.reads.gaps import ReportedGaps, gap_of
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.errors import gravest
from lambdatop.aws.sdk.walls.allowlist import iam_action
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.errors import CredentialsError, Missing, SourceError, Throttled, Unreachable
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.facts.triggers import Edge
from lambdatop.domain.graph.nodes import node
from lambdatop.domain.keys import Scope, parse_arn
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sanitize import clean_name
from lambdatop.domain.sources import WIRING
from lambdatop.domain.state.events import Event, WiringObserved

READS = 60
"""Calls after which a round reads no further place; topics and buckets cost one, a bus one and its rules."""

RULES = 50
"""Rules of one bus whose targets are read in a round, each by a call: those not read yet (of them those that
policies name), then those read longest ago."""

_log = logging.getLogger(__name__)


class WiringSource:
    """ListSubscriptionsByTopic, ListRules with ListTargetsByRule, GetBucketNotificationConfiguration."""

    name = WIRING.name

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope
        self._asked: dict[str, int] = {}
        self._unread: dict[str, Gap] = {}
        self._rules: dict[str, dict[str, tuple[Edge, ...] | None]] = {}
        self._reported = ReportedGaps(self.name)
        self._round = self._ended = 0
        self._calls = 0

    async def collect(self, view: View) -> Sequence[Event]:
        """Read the places that have waited longest; raises Denied when none of them may be read."""
        self._round, self._calls = self._round + 1, 0
        wanted = places(view.world, self._scope)
        events: list[Event] = [self._event(place, ()) for place in sorted(self._asked.keys() - wanted)]
        self._asked = {place: at for place, at in self._asked.items() if place in wanted}
        failures: list[SourceError] = []
        read = 0
        for arn in sorted(wanted, key=lambda p: (self._asked.get(p, 0), p)):
            if self._calls >= READS:
                break
            try:
                events.append(self._event(arn, await self._read(wanted[arn])))
                self._unread.pop(arn, None)
                read += 1
            except (Throttled, CredentialsError) as error:
                failures.append(error)  # the others would fail, too
                break
            except SourceError as error:
                failures.append(error)
                self._unread[arn] = gap_of(self.name, error, *_reads(arn), arn.rsplit(":", 1)[-1])
                _log.debug("%s was not read: %s", arn, error)
            self._asked[arn] = self._round
        self._ended = self._round
        if failures and not read:
            raise gravest(failures)
        self._unread = {arn: gap for arn, gap in self._unread.items() if arn in wanted}
        self._rules = {arn: rules for arn, rules in self._rules.items() if arn in wanted}
        gaps = (*self._unread.values(), *self.unasked(view))
        return (*events, *self._reported.changes(self._scope, self._api.now(), gaps))

    def unasked(self, view: View) -> Sequence[Gap]:
        """Return topics, buses and buckets that were not read yet, and rules beyond those of a round."""
        asked = {place for place, round_ in self._asked.items() if round_ <= self._ended}
        left = places(view.world, self._scope).keys() - asked
        waiting = Counter(iam_action(*_reads(arn)) for arn in left)
        rules = Counter(edges is None for each in self._rules.values() for edges in each.values())
        if rules[True]:
            waiting[iam_action("events", "ListTargetsByRule")] = rules[True]
        return tuple(Gap(self.name, action, None, "not asked", n) for action, n in sorted(waiting.items()))

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""

    def _event(self, place: str, edges: tuple[Edge, ...]) -> WiringObserved:
        return WiringObserved(self._scope, self._api.now(), place, edges)

    async def _read(self, place: Place) -> tuple[Edge, ...]:
        """Return all edges of one place; none for a place that is gone."""
        try:
            if ":sns:" in place.arn:
                return await self._topic(place.arn)
            return await (self._bucket(place.arn) if ":s3:" in place.arn else self._bus(place))
        except Missing:
            self._rules.pop(place.arn, None)
            return ()

    async def _pages(self, service: str, operation: str, member: str, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        async for page in self._api.pages(service, operation, token="NextToken", **params):
            self._calls += 1
            # In JSON AWS sends an empty list, too; in XML an empty element may be left out.
            found += page[member] if service == "events" else page.get(member) or ()
        return found

    async def _topic(self, topic: str) -> tuple[Edge, ...]:
        found = await self._pages("sns", "ListSubscriptionsByTopic", "Subscriptions", TopicArn=topic)
        return tuple(_edges(topic, (s.get("Endpoint") for s in found), "subscription"))

    async def _bus(self, place: Place) -> tuple[Edge, ...]:
        bus, name = place.arn, place.arn.split("event-bus/", 1)[1]
        rules = await self._pages("events", "ListRules", "Rules", EventBusName=name)
        live = [r for r in rules if r.get("State") != "DISABLED"]
        named = [r for r in live if clean_name(str(r.get("Name"))) in place.rules]
        live = [*named, *(r for r in live if r not in named)] if place.all else named
        names = {str(rule.get("Name") or ""): rule for rule in live}
        before = {
            n: edges for n, edges in self._rules.get(bus, {}).items() if n in names and edges is not None
        }
        read = self._rules[bus] = {n: None for n in names if n not in before} | before
        for name in list(read)[:RULES]:
            found = await self._targets(bus, name, names[name])
            del read[name]
            read[name] = found  # those read last stand last
        return tuple(edge for n in names for edge in read[n] or ())

    async def _targets(self, bus: str, name: str, rule: Mapping[str, Any]) -> tuple[Edge, ...]:
        pattern, of = rule.get("EventPattern"), bus.split("event-bus/", 1)[1]
        try:
            found = await self._pages("events", "ListTargetsByRule", "Targets", Rule=name, EventBusName=of)
        except Missing:
            return ()
        # A scheduled rule sends at fixed times: nothing on the bus causes it.
        origin = bus if pattern else arn_text(rule.get("Arn"))
        sure = not pattern or not _of_aws_only(str(pattern))
        ends = (t.get("Arn") for t in found)
        return tuple(_edges(origin, ends, f"rule {clean_name(name)}", certain=sure))

    async def _bucket(self, bucket: str) -> tuple[Edge, ...]:
        self._calls += 1
        try:
            answer = await self._api.read(
                "s3", "GetBucketNotificationConfiguration", Bucket=bucket.rsplit(":", 1)[-1]
            )
        except Unreachable as error:
            if error.code == "redirect":
                return ()  # it is in another region, so it cannot notify anything here
            raise
        edges = list(_edges(bucket, _ends(answer), "notification"))
        if answer.get("EventBridgeConfiguration") is not None:
            partition = bucket.split(":")[1]
            default = f"arn:{partition}:events:{self._scope.region}:{self._scope.account}:event-bus/default"
            edges.append(Edge(bucket, default, "notification"))
        return tuple(edges)


SPEC = CollectorSpec(
    source=WIRING,
    make=lambda opened: WiringSource(opened.api, opened.scope),
    trials=(("events", "ListRules", {"Limit": 1}),),
)


def _reads(place: str) -> tuple[str, str]:
    """Return the service and operation that are asked about a place first."""
    if ":sns:" in place:
        return "sns", "ListSubscriptionsByTopic"
    return ("s3", "GetBucketNotificationConfiguration") if ":s3:" in place else ("events", "ListRules")


def _edges(source: str, ends: Iterator[Any], via: str, *, certain: bool = True) -> Iterator[Edge]:
    """Yield the edges to those ends that are ARNs (an e-mail address is not one)."""
    for end in ends:
        target = node(arn_text(end))
        if parse_arn(target) is not None:
            yield Edge(source, target, via, certain)


def _of_aws_only(pattern: str) -> bool:
    """Return whether a rule takes events of AWS's own services only, which no function can put on a bus."""
    sources = json_object(pattern).get("source")
    found = sources if isinstance(sources, list) else []
    return bool(found) and all(isinstance(s, str) and s.startswith("aws.") for s in found)


def _ends(answer: Mapping[str, Any]) -> Iterator[Any]:
    for member, name in (
        ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
        ("QueueConfigurations", "QueueArn"),
        ("TopicConfigurations", "TopicArn"),
    ):
        for configuration in answer.get(member) or ():
            yield configuration.get(name)
