"""Service Quotas and provisioned concurrency: what is told, what is a gap, and what is only measured."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import Fault, WireStub

from lambdatop.aws.collectors.provisioned import PER_ROUND, ProvisionedSource
from lambdatop.aws.collectors.quotas import QuotasSource, quota_limit
from lambdatop.aws.facts.resources import function_facts, mapping_facts
from lambdatop.aws.sdk.wire.response_hooks import Values
from lambdatop.domain.errors import Denied, Throttled
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.facts.quota_limits import (
    CONTROL_PLANE,
    ENVIRONMENT,
    RUNNING_DURABLE,
    TIMEOUT,
    Provisioned,
    QuotaLimit,
    UsageMetric,
)
from lambdatop.domain.keys import Key
from lambdatop.domain.state.events import (
    FunctionsListed,
    GapsObserved,
    MetricsObserved,
    ProvisionedObserved,
    QuotasObserved,
)
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

from ..conftest import MakeBench

ACTION = "lambda:ListProvisionedConcurrencyConfigs"
NOW = 1_800_000_000.0


def quota(code: str, value: float, unit: str = "None", **more: Any) -> dict[str, Any]:
    return {"QuotaCode": code, "Value": value, "Unit": unit, "Adjustable": False} | more


USAGE = {
    "MetricNamespace": "AWS/Usage",
    "MetricName": "CallCount",
    "MetricDimensions": {"Service": "Lambda", "Type": "API"},
    "MetricStatisticRecommendation": "Sum",
}


def listed(*names: str) -> World:
    facts = tuple(FunctionFacts(Key(SCOPE, "function", name), f"arn:{name}") for name in names)
    return fold(EMPTY_WORLD, FunctionsListed(SCOPE, 1.0, facts))


def configs(name: str, **qualifiers: tuple[int, int]) -> dict[str, Any]:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    return {
        "ProvisionedConcurrencyConfigs": [
            {
                "FunctionArn": f"{arn}:{qualifier}",
                "RequestedProvisionedConcurrentExecutions": wanted,
                "AllocatedProvisionedConcurrentExecutions": ready,
                "AvailableProvisionedConcurrentExecutions": ready,
                "Status": "READY" if wanted == ready else "IN_PROGRESS",
            }
            for qualifier, (wanted, ready) in qualifiers.items()
        ]
    }


async def test_applied_values_come_in_our_units_page_by_page(stub: WireStub, bench: MakeBench) -> None:
    first = {"Quotas": [quota(ENVIRONMENT, 4, "Kilobytes"), quota("L-UNKNOWN", 7)], "NextToken": "more"}
    stub.on("service-quotas", "ListServiceQuotas", first, {"Quotas": [quota(TIMEOUT, 900, "Seconds")]})
    made = bench(at=NOW)
    (event,) = await QuotasSource(made.api, SCOPE).collect(made.view())
    assert isinstance(event, QuotasObserved)
    assert event.limits == (
        QuotaLimit(ENVIRONMENT, 4096, "Service Quotas"),
        QuotaLimit(TIMEOUT, 900, "Service Quotas"),
    )
    assert (event.gap, [c.get("NextToken") for c in stub.calls("ListServiceQuotas")]) == ("", [None, "more"])


async def test_a_usage_metric_is_asked_for_as_it_is_named(stub: WireStub, bench: MakeBench) -> None:
    stub.on("service-quotas", "ListServiceQuotas", {"Quotas": [quota(CONTROL_PLANE, 15, UsageMetric=USAGE)]})
    answer = {"Id": "q0", "Timestamps": [NOW - 120, NOW - 60], "Values": [300.0, 660.0]}
    stub.on("cloudwatch", "GetMetricData", {"MetricDataResults": [answer | {"StatusCode": "Complete"}]})
    made = bench(at=NOW)
    observed, measured = await QuotasSource(made.api, SCOPE).collect(made.view())
    assert isinstance(observed, QuotasObserved)
    usage = UsageMetric("AWS/Usage", "CallCount", (("Service", "Lambda"), ("Type", "API")), "Sum")
    assert observed.limits[0].usage == usage
    assert isinstance(measured, MetricsObserved)
    world = fold_all(EMPTY_WORLD, (observed, measured))
    assert tuple(world.metric(Key(SCOPE, "quota", CONTROL_PLANE), "CallCount").values) == (300.0, 660.0)
    (asked,) = stub.calls("GetMetricData")
    metric = asked["MetricDataQueries"][0]["MetricStat"]["Metric"]
    assert (metric["Namespace"], len(metric["Dimensions"])) == ("AWS/Usage", 2)


async def test_a_service_that_is_not_there_is_a_gap(stub: WireStub, bench: MakeBench) -> None:
    known = {"Quotas": [quota(TIMEOUT, 900, "Seconds")]}
    stub.on(
        "service-quotas", "ListServiceQuotas", Fault("UnknownOperation"), known, Fault("UnknownOperation")
    )
    made = bench(at=NOW)
    source = QuotasSource(made.api, SCOPE)
    rounds = [await source.collect(made.view()) for _ in range(3)]
    first, second, third = (events[0] for events in rounds)
    gap = Gap("quotas", "servicequotas:ListServiceQuotas", None, "not there")
    assert [e.gaps for events in rounds for e in events[1:] if isinstance(e, GapsObserved)] == [
        (gap,),
        (),
        (gap,),
    ]
    assert isinstance(first, QuotasObserved)
    assert isinstance(second, QuotasObserved)
    assert isinstance(third, QuotasObserved)
    assert first.limits == ()
    assert first.gap == "Service Quotas does not answer here, UnknownOperation"
    assert second.gap == ""
    assert third.limits == second.limits, "the last answer stands"
    assert "its last answer is still used" in third.gap


@pytest.mark.parametrize(
    ("code", "kind"), [("AccessDeniedException", Denied), ("TooManyRequestsException", Throttled)]
)
async def test_denied_and_throttled_are_told(
    stub: WireStub, bench: MakeBench, code: str, kind: type[Exception]
) -> None:
    stub.on("service-quotas", "ListServiceQuotas", Fault(code))
    made = bench(at=NOW)
    with pytest.raises(kind) as caught:
        await QuotasSource(made.api, SCOPE).collect(made.view())
    if isinstance(caught.value, Denied):
        assert caught.value.action == "servicequotas:ListServiceQuotas"


def test_a_size_without_a_unit_means_nothing() -> None:
    assert quota_limit(quota(ENVIRONMENT, 4)) is None
    assert quota_limit(quota(TIMEOUT, float("nan"))) is None
    assert quota_limit(quota(TIMEOUT, -1)) is None
    assert quota_limit({}) is None


async def test_provisioned_concurrency_is_read_and_measured(stub: WireStub, bench: MakeBench) -> None:
    used = [{"Dimensions": [{"Name": "FunctionName", "Value": name}]} for name in ("api", "plain")]
    stub.on("cloudwatch", "ListMetrics", {"Metrics": used[:1], "NextToken": "n"}, {"Metrics": used[1:]})
    answers = {"api": configs("api", live=(10, 10), v2=(5, 2)), "plain": configs("plain")}
    stub.on("lambda", "ListProvisionedConcurrencyConfigs", lambda p: answers[p["FunctionName"]])
    results = [
        {"Id": "q0", "Timestamps": [NOW - 60], "Values": [0.8], "StatusCode": "Complete"},
        {"Id": "q1", "Timestamps": [NOW - 60], "Values": [12.0], "StatusCode": "Complete"},
    ]
    stub.on("cloudwatch", "GetMetricData", {"MetricDataResults": results})
    made = bench(at=NOW)
    observed, measured = await ProvisionedSource(made.api, SCOPE).collect(made.view(listed("api", "plain")))
    api, plain = (Key(SCOPE, "function", name) for name in ("api", "plain"))
    assert isinstance(observed, ProvisionedObserved)
    assert dict(observed.provisioned) == {
        api: (Provisioned("live", 10, 10, 10, "READY"), Provisioned("v2", 5, 2, 2, "IN_PROGRESS")),
        plain: (),
    }
    world = fold(EMPTY_WORLD, measured)
    alias = Key(SCOPE, "alias", "api:live")
    assert tuple(world.metric(alias, "ProvisionedConcurrencyUtilization", "Maximum").values) == (0.8,)
    assert tuple(world.metric(alias, "ProvisionedConcurrencySpilloverInvocations").values) == (12.0,)
    (asked,) = stub.calls("GetMetricData")
    assert len(asked["MetricDataQueries"]) == 4
    dimensions = asked["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"]
    assert dimensions[1] == {"Name": "Resource", "Value": "api:live"}


async def test_whoever_used_it_lately_is_read_first(stub: WireStub, bench: MakeBench) -> None:
    used = [{"Name": "FunctionName", "Value": "f90"}, {"Name": "Resource", "Value": "f90:live"}]
    stub.on("cloudwatch", "ListMetrics", {"Metrics": [{"Dimensions": used}]})
    stub.on("lambda", "ListProvisionedConcurrencyConfigs", lambda p: configs(p["FunctionName"]))
    made = bench(at=NOW)
    source, world = ProvisionedSource(made.api, SCOPE), listed(*(f"f{i:02d}" for i in range(100)))
    view = made.view(world)
    assert source.unasked(view) == (Gap("provisioned", ACTION, None, "not asked", 100),), "nobody said yet"
    await source.collect(view)
    assert source.unasked(view) == ()
    for _ in range(2):
        await source.collect(view)
    asked = [p["FunctionName"] for p in stub.calls("ListProvisionedConcurrencyConfigs")]
    assert len(asked) == 1 + 2 * PER_ROUND
    assert (asked[0], asked[1], asked[1 + PER_ROUND]) == ("f90", "f90", "f90")
    assert len(set(asked)) == 2 * PER_ROUND - 1, "everybody else waits for a turn"
    assert stub.calls("GetMetricData") == [], "nobody has any: nothing is measured"
    (hint, *_) = stub.calls("ListMetrics")
    assert (hint["MetricName"], hint["RecentlyActive"]) == ("ProvisionedConcurrencyUtilization", "PT3H")


async def test_no_hint_is_no_failure_and_a_deleted_function_no_end(stub: WireStub, bench: MakeBench) -> None:
    stub.on("cloudwatch", "ListMetrics", Fault("AccessDenied", status=403))
    gone = Fault("ResourceNotFoundException", status=404)
    stub.on("lambda", "ListProvisionedConcurrencyConfigs", gone, configs("b"))
    made = bench(at=NOW)
    (event,) = await ProvisionedSource(made.api, SCOPE).collect(made.view(listed("a", "b")))
    assert isinstance(event, ProvisionedObserved)
    assert event.provisioned == ((Key(SCOPE, "function", "b"), ()),)


async def test_without_functions_nothing_is_asked(stub: WireStub, bench: MakeBench) -> None:
    made = bench(at=NOW)
    assert await ProvisionedSource(made.api, SCOPE).collect(made.view()) == ()
    assert stub.received == []


def test_values_go_and_their_size_stays() -> None:
    answer: dict[str, Any] = {
        "FunctionName": "f",
        "Environment": {"Variables": {"TOKEN": "geheim-€", "N": "1"}},
        "Layers": [{"Arn": "a", "CodeSize": 700}, {"Arn": "b", "CodeSize": 300}],
        "VpcConfig": {"VpcId": "vpc-1", "SubnetIds": ["s-2", "s-1"], "SecurityGroupIds": ["g-2", "g-1"]},
    }
    Values().drop(answer)
    assert "geheim" not in str(answer)
    facts = function_facts(SCOPE, answer)
    # {"TOKEN":"geheim-€","N":"1"}: 28 characters, and the euro sign takes three bytes.
    assert facts.environment_bytes == 30
    assert (facts.layers, facts.layers_size_bytes) == (2, 1000)
    assert (facts.vpc_id, facts.interfaces) == ("vpc-1", ("s-1 g-1,g-2", "s-2 g-1,g-2"))
    assert function_facts(SCOPE, {"FunctionName": "g"}).environment_bytes is None


def test_a_mapping_tells_its_pollers() -> None:
    answer = {"UUID": "u", "ProvisionedPollerConfig": {"MinimumPollers": 2, "MaximumPollers": 40}}
    assert mapping_facts(SCOPE, answer).pollers_max == 40


def test_a_code_of_a_public_list_counts_with_its_name_only() -> None:
    named = quota(RUNNING_DURABLE, 7e6, QuotaName="Maximum running durable executions")
    limit = quota_limit(named)
    assert limit is not None
    assert limit.value == 7e6
    assert quota_limit(quota(RUNNING_DURABLE, 7e6, QuotaName="Rate of something")) is None
    assert quota_limit(quota(RUNNING_DURABLE, 7e6)) is None
