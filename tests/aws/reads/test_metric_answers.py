"""Metric answers are read the short way, and the points that come out are those of the SDK's own parser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiobotocore.parsers import AioJSONParser, AioResponseParserFactory
from fakes.wire_stub import model_of
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.aws.reads.metric_data import Answered, Span
from lambdatop.aws.sdk.wire.fast_parser import TypedFactory

pytestmark = pytest.mark.sdk

START = 1_800_000_000
SPAN = Span(START, START + 3_600)


def result(stamps: list[Any], values: list[Any], **more: Any) -> dict[str, Any]:
    return {"Id": "q0", "Label": "l", "Timestamps": stamps, "Values": values, "StatusCode": "Complete"} | more


def answer(*results: object, **more: object) -> bytes:
    return json.dumps({"MetricDataResults": list(results), "Messages": [], **more}).encode()


DENSE = [float(START + 60 * i) for i in range(5)]
SHORT = {
    "messages": answer(result(DENSE, [1.0] * 5, Messages=[{"Code": "c", "Value": "v"}])),
    "an unknown member": answer(result(DENSE, [1.0] * 5, Later=1)),
    "dense": answer(result(DENSE, [1.0, 2, 3.5, 4, 5])),
    "with gaps": answer(result([DENSE[0], DENSE[3]], [1.0, 2.0])),
    "newest first": answer(result(DENSE[::-1], [1.0, 2.0, 3.0, 4.0, 5.0])),
    "whole seconds": answer(result([int(t) for t in DENSE], [1.0] * 5)),
    "between minutes": answer(result([t + 7.25 for t in DENSE], [1.0] * 5)),
    "beyond the span": answer(result([START - 60.0, *DENSE, START + 3_600.0], [9.0] * 7)),
    "a minute twice": answer(result([DENSE[0], DENSE[0]], [1.0, 2.0])),
    "nothing": answer(result([], [])),
    "no lists": answer({"Id": "q0", "StatusCode": "Forbidden"}),
    "partial": answer(result(DENSE, [1.0] * 5, StatusCode="PartialData"), NextToken="n"),
}
FULL = {
    "not a number": b'{"MetricDataResults": [{"Id": "q0", "Timestamps": [1800000000.0], "Values": [NaN]}]}',
    "infinite": b'{"MetricDataResults": [{"Id": "q0", "Timestamps": [1800000000.0], "Values": [Infinity]}]}',
    "below nothing": answer(result(DENSE, [1.0, -1.0, 1.0, 1.0, 1.0])),
    "beyond any metric": answer(result(DENSE, [1.0, 1.7e308, 1.0, 1.0, 1.0])),
    "hardly more than nothing": answer(result(DENSE, [0, 5e-324, 1.0, 1.0, 1.0])),
    "of unequal length": answer(result(DENSE, [1.0, 2.0])),
    "times as text": answer(result(["2027-01-15T08:00:00Z"], [1.0])),
    "a null": answer(result(DENSE, [1.0] * 5, Label=None)),
    "true for a value": answer(result(DENSE[:1], [True])),
    "a page of a proxy": b"<html></html>",
}


async def parsed(factory: Any, body: bytes) -> Any:
    headers = {"x-amzn-RequestId": "rid", "content-type": "application/x-amz-json-1.0"}
    response = {"status_code": 200, "headers": headers, "body": body, "context": {}}
    shape = model_of("cloudwatch").operation_model("GetMetricData").output_shape
    try:
        return await factory.create_parser("json").parse(response, shape)
    except Exception as error:
        return type(error), str(error)


def points(parse: Any) -> Any:
    """Return the points that the collector makes of an answer."""
    if isinstance(parse, tuple):
        return parse
    got = Answered()
    for each in parse.get("MetricDataResults") or ():
        got.add(each, SPAN)
    rest = {name: value for name, value in parse.items() if name != "MetricDataResults"}
    return got.status, got.ordered(), bool(got), rest


@pytest.mark.parametrize("name", [*SHORT, *FULL])
async def test_both_parsers_make_the_same_of_it(name: str) -> None:
    body = {**SHORT, **FULL}[name]
    full = points(await parsed(AioResponseParserFactory(), body))
    assert points(await parsed(TypedFactory(), body)) == full


@pytest.mark.parametrize(("name", "short"), [*((n, True) for n in SHORT), *((n, False) for n in FULL)])
async def test_only_what_is_plain_goes_the_short_way(
    name: str, short: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    own = AioJSONParser.parse

    async def parse(self: Any, response: dict[str, Any], shape: Any) -> Any:
        seen.append(response["body"])
        return await own(self, response, shape)

    monkeypatch.setattr(AioJSONParser, "parse", parse)
    body = {**SHORT, **FULL}[name]
    await parsed(TypedFactory(), body)
    assert len(seen) == 1
    assert (seen[0] != body and json.loads(seen[0])["MetricDataResults"] == []) is short


minutes = st.integers(-3, 65).map(lambda i: float(START + 60 * i))
pages = st.lists(st.lists(st.tuples(minutes, st.floats(0, 1e9)), max_size=8), max_size=3)


@given(pages)
def test_pages_add_up_whatever_way_each_of_them_takes(given_pages: list[list[tuple[float, float]]]) -> None:
    got, expected = Answered(), dict[int, float]()
    for page in given_pages:
        got.add(result([t for t, _ in page], [v for _, v in page]), SPAN)
        expected |= {int(t): v for t, v in page if SPAN.start <= t < SPAN.end}
    assert got.ordered() == tuple(sorted(expected.items()))
