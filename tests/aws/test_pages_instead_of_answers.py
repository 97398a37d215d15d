"""A proxy or gateway that answers with a page of HTML: said in three words, its text stands nowhere."""

from __future__ import annotations

import pytest
from fakes.wire_stub import Body, Fault, WireStub

from lambdatop.domain.errors import Denied, SourceError

from .conftest import MakeBench

PAGE = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>Oops</h1></body></html>"


@pytest.mark.parametrize("status", [200, 403, 500, 502, 503])
@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("lambda", "ListFunctions", {}),
        ("sqs", "GetQueueUrl", {"QueueName": "q"}),
        ("cloudwatch", "DescribeAlarms", {}),
        ("sns", "ListSubscriptionsByTopic", {"TopicArn": "arn:aws:sns:eu-central-1:123456789012:t"}),
        ("sts", "GetCallerIdentity", {}),
        ("logs", "FilterLogEvents", {"logGroupName": "g"}),
    ],
)
async def test_no_page_stands_in_a_sentence(
    stub: WireStub, bench: MakeBench, service: str, operation: str, params: dict[str, str], status: int
) -> None:
    stub.on(service, operation, Body(PAGE, "text/html", status=status))
    with pytest.raises(SourceError) as caught:
        await bench().api.read(service, operation, **params)
    words = str(caught.value)
    assert "<" not in words
    assert "Oops" not in words
    if status >= 500:
        assert f"HTTP {status}" in words


async def test_sqs_names_its_actions_in_small_letters(stub: WireStub, bench: MakeBench) -> None:
    message = (
        "User: arn:aws:iam::1:user/k is not authorized to perform: sqs:getqueueattributes on resource: x"
    )
    stub.on("sqs", "GetQueueAttributes", Fault("AccessDenied", message, 403))
    with pytest.raises(Denied) as caught:
        await bench().api.read("sqs", "GetQueueAttributes", QueueUrl=f"{stub.url}/1/q")
    assert caught.value.action == "sqs:GetQueueAttributes"
