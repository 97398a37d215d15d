"""Requests for metrics are written the short way, byte for byte as the SDK would write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.serialize import JSONSerializer, create_serializer
from fakes.aws_doubles import SCOPE
from fakes.wire_stub import WireStub, model_of
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.aws.reads.metric_queries import Query
from lambdatop.aws.sdk.wire.fast_serializer import LeanSerializer
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key

from ...conftest import MakeBench

pytestmark = pytest.mark.sdk

NAMES = st.text(max_size=12) | st.sampled_from(['"MetricDataQueries": []', "\\", '"', "\u2028", "ü"])
QUERIES = st.builds(
    lambda key, metric, stat, namespace, dimensions: Query(
        SeriesKey(Key(SCOPE, "function", key), metric, stat), namespace, tuple(dimensions)
    ),
    *(NAMES, NAMES, NAMES, NAMES, st.lists(st.tuples(NAMES, NAMES), max_size=3)),
)


SPAN = {
    "StartTime": datetime.fromtimestamp(1_800_000_000, UTC),
    "EndTime": datetime.fromtimestamp(1_800_003_600, UTC),
    "ScanBy": "TimestampAscending",
}


def sent(serializer: Any, queries: list[dict[str, Any]], **more: object) -> dict[str, Any]:
    parameters = {"MetricDataQueries": queries, **SPAN, **more}
    request: dict[str, Any] = serializer.serialize_to_request(
        parameters, model_of("cloudwatch").operation_model("GetMetricData")
    )
    return request


def plain() -> Any:
    return create_serializer("json", False)


@given(st.lists(QUERIES, max_size=4), st.none() | NAMES)
def test_both_serializers_write_the_same(queries: list[Query], token: str | None) -> None:
    asked = [query.request(f"q{i}") for i, query in enumerate(queries)]
    more = {} if token is None else {"NextToken": token}
    assert sent(LeanSerializer(plain()), asked, **more) == sent(plain(), asked, **more)


async def test_a_client_does_not_look_at_queries_one_by_one(
    stub: WireStub, bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    own = JSONSerializer._serialize

    def serialize(self: Any, *args: Any) -> None:
        seen.append(args)
        own(self, *args)

    monkeypatch.setattr(JSONSerializer, "_serialize", serialize)
    query = Query(SeriesKey(Key(SCOPE, "function", "f"), "Errors", "Sum"), "AWS/Lambda", ())
    asked = [query.request(f"q{i}") for i in range(100)]
    stub.on("cloudwatch", "GetMetricData", {"MetricDataResults": []})
    await bench().api.read("cloudwatch", "GetMetricData", MetricDataQueries=asked, **SPAN)
    assert len(seen) < 10
    assert stub.calls("GetMetricData")[0]["MetricDataQueries"] == asked


async def test_other_requests_go_the_long_way(stub: WireStub, bench: MakeBench) -> None:
    stub.on("cloudwatch", "DescribeAlarms", {"MetricAlarms": []})
    await bench().api.read("cloudwatch", "DescribeAlarms", AlarmNamePrefix="a")
    assert stub.calls("DescribeAlarms") == [{"AlarmNamePrefix": "a"}]
