"""A proxy or gateway that answers with a page of HTML: said in three words, its text stands nowhere."""

from __future__ import annotations

import itertools

import pytest
from fakes.aws_doubles import SCOPE
from fakes.wire_stub import Body, Fault, WireStub

from lambdatop.aws.collectors.functions import FunctionsSource
from lambdatop.aws.collectors.provisioned import ProvisionedSource
from lambdatop.aws.collectors.triggers import TriggersSource
from lambdatop.aws.collectors.wiring import WiringSource
from lambdatop.aws.reads.single_reads import Parts, list_mappings
from lambdatop.aws.sdk import api
from lambdatop.domain.errors import Denied, SourceError, Unreachable
from lambdatop.domain.state.world import EMPTY_WORLD

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


@pytest.mark.parametrize("body", [b"", b"{}", b'{"Functions": null, "Rules": null}'])
async def test_an_answer_without_its_list_is_no_empty_list(
    stub: WireStub, bench: MakeBench, body: bytes
) -> None:
    for operation in (
        "ListFunctions",
        "ListEventSourceMappings",
        "ListAliases",
        "ListVersionsByFunction",
        "ListProvisionedConcurrencyConfigs",
        "ListFunctionEventInvokeConfigs",
        "ListFunctionUrlConfigs",
        "GetPolicy",
    ):
        stub.on("lambda", operation, Body(body, "application/json"))
    stub.on("events", "ListRules", Body(body, "application/json"))
    stub.on("events", "ListTargetsByRule", Body(body, "application/json"))
    made = bench()
    view, asked = made.view(EMPTY_WORLD), made.api
    for reading, lacking in (
        (FunctionsSource(asked, SCOPE).collect(view), "Functions"),
        (list_mappings(asked, SCOPE), "EventSourceMappings"),
        (Parts(asked, SCOPE).aliases("f"), "Aliases"),
        (Parts(asked, SCOPE).provisioned("f"), "ProvisionedConcurrencyConfigs"),
        (ProvisionedSource(asked, SCOPE)._configs("f"), "ProvisionedConcurrencyConfigs"),
        (Parts(asked, SCOPE).alias_configs("f"), "FunctionEventInvokeConfigs"),
        (Parts(asked, SCOPE).url("f"), "FunctionUrlConfigs"),
        (Parts(asked, SCOPE).principals("f", ()), "Policy"),
        (TriggersSource(asked, SCOPE)._policy("f"), "Policy"),
        (WiringSource(asked, SCOPE)._pages("events", "ListRules", "Rules", EventBusName="b"), "Rules"),
    ):
        with pytest.raises(SourceError, match=f"the answer lacks {lacking}"):
            await reading


async def test_sqs_names_its_actions_in_small_letters(stub: WireStub, bench: MakeBench) -> None:
    message = (
        "User: arn:aws:iam::1:user/k is not authorized to perform: sqs:getqueueattributes on resource: x"
    )
    stub.on("sqs", "GetQueueAttributes", Fault("AccessDenied", message, 403))
    with pytest.raises(Denied) as caught:
        await bench().api.read("sqs", "GetQueueAttributes", QueueUrl=f"{stub.url}/1/q")
    assert caught.value.action == "sqs:GetQueueAttributes"


async def test_a_list_without_an_end_is_given_up(
    stub: WireStub, bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "LIST_S", 0.2)
    marks = itertools.count()
    stub.on(
        "lambda",
        "ListEventSourceMappings",
        lambda params: {"EventSourceMappings": [], "NextMarker": f"m{next(marks)}"},
    )
    with pytest.raises(Unreachable, match=r"lambda:ListEventSourceMappings: the list has no end after 0.2 s"):
        await list_mappings(bench().api, SCOPE)
