"""What lambdatop says it spent is what the server was asked for, request by request."""

from __future__ import annotations

from collections import Counter as Count

import pytest
from fakes.aws_doubles import SCOPE
from fakes.wire_account import ATTRIBUTES
from fakes.wire_stub import Fault, WireStub

from lambdatop.aws.mutation.mutator import AwsMutator
from lambdatop.aws.sdk.walls.guard import GuardRefusal
from lambdatop.aws.sources import build_sources
from lambdatop.aws.spec import Opened
from lambdatop.domain.errors import SourceError
from lambdatop.domain.plans.plan import Call
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.events import Event
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

from ...conftest import MakeBench

pytestmark = pytest.mark.sdk

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/orders"


def asked(stub: WireStub) -> dict[str, int]:
    return dict(Count(f"{r.service}.{r.operation}" for r in stub.received))


def price(stub: WireStub) -> float:
    """Return $0.01 per 1,000 metrics, $0.01 per 1,000 CloudWatch requests, $0.40 per million of SQS."""
    usd = 0.0
    for r in stub.received:
        if r.operation == "GetMetricData":
            usd += len(r.params["MetricDataQueries"]) * 0.00001
        else:
            usd += {"cloudwatch": 0.00001, "sqs": 0.0000004}.get(r.service, 0.0)
    return usd


async def test_rounds_of_all_sources_cost_what_the_server_counts(stub: WireStub, bench: MakeBench) -> None:
    function = {
        "FunctionName": "orders-worker",
        "FunctionArn": f"arn:aws:lambda:{SCOPE.region}:{SCOPE.account}:function:orders-worker",
        "Runtime": "python3.13",
        "Timeout": 3,
        "MemorySize": 256,
    }
    mapping = {
        "UUID": "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        "FunctionArn": function["FunctionArn"],
        "EventSourceArn": f"arn:aws:sqs:{SCOPE.region}:{SCOPE.account}:orders",
        "State": "Enabled",
    }
    throttled = Fault("ThrottlingException", status=400)
    stub.on("lambda", "ListFunctions", {"Functions": [function]})
    stub.on("lambda", "ListEventSourceMappings", {"EventSourceMappings": [mapping]})
    stub.on("sqs", "GetQueueUrl", {"QueueUrl": QUEUE})
    stub.on("sqs", "GetQueueAttributes", {"Attributes": ATTRIBUTES})
    stub.on("cloudwatch", "GetMetricData", throttled, {"MetricDataResults": []})
    stub.on("cloudwatch", "DescribeAlarms", {"MetricAlarms": []})
    stub.on("logs", "FilterLogEvents", {"events": []})
    made = bench(attempts=3)
    world = EMPTY_WORLD
    for _ in range(2):
        for source in build_sources(Opened(made.api, SCOPE, Settings())):
            events: list[Event] = []
            try:
                events += await source.collect(made.view(world))
            except SourceError:
                continue  # what this stub does not answer is asked for all the same
            world = fold_all(world, events)
    assert made.meter.calls == asked(stub)
    assert asked(stub)["cloudwatch.GetMetricData"] >= 3  # a retry among them
    assert asked(stub)["sqs.GetQueueAttributes"] >= 2
    assert made.meter.usd == pytest.approx(price(stub), rel=1e-9)
    assert made.meter.usd > 0


async def test_a_mutation_is_counted_once_and_a_refused_one_never(stub: WireStub, bench: MakeBench) -> None:
    stub.on("sqs", "PurgeQueue", {})
    made = bench(read_only=False)
    call = Call("sqs", "PurgeQueue", {"QueueUrl": QUEUE})
    client = await made.client("sqs")
    with pytest.raises(GuardRefusal):
        await client.purge_queue(QueueUrl=QUEUE)
    assert made.meter.calls == asked(stub) == {}
    sent = await AwsMutator(made.clients, made.guard, made.signer).send(call, call.digest())
    assert sent.outcome == "applied"
    assert made.meter.calls == asked(stub) == {"sqs.PurgeQueue": 1}
