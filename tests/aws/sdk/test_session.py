"""The reading door: tokens, counts, pages, retries, and what it drops on the way."""

from __future__ import annotations

import json

import pytest
from fakes.wire_stub import Fault, WireStub

from lambdatop.aws.sdk.session import parse_timestamp

from ..conftest import MakeBench

pytestmark = pytest.mark.sdk


async def test_a_read_takes_a_token_and_is_counted_at_its_price(stub: WireStub, bench: MakeBench) -> None:
    stub.on("lambda", "ListFunctions", {"Functions": []})
    stub.on("cloudwatch", "GetMetricData", {"MetricDataResults": []})
    made = bench()
    await made.api.read("lambda", "ListFunctions")
    query = {"Id": "a", "Expression": "1"}
    await made.api.read(
        "cloudwatch", "GetMetricData", MetricDataQueries=[query, query | {"Id": "b"}], StartTime=0, EndTime=60
    )
    assert made.limiter.taken == ["lambda", "cloudwatch"]
    assert made.meter.calls == {"lambda.ListFunctions": 1, "cloudwatch.GetMetricData": 1}
    assert made.meter.usd == pytest.approx(0.00002)


async def test_readers_retry_and_the_meter_notices(stub: WireStub, bench: MakeBench) -> None:
    stub.on("lambda", "ListFunctions", Fault("ServiceException", status=500), {"Functions": []})
    made = bench(attempts=3)
    await made.api.read("lambda", "ListFunctions")
    assert len(stub.received) == 2
    assert made.meter.calls == {"lambda.ListFunctions": 2}


async def test_pages_are_followed_to_the_end_and_empty_ones_too(stub: WireStub, bench: MakeBench) -> None:
    stub.on(
        "lambda",
        "ListFunctions",
        {"Functions": [], "NextMarker": "1"},
        {"Functions": [{"FunctionName": "a"}], "NextMarker": "2"},
        {"Functions": [{"FunctionName": "b"}]},
    )
    pages = bench().api.pages("lambda", "ListFunctions", token="Marker", next_token="NextMarker")
    names = [f["FunctionName"] async for page in pages for f in page["Functions"]]
    assert names == ["a", "b"]
    assert [p.get("Marker") for p in stub.calls("ListFunctions")] == [None, "1", "2"]


async def test_a_token_that_repeats_itself_ends_the_pages(stub: WireStub, bench: MakeBench) -> None:
    stub.on("lambda", "ListFunctions", {"Functions": [], "NextMarker": "again"})
    pages = bench().api.pages("lambda", "ListFunctions", token="Marker", next_token="NextMarker")
    assert len([page async for page in pages]) == 2


async def test_environment_values_are_dropped_before_anybody_sees_them(
    stub: WireStub, bench: MakeBench
) -> None:
    secret = {"Variables": {"DB_PASSWORD": "hunter2"}}
    one = {"FunctionName": "f", "Environment": secret}
    stub.on("lambda", "ListFunctions", {"Functions": [one, {"FunctionName": "g"}]})
    stub.on("lambda", "GetFunctionConfiguration", one)
    made = bench()
    listed = await made.api.read("lambda", "ListFunctions")
    single = await made.api.read("lambda", "GetFunctionConfiguration", FunctionName="f")
    client = await made.client("lambda")
    paged = [page async for page in client.get_paginator("list_functions").paginate()]
    for answer in (listed, single, paged):
        assert "hunter2" not in json.dumps(answer, default=str)
        assert "DB_PASSWORD" in json.dumps(answer, default=str)


@pytest.mark.parametrize(
    "value", [1800000000, 1800000000.5, "2027-01-15T08:00:00Z", "2027-01-15T08:00:00.000+0000"]
)
def test_the_fast_timestamps_are_the_sdks(value: float | str) -> None:
    from botocore.utils import parse_timestamp as slow

    assert parse_timestamp(value) == slow(value)


async def test_one_client_per_service_however_many_ask_at_once(stub: WireStub, bench: MakeBench) -> None:
    import asyncio

    made = bench()
    clients = await asyncio.gather(*(made.client("sqs") for _ in range(5)))
    assert len({id(c) for c in clients}) == 1
    assert clients[0].meta.config.retries["mode"] == "standard"
