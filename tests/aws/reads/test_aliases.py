"""The rules that send to a function, of every bus that may be listed."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import Fault, WireStub

from lambdatop.aws.reads.aliases import Aliases
from lambdatop.domain.errors import Throttled

from ..conftest import MakeBench

pytestmark = [pytest.mark.wire, pytest.mark.sdk]

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/"
RULES = {
    "default": ["nightly"],
    f"{BUS}shop": ["orders", "refunds"],
    f"{BUS}aws.partner/x.com/feed": ["feed"],
}


def _rules(params: dict[str, Any]) -> dict[str, Any]:
    assert params["TargetArn"] == FUNCTION
    return {"RuleNames": RULES.get(params.get("EventBusName", "default"), [])}


async def found(bench: MakeBench) -> list[str]:
    made = bench()
    return [key.id for key in await Aliases(made.api, SCOPE).rules_of(FUNCTION)]


async def test_rules_of_other_buses_are_found(stub: WireStub, bench: MakeBench) -> None:
    stub.on("events", "ListRuleNamesByTarget", _rules)
    first = {"EventBuses": [{"Name": "default"}, {"Name": "shop"}], "NextToken": "2"}
    stub.on(
        "events",
        "ListEventBuses",
        first,
        {"EventBuses": [{"Name": "aws.partner/x.com/feed"}, {"Name": "idle"}]},
    )
    assert await found(bench) == [
        "default/nightly",
        "shop/orders",
        "shop/refunds",
        "aws.partner/x.com/feed/feed",
    ]


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnknownOperationException"])
async def test_the_default_bus_alone_where_buses_cannot_be_listed(
    stub: WireStub, bench: MakeBench, code: str
) -> None:
    stub.on("events", "ListRuleNamesByTarget", _rules)
    stub.on("events", "ListEventBuses", Fault(code))
    assert await found(bench) == ["default/nightly"]


async def test_what_fails_is_not_taken_for_no_bus(stub: WireStub, bench: MakeBench) -> None:
    stub.on("events", "ListRuleNamesByTarget", _rules)
    stub.on("events", "ListEventBuses", Fault("ThrottlingException"))
    with pytest.raises(Throttled):
        await found(bench)
