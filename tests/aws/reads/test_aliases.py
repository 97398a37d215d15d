"""The rules that send to a function, of every bus that may be listed."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import Fault, WireStub

from lambdatop.aws.reads.aliases import MOST_BUSES, Aliases
from lambdatop.domain.errors import Denied, NotThere, SourceError, Throttled

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
    return [key.id for key in (await Aliases(made.api, SCOPE).rules_of(FUNCTION))[0]]


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
    assert "ListEventBuses" in (await Aliases(bench().api, SCOPE).rules_of(FUNCTION))[1]


@pytest.mark.parametrize(
    ("code", "error"), [("AccessDeniedException", Denied), ("UnknownOperationException", NotThere)]
)
async def test_without_the_list_of_buses_no_rule_on_the_default_one_is_no_answer(
    stub: WireStub, bench: MakeBench, code: str, error: type[Exception]
) -> None:
    stub.on("events", "ListRuleNamesByTarget", {"RuleNames": []})
    stub.on("events", "ListEventBuses", Fault(code))
    with pytest.raises(error, match="ListEventBuses"):
        await found(bench)


async def test_more_buses_than_are_looked_at_are_no_answer(stub: WireStub, bench: MakeBench) -> None:
    stub.on("events", "ListRuleNamesByTarget", {"RuleNames": []})
    names = [{"Name": "default"}, *({"Name": f"b{n}"} for n in range(MOST_BUSES + 1))]
    stub.on("events", "ListEventBuses", {"EventBuses": names})
    with pytest.raises(SourceError, match="there are more"):
        await found(bench)
    assert len(stub.calls("ListRuleNamesByTarget")) == MOST_BUSES + 1
    stub.on("events", "ListEventBuses", {"EventBuses": names[:-1]})
    assert await found(bench) == []


async def test_what_fails_is_not_taken_for_no_bus(stub: WireStub, bench: MakeBench) -> None:
    stub.on("events", "ListRuleNamesByTarget", _rules)
    stub.on("events", "ListEventBuses", Fault("ThrottlingException"))
    with pytest.raises(Throttled):
        await found(bench)
