"""Capacity providers: asked for where functions run on them, with their vCPUs, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import Fault, WireStub

from lambdatop.aws.collectors.capacity_providers import MOST_TYPES, CapacityProvidersSource
from lambdatop.aws.facts.resources import function_facts
from lambdatop.domain.errors import Denied
from lambdatop.domain.facts.function_state import VCPUS, CapacityProvider
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.keys import Key
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

from ..conftest import MakeBench

pytestmark = [pytest.mark.wire, pytest.mark.sdk]

PROVIDER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:capacity-provider:"
SHOP = Key(SCOPE, "capacity provider", "shop")
DENIED = Fault("AccessDeniedException", "no", 403)


def listed(provider: str = "shop") -> World:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:checkout"
    config = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": PROVIDER + provider}}
    answer = {"FunctionName": "checkout", "FunctionArn": arn}
    facts = function_facts(SCOPE, answer | ({"CapacityProviderConfig": config} if provider else {}))
    return fold(EMPTY_WORLD, ev.FunctionsListed(SCOPE, 1.0, (facts,)))


def item(name: str, **more: Any) -> dict[str, Any]:
    needed = {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": []}}
    role = {"CapacityProviderOperatorRoleArn": f"arn:aws:iam::{ACCOUNT}:role/r"}
    return {
        "CapacityProviderArn": PROVIDER + name,
        "State": "Active",
        "PermissionsConfig": role,
        **needed,
        **more,
    }


def published(*types: str, provider: str = "shop") -> dict[str, Any]:
    def metric(of: str) -> dict[str, Any]:
        values = {"CapacityProviderName": provider, "InstanceType": of}
        return {
            "Namespace": "AWS/Lambda",
            "MetricName": VCPUS[0],
            "Dimensions": [{"Name": name, "Value": value} for name, value in values.items()],
        }

    return {"Metrics": [metric(of) for of in types]}


async def after(bench: MakeBench, world: World) -> tuple[World, Sequence[ev.Event]]:
    made = bench()
    found = await CapacityProvidersSource(made.api, SCOPE).collect(made.view(world=world))
    return fold_all(world, found), found


async def test_nothing_is_asked_where_no_function_runs_on_instances(stub: WireStub, bench: MakeBench) -> None:
    world, found = await after(bench, listed(""))
    assert (world.capacity_providers, stub.calls("ListCapacityProviders")) == ({}, [])
    assert found == (ev.CapacityProvidersListed(SCOPE, found[0].at, ()),)


async def test_a_provider_has_a_state_a_limit_and_vcpus_by_instance_type(
    stub: WireStub, bench: MakeBench
) -> None:
    limit = {"CapacityProviderScalingConfig": {"MaxVCpuCount": 64}}
    first = {"CapacityProviders": [item("shop", **limit)], "NextMarker": "2"}
    stub.on("lambda", "ListCapacityProviders", first, {"CapacityProviders": [item("others")]})
    stub.on("cloudwatch", "ListMetrics", published("m7g.large", "c8g.xlarge"))
    asked: list[dict[str, Any]] = []

    def answer(params: dict[str, Any]) -> dict[str, Any]:
        asked.extend(q["MetricStat"] for q in params["MetricDataQueries"])
        at = params["StartTime"]
        return {
            "MetricDataResults": [
                {"Id": q["Id"], "StatusCode": "Complete", "Timestamps": [at], "Values": [4.0]}
                for q in params["MetricDataQueries"]
            ]
        }

    stub.on("cloudwatch", "GetMetricData", answer)
    world, _ = await after(bench, listed())
    assert [p for _, p in world.capacity_providers.values()] == [
        CapacityProvider(SHOP, "Active", 64, ("c8g.xlarge", "m7g.large"))
    ]
    assert [(m["Metric"]["MetricName"], m["Stat"]) for m in asked] == [(name, "Sum") for name in VCPUS] * 2
    assert {len(m["Metric"]["Dimensions"]) for m in asked} == {2}
    (_, provider) = world.capacity_providers[SHOP]
    assert world.metric(provider.measured_as("m7g.large"), VCPUS[0]).values.tolist() == [4.0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("operation", ["ListMetrics", "GetMetricData"])
async def test_without_metrics_there_is_still_a_state_and_the_gap_is_said(
    stub: WireStub, bench: MakeBench, operation: str
) -> None:
    stub.on("lambda", "ListCapacityProviders", {"CapacityProviders": [item("shop")]})
    stub.on("cloudwatch", "ListMetrics", published("m7g.large"))
    stub.on("cloudwatch", operation, DENIED)
    world, _ = await after(bench, listed())
    (_, provider) = world.capacity_providers[SHOP]
    assert (provider.state, provider.most_vcpus) == ("Active", None)
    assert isinstance(provider.instance_types, NotKnown) is (operation == "ListMetrics")
    (told,) = world.gaps.values()
    assert [(gap.action, gap.reason) for gap in told.gaps] == [(f"cloudwatch:{operation}", "denied")]


async def test_more_instance_types_than_are_asked_for_are_not_known(stub: WireStub, bench: MakeBench) -> None:
    stub.on("lambda", "ListCapacityProviders", {"CapacityProviders": [item("shop")]})
    stub.on("cloudwatch", "ListMetrics", published(*(f"m{n}.large" for n in range(MOST_TYPES + 1))))
    world, _ = await after(bench, listed())
    unread = NotKnown("over the limit", "cloudwatch:GetMetricData")
    assert world.capacity_providers[SHOP][1].instance_types == unread
    (told,) = world.gaps.values()
    assert [(gap.target, gap.reason) for gap in told.gaps] == [("shop", "over the limit")]
    assert stub.calls("GetMetricData") == []


async def test_a_list_that_is_denied_says_so(stub: WireStub, bench: MakeBench) -> None:
    stub.on("lambda", "ListCapacityProviders", DENIED)
    with pytest.raises(Denied, match="ListCapacityProviders"):
        await after(bench, listed())
