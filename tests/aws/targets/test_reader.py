"""Finding what a person means, and reading it fresh."""

from __future__ import annotations

import pytest
from fakes.aws_doubles import ACCOUNT, REGION
from fakes.wire_account import FN, ONE, THREE, TWO, Q, key
from fakes.wire_stub import Fault, WireStub

from lambdatop.aws.targets.reader import AwsReader
from lambdatop.domain.errors import Denied, Missing, SourceError, TargetNotFound


@pytest.mark.parametrize(
    ("text", "kinds", "kind", "id_"),
    [
        ("orders-worker", {"function"}, "function", "orders-worker"),
        (" orders-worker ", {"function"}, "function", "orders-worker"),
        (FN + "orders-worker", {"function"}, "function", "orders-worker"),
        (ONE, {"mapping"}, "mapping", ONE),
        (ONE.upper(), {"mapping"}, "mapping", ONE),
        (f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:{ONE}", {"mapping"}, "mapping", ONE),
        ("orders-worker", {"mapping"}, "mapping", ONE),
        (FN + "orders-worker", {"mapping"}, "mapping", ONE),
        ("bills", {"mapping"}, "mapping", TWO),
        (Q + "bills", {"mapping"}, "mapping", TWO),
        ("orders-dlq", {"queue"}, "queue", "orders-dlq"),
        (Q + "orders-dlq", {"queue"}, "queue", "orders-dlq"),
        (f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/orders", {"queue"}, "queue", "orders"),
        (f"https://{REGION}.queue.amazonaws.com/{ACCOUNT}/orders", {"queue"}, "queue", "orders"),
        (f"http://127.0.0.1:4566/{ACCOUNT}/orders", {"queue"}, "queue", "orders"),
        ("orders", {"function", "queue"}, "queue", "orders"),
    ],
)
async def test_one_target(reader: AwsReader, text: str, kinds: set[str], kind: str, id_: str) -> None:
    assert await reader.find(text, kinds) == key(kind, id_)


@pytest.mark.parametrize(
    "text",
    [
        f"{ACCOUNT}:function:orders-worker",
        f"{ACCOUNT}:orders-worker",
        f"{REGION}:{ACCOUNT}:function:orders-worker",
        "function:orders-worker",
    ],
)
async def test_a_part_of_an_arn_is_taken_as_aws_takes_it(reader: AwsReader, text: str) -> None:
    """Pattern of FunctionName in the model of GetFunction: region, account, `function:` are optional."""
    assert await reader.find(text, {"function"}) == key("function", "orders-worker")
    with pytest.raises(TargetNotFound, match="is about the whole function: write orders-worker"):
        await reader.find(f"{text}:live", {"function"})


@pytest.mark.parametrize("text", ["orders-worker:live", "orders-worker:7", FN + "orders-worker:live"])
async def test_a_version_or_alias_is_not_taken_for_the_whole_function(reader: AwsReader, text: str) -> None:
    """What was seen: `mitigate throttle_to_zero orders-worker:live` throttled all of orders-worker."""
    with pytest.raises(TargetNotFound, match="is about the whole function: write orders-worker") as raised:
        await reader.find(text, {"function"})
    assert raised.value.candidates == ("orders-worker",)


@pytest.mark.parametrize(
    ("text", "kinds", "candidates"),
    [
        ("billing", {"mapping"}, (TWO, THREE)),
        ("orders", {"mapping"}, (ONE, THREE)),
        ("twin", {"function", "queue"}, ("function twin", "queue twin")),
    ],
)
async def test_several_targets_are_refused_with_the_candidates(
    reader: AwsReader, text: str, kinds: set[str], candidates: tuple[str, ...]
) -> None:
    with pytest.raises(TargetNotFound) as caught:
        await reader.find(text, kinds)
    assert len(caught.value.candidates) == len(candidates)
    for candidate in candidates:
        assert any(candidate in c for c in caught.value.candidates)
        assert candidate in str(caught.value)


@pytest.mark.parametrize(
    ("text", "kinds", "near"),
    [
        ("order-worker", {"function"}, "orders-worker"),
        ("worker", {"function"}, "orders-worker"),
        ("ordres-dlq", {"queue"}, "orders-dlq"),
        ("bilIing", {"mapping"}, "billing"),
    ],
)
async def test_no_target_comes_with_near_names(
    reader: AwsReader, text: str, kinds: set[str], near: str
) -> None:
    with pytest.raises(TargetNotFound, match="did you mean") as caught:
        await reader.find(text, kinds)
    assert near in caught.value.candidates


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"arn:aws:lambda:us-west-2:{ACCOUNT}:function:f", "--region"),
        (f"arn:aws:lambda:{REGION}:999999999999:function:f", "999999999999"),
        ("999999999999:function:f", "belongs to account 999999999999"),
        (f"us-west-2:{ACCOUNT}:function:f", "--region"),
        (f"arn:aws-cn:lambda:{REGION}:{ACCOUNT}:function:f", "names the partition aws-cn"),
        (f"arn:aws-us-gov:lambda:us-gov-west-1:{ACCOUNT}:function:f", "us-gov-west-1"),
        (f"arn:aws:sns:{REGION}:{ACCOUNT}:topic", "not the ARN of something that can be changed"),
        ("https://example.com/", "not a queue URL"),
        (Q + "orders", "is a queue"),
        (THREE.replace("3c", "3d"), "is a mapping"),
        ("../../etc", "No function"),
        ("a b\x1b[31m", "No function"),
    ],
)
async def test_what_cannot_be_a_function(reader: AwsReader, text: str, says: str) -> None:
    with pytest.raises(TargetNotFound, match=says) as caught:
        await reader.find(text, {"function"})
    assert "\x1b" not in str(caught.value)


async def test_a_name_with_dots_is_found_where_the_endpoint_knows_it(
    account: WireStub, reader: AwsReader
) -> None:
    account.on("lambda", "GetFunctionConfiguration", {"FunctionName": "us-east-1.edge"})
    assert await reader.find("us-east-1.edge", {"function"}) == key("function", "us-east-1.edge")


async def test_a_replica_that_is_listed_only_says_where_its_function_is(
    account: WireStub, reader: AwsReader
) -> None:
    account.on("lambda", "GetFunctionConfiguration", Fault("ValidationException", status=400))
    account.on("lambda", "ListFunctions", {"Functions": [{"FunctionName": "us-east-1.edge"}]})
    with pytest.raises(TargetNotFound) as caught:
        await reader.find("us-east-1.edge", {"function"})
    assert str(caught.value) == (
        "'us-east-1.edge' is listed, but a request for it by this name finds nothing: as a replica of "
        "Lambda@Edge it is changed where its function is: edge in us-east-1."
    )


async def test_a_denied_search_is_no_missing_target(account: WireStub, reader: AwsReader) -> None:
    account.on("lambda", "GetFunctionConfiguration", Fault("AccessDeniedException", status=403))
    with pytest.raises(Denied):
        await reader.find("orders-worker", {"function"})


@pytest.mark.parametrize(
    ("answer", "value"),
    [({}, None), ({"ReservedConcurrentExecutions": 0}, 0), ({"ReservedConcurrentExecutions": 5}, 5)],
)
async def test_the_state_of_a_function(
    answer: dict[str, int], value: int | None, account: WireStub, reader: AwsReader
) -> None:
    account.on("lambda", "GetFunctionConcurrency", answer)
    state = await reader.state(key("function", "billing"), ["reserved_concurrency"])
    assert state == {"reserved_concurrency": value}


async def test_the_state_of_mappings_and_queues(account: WireStub, reader: AwsReader) -> None:
    assert await reader.state(key("mapping", ONE), {"state"}) == {"state": "Enabled"}
    before = len(account.received)
    assert await reader.state(key("queue", "orders"), ()) == {}
    assert len(account.received) == before
    with pytest.raises(SourceError, match="colour"):
        await reader.state(key("mapping", ONE), {"colour"})
    with pytest.raises(Missing):
        await reader.state(key("mapping", "0f1e2d3c-0000-4000-8000-0000000000ff"), {"state"})


@pytest.mark.parametrize(
    "url",
    [
        f"https://sqs.{REGION}.amazonaws.com/999999999999/orders",
        f"https://sqs.us-west-1.amazonaws.com/{ACCOUNT}/orders",
        f"https://us-west-1.queue.amazonaws.com/{ACCOUNT}/orders",
        f"https://sqs.us-west-1.api.aws/{ACCOUNT}/orders",
    ],
)
async def test_a_queue_url_of_elsewhere_never_means_our_namesake(reader: AwsReader, url: str) -> None:
    with pytest.raises(TargetNotFound, match="choose --profile and --region"):
        await reader.find(url, {"queue"})


async def test_a_rule_that_is_listed_only_is_not_its_own_near_name(
    account: WireStub, reader: AwsReader
) -> None:
    account.on("events", "DescribeRule", Fault("ResourceNotFoundException", status=404))
    account.on("events", "ListRules", {"Rules": [{"Name": "nightly"}]})
    with pytest.raises(TargetNotFound, match="'nightly' is listed, but a request for it"):
        await reader.find("nightly", {"rule"})
    with pytest.raises(TargetNotFound, match="is listed, but a request for it"):
        await reader.find("default/nightly", {"rule"})
