"""CloudWatch alarms that are in ALARM right now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lambdatop.aws.facts.resources import arn_text, reason, seconds
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.facts.function import AlarmFacts
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sanitize import clean_name
from lambdatop.domain.sources import ALARMS
from lambdatop.domain.state.events import AlarmsObserved, Event


class AlarmsSource:
    """DescribeAlarms with StateValue=ALARM, metric and composite alarms, every page."""

    name = ALARMS.name

    def __init__(self, api: Api, scope: Scope) -> None:
        self._api = api
        self._scope = scope

    async def collect(self, view: View) -> Sequence[Event]:
        """Return all alarms as one complete list."""
        at, found = self._api.now(), []
        async for page in self._api.pages(
            "cloudwatch",
            "DescribeAlarms",
            token="NextToken",
            StateValue="ALARM",
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            MaxRecords=100,
        ):
            for answer in (*(page.get("MetricAlarms") or ()), *(page.get("CompositeAlarms") or ())):
                found.append(alarm_facts(self._scope, answer))
        return (AlarmsObserved(self._scope, at, tuple(found)),)

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""


SPEC = CollectorSpec(
    source=ALARMS,
    make=lambda opened: AlarmsSource(opened.api, opened.scope),
    trials=(("cloudwatch", "DescribeAlarms", {"MaxRecords": 1}),),
)


def alarm_facts(scope: Scope, answer: Mapping[str, Any]) -> AlarmFacts:
    """Return one alarm; `function` is the one that a dimension names, its own or one in metric math."""
    names = [str(d.get("Value")) for d in _dimensions(answer) if d.get("Name") == "FunctionName"]
    function = Key(scope, "function", clean_name(names[0])) if names else None
    return AlarmFacts(
        key=Key(scope, "alarm", clean_name(str(answer.get("AlarmName") or ""))),
        reason=reason(answer.get("StateReason"), 1024),
        metric=clean_name(str(answer.get("MetricName") or "")),
        namespace=clean_name(str(answer.get("Namespace") or "")),
        since=seconds(answer.get("StateTransitionedTimestamp") or answer.get("StateUpdatedTimestamp")),
        function=function,
        arn=arn_text(answer.get("AlarmArn")),
        actions=tuple(arn_text(action) for action in answer.get("AlarmActions") or ()),
        enabled=answer.get("ActionsEnabled") is not False,
    )


def _dimensions(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from answer.get("Dimensions") or ()
    metrics: Iterable[Mapping[str, Any]] = answer.get("Metrics") or ()
    for metric in metrics:
        yield from ((metric.get("MetricStat") or {}).get("Metric") or {}).get("Dimensions") or ()
