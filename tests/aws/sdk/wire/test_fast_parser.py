"""Long log answers are read the short way, and what comes out is what the SDK's own parser makes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiobotocore.parsers import AioJSONParser, AioResponseParserFactory
from fakes.wire_stub import Body, Fault, Redirect, WireStub, model_of

from lambdatop.aws.sdk.wire.answer_checks import BAD
from lambdatop.aws.sdk.wire.fast_parser import TypedFactory
from lambdatop.domain.errors import Denied, SourceError, Throttled, Unreachable

from ...conftest import MakeBench

pytestmark = pytest.mark.sdk

EVENT: dict[str, Any] = {
    "logStreamName": "2027/01/15/[$LATEST]0123",
    "timestamp": 1_800_000_000_000,
    "message": "START \u00fc\t\x1b[2J \U0001f600\n",
    "ingestionTime": 1_800_000_000_300,
    "eventId": "1",
}
HEADERS = {"x-amzn-RequestId": "rid", "X-Odd": "Yes", "content-type": "application/x-amz-json-1.1"}


def answer(*events: object, **more: object) -> bytes:
    return json.dumps({"events": list(events), "searchedLogStreams": [], **more}).encode()


SHORT = {
    "an unknown member": answer(EVENT, {**EVENT, "later": "x"}),
    "the list twice": b'{"events": [{"message": "a"}], "events": [{"message": "c"}]}',
    "the list twice, then empty": b'{"events": [{"message": "a"}], "\\u0065vents": []}',
    "ordinary": answer(EVENT, EVENT, nextToken="n"),
    "empty": answer(),
    "last page": answer(EVENT),
    "without an ingestion time": answer({k: v for k, v in EVENT.items() if k != "ingestionTime"}),
    "unknown members of the answer": answer(EVENT, later="x", nextToken=None),
    "a token that is no text": answer(EVENT, nextToken=5),
    "an event without members": answer({}),
    "a member of an event twice": b'{"events": [{"message": "a", "message": "b"}]}',
    "events come last": b'{"nextToken": "n, \\"events\\": [", "events": [{"message": "c"}], "x": [{"y": 1}]}',
    "searched streams": json.dumps(
        {
            "events": [EVENT],
            "searchedLogStreams": [{"logStreamName": "s", "odd": 1, "searchedCompletely": True}],
        }
    ).encode(),
}
FULL = {
    "a number as text": answer({**EVENT, "timestamp": "1800000000000"}),
    "surrogates": b'{"events": [{"message": "\\ud800 \\udc00\\ud800"}]}',
    "NaN elsewhere": b'{"events": [], "odd": NaN}',
    "long stamp": answer({**EVENT, "timestamp": 10**30}),
    "a stamp before all time": answer({**EVENT, "timestamp": -(10**400)}),
    "long time of coming in": answer({**EVENT, "ingestionTime": 10**400}),
    "a time of coming in before all time": answer({**EVENT, "ingestionTime": -1}),
    "a null member": answer({**EVENT, "message": None}),
    "a null event": answer(EVENT, None),
    "a stamp with a fraction": answer({**EVENT, "timestamp": 1.5}),
    "a structure for a message": answer({**EVENT, "message": {"a": [1]}}),
    "true for a stamp": answer({**EVENT, "timestamp": True}),
    "null events": b'{"events": null}',
    "no events": b'{"nextToken": "n"}',
    "events are an object": b'{"events": {"a": {}}}',
    "events are a text": b'{"events": "abc"}',
    "a list of that name further down": b'{"odd": {"events": [{"message": "a"}]}}',
    "no comma": b'{"events": [{"message": "a"} {"message": "a"}]}',
    "a comma too many": b'{"events": [{"message": "a"},]}',
    "events are texts": b'{"events": ["abc"]}',
    "a list": b"[]",
    "null": b"null",
    "nothing": b"",
    "cut short": answer(EVENT)[:-3],
    "a page of a proxy": b"<html><body>Sign in</body></html>",
    "no UTF-8": b'{"events": [{"message": "\xff\xfe"}]}',
    "deep": b'{"events": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a number of 5,000 digits": b'{"events": [{"timestamp": ' + b"9" * 5000 + b"}]}",
}


async def parsed(factory: Any, body: bytes, status: int = 200, operation: str = "FilterLogEvents") -> Any:
    response = {"status_code": status, "headers": HEADERS, "body": body, "context": {}}
    shape = model_of("logs").operation_model(operation).output_shape
    try:
        return await factory.create_parser("json").parse(response, shape)
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("name", [*SHORT, *FULL])
@pytest.mark.parametrize("status", [200, 202, 301, 400, 500, 503])
async def test_both_parsers_make_the_same_of_it(name: str, status: int) -> None:
    body = {**SHORT, **FULL}[name]
    full, lean = (
        await parsed(AioResponseParserFactory(), body, status),
        await parsed(TypedFactory(), body, status),
    )
    if isinstance(full, tuple) and lean != full:  # ours goes on beside what it cannot read, and marks it
        events = lean["events"] if isinstance(lean, dict) else lean
        assert events is BAD or events == [BAD] or events[0] is TypeError
    else:
        assert lean == full


@pytest.mark.parametrize("operation", ["GetLogEvents", "DescribeLogStreams", "PutRetentionPolicy"])
async def test_other_operations_are_left_alone(operation: str) -> None:
    body = b'{"events": [{"timestamp": 1, "message": "a"}], "logStreams": [{"logStreamName": "a"}]}'
    assert await parsed(TypedFactory(), body, 200, operation) == await parsed(
        AioResponseParserFactory(), body, 200, operation
    )


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
    assert (seen[0] != body and json.loads(seen[0])["events"] == []) is short


async def test_the_door_reads_events_and_their_metadata(stub: WireStub, bench: MakeBench) -> None:
    stub.on("logs", "FilterLogEvents", {"events": [EVENT], "nextToken": "n"})
    got = await bench().api.read("logs", "FilterLogEvents", logGroupName="/g")
    assert got["events"] == [EVENT]
    assert got["nextToken"] == "n"
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Body(b"<html>Sign in</html>", "text/html"), SourceError),
        (Body(b'{"events": "abc"}'), SourceError),
        (Redirect("http://127.0.0.1:9/"), Unreachable),
        (Fault("AccessDeniedException"), Denied),
        (Fault("ThrottlingException"), Throttled),
    ],
)
async def test_what_is_no_answer_of_the_service_is_an_error_as_ever(
    stub: WireStub, bench: MakeBench, reply: Any, kind: type[SourceError]
) -> None:
    stub.on("logs", "FilterLogEvents", reply)
    with pytest.raises(kind):
        await bench().api.read("logs", "FilterLogEvents", logGroupName="/g")
