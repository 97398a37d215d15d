"""The two sources of burn: list prices, and the account's hours that burn is compared with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes.aws_doubles import SCOPE, Bench
from fakes.wire_stub import Fault, WireStub

from lambdatop.aws.collectors.history import BurnHistorySource
from lambdatop.aws.collectors.prices import PricesSource
from lambdatop.aws.sources import build_sources
from lambdatop.aws.spec import Opened
from lambdatop.domain.cost.prices import FIGURES
from lambdatop.domain.errors import Denied, SourceError
from lambdatop.domain.settings.settings import PriceSettings, Settings
from lambdatop.domain.state.events import BurnHistoryObserved, PricesObserved

from ..conftest import MakeBench

NOW = 1_800_000_030.0
HOUR = 1_800_000_000


def product(usage: str, *tiers: tuple[str, str]) -> str:
    """Return one entry of the price list: usage type, and begin and price of each volume tier."""
    dimensions = {
        f"r{i}": {"beginRange": begin, "pricePerUnit": {"USD": usd}} for i, (begin, usd) in enumerate(tiers)
    }
    terms = {"OnDemand": {"t": {"priceDimensions": dimensions}}}
    return json.dumps({"product": {"attributes": {"usagetype": usage}}, "terms": terms})


WHOLE = (
    product("EUC1-Lambda-GB-Second", ("6000000000", "0.0000150000"), ("0", "0.0000166667")),
    product("EUC1-Lambda-GB-Second-ARM", ("0", "0.0000133334")),
    product("EUC1-Request", ("0", "0.0000002000")),
    product("EUC1-Lambda-Storage-GB-Second", ("0", "0.0000000367")),
    product("EUC1-Lambda-Provisioned-Concurrency", ("0", "0.0000050147")),
    product("EUC1-Lambda-Provisioned-Concurrency-ARM", ("0", "0.0000040118")),
    product("EUC1-Lambda-Provisioned-GB-Second", ("0", "0.0000117011")),
    product("EUC1-Lambda-Provisioned-GB-Second-ARM", ("0", "0.0000093609")),
)
STRANGE = (
    "no json",
    json.dumps([1]),
    json.dumps({"product": {"attributes": {"usagetype": "EUC1-Request"}}, "terms": {}}),
    product("EUC1-Request", ("1000", "9.0")),
    product("Lambda-Edge-Request", ("0", "0.0000006")),
    product("Lambda-Edge-GB-Second", ("0", "0.00005001")),
    product("EUC1-Lambda-GB-Second", ("0", "0.0000000000")),
    product("EUC1-Lambda-GB-Second", ("0", "nan")),
    product("EUC1-Lambda-GB-Second", ("0", "17.0")),
    product("EUC1-Lambda-Managed-Instances", ("0", "0.1")),
    product("A" * 100_000, ("0", "0.1")),  # read in a time that does not grow with its square
)


async def prices(bench: Bench) -> PricesObserved:
    (event,) = await PricesSource(bench.api, SCOPE).collect(bench.view())
    assert isinstance(event, PricesObserved)
    return event


async def test_the_first_tier_of_everything_in_the_region_is_read(stub: WireStub, bench: MakeBench) -> None:
    stub.on(
        "pricing",
        "GetProducts",
        {"PriceList": [*STRANGE, *WHOLE[:3]], "NextToken": "more"},
        {"PriceList": [*WHOLE[3:], *STRANGE]},
    )
    made = bench(at=NOW)
    event = await prices(made)
    assert dict(event.figures) == {
        "gb_second_x86": 0.0000166667,
        "gb_second_arm64": 0.0000133334,
        "request": 0.0000002,
        "ephemeral_gb_second": 0.0000000367,
        "provisioned_x86": 0.0000050147,
        "provisioned_arm64": 0.0000040118,
        "provisioned_run_x86": 0.0000117011,
        "provisioned_run_arm64": 0.0000093609,
    }
    assert {*dict(event.figures), "log_gb"} == set(FIGURES)
    assert (event.scope, event.as_of) == (SCOPE, "2027-01-15")
    first, second = stub.calls("GetProducts")
    assert first["ServiceCode"] == "AWSLambda"
    assert first["Filters"] == [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-central-1"}]
    assert second["NextToken"] == "more"
    # The list has no endpoint in most regions, and costs nothing.
    assert {r.region for r in stub.received} == {"us-east-1"}
    assert (made.meter.usd, made.meter.calls) == (0.0, {"pricing.GetProducts": 2})


async def test_us_east_1_has_no_prefix(stub: WireStub, bench: MakeBench) -> None:
    stub.on("pricing", "GetProducts", {"PriceList": [product("Lambda-GB-Second-ARM", ("0", "0.0000133334"))]})
    assert (await prices(bench(at=NOW))).figures == (("gb_second_arm64", 0.0000133334),)


async def test_denied_names_the_action_and_says_that_the_table_stays(
    stub: WireStub, bench: MakeBench
) -> None:
    stub.on("pricing", "GetProducts", Fault("AccessDeniedException", "no", 400))
    with pytest.raises(Denied, match="table stay in force") as caught:
        await prices(bench(at=NOW))
    assert caught.value.action == "pricing:GetProducts"


async def test_a_list_without_our_prices_changes_nothing(stub: WireStub, bench: MakeBench) -> None:
    stub.on("pricing", "GetProducts", {"PriceList": list(STRANGE)})
    with pytest.raises(SourceError, match="names no price of Lambda in eu-central-1"):
        await prices(bench(at=NOW))


def test_prices_are_read_only_where_the_user_allows_it(bench: MakeBench) -> None:
    asked = Settings(prices=PriceSettings(refresh=True))
    names = [s.name for s in build_sources(Opened(bench().api, SCOPE, asked))]
    without = [s.name for s in build_sources(Opened(bench().api, SCOPE, Settings()))]
    assert set(names) - set(without) == {"prices"}
    assert "history" in without


def answer(params: dict[str, Any], status: str = "Complete") -> dict[str, Any]:
    values = {"Duration": [7_200_000.0, 3_600_000.0], "Invocations": [20.0, 10.0]}
    return {
        "MetricDataResults": [
            {
                "Id": q["Id"],
                "Timestamps": [HOUR - 7 * 86_400, HOUR - 86_400],
                "Values": values[q["MetricStat"]["Metric"]["MetricName"]],
                "StatusCode": status,
            }
            for q in params["MetricDataQueries"]
        ]
    }


async def test_a_week_of_hours_costs_two_units(stub: WireStub, bench: MakeBench) -> None:
    stub.on("cloudwatch", "GetMetricData", answer)
    made = bench(at=NOW)
    (event,) = await BurnHistorySource(made.api, SCOPE).collect(made.view())
    assert isinstance(event, BurnHistoryObserved)
    assert event.hours == (
        (HOUR - 7 * 86_400, 7_200_000.0, 20.0),
        (HOUR - 86_400, 3_600_000.0, 10.0),
    )
    assert made.meter.usd == pytest.approx(2 * 0.00001)
    (asked,) = stub.calls("GetMetricData")
    stats = [q["MetricStat"] for q in asked["MetricDataQueries"]]
    assert {(s["Metric"]["MetricName"], s["Period"], s["Stat"]) for s in stats} == {
        ("Duration", 3600, "Sum"),
        ("Invocations", 3600, "Sum"),
    }
    assert not any(s["Metric"].get("Dimensions") for s in stats)
    assert BurnHistorySource(made.api, SCOPE).pace_floor(made.view()) == (0.0, "")


async def test_an_account_without_a_past_is_told_as_such(stub: WireStub, bench: MakeBench) -> None:
    stub.on("cloudwatch", "GetMetricData", {"MetricDataResults": [{"Id": "duration", "Values": []}]})
    made = bench(at=NOW)
    (event,) = await BurnHistorySource(made.api, SCOPE).collect(made.view())
    assert isinstance(event, BurnHistoryObserved)
    assert event.hours == ()


async def test_a_refusal_of_all_series_is_a_failure(stub: WireStub, bench: MakeBench) -> None:
    stub.on("cloudwatch", "GetMetricData", lambda params: answer(params, "Forbidden"))
    made = bench(at=NOW)
    with pytest.raises(SourceError, match="none of the account's hours"):
        await BurnHistorySource(made.api, SCOPE).collect(made.view())
