"""What environment variables may say: addresses and known names, and never a value besides."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE
from fakes.wire_stub import WireStub

from lambdatop.aws.collectors.functions import FunctionsSource
from lambdatop.aws.collectors.mappings import MappingsSource
from lambdatop.aws.facts.environment import is_address, names_of, references
from lambdatop.aws.reads.single_reads import Parts
from lambdatop.domain.facts.triggers import Reference
from lambdatop.domain.state.events import FunctionsListed
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

from ..conftest import MakeBench

HERE = f"{REGION}:{ACCOUNT}"
QUEUE = f"arn:aws:sqs:{HERE}:orders"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def _one(value: str) -> str | None:
    found = references({"V": value}, SCOPE, {})
    assert is_address(value) is bool(found)
    return found[0].arn if found else None


@pytest.mark.parametrize(
    ("value", "arn"),
    [
        (QUEUE, QUEUE),
        (f"{QUEUE}.fifo", f"{QUEUE}.fifo"),
        (f"arn:aws:sns:{HERE}:news", f"arn:aws:sns:{HERE}:news"),
        (f"arn:aws:kinesis:{HERE}:stream/clicks", f"arn:aws:kinesis:{HERE}:stream/clicks"),
        (f"arn:aws:events:{HERE}:event-bus/shop", f"arn:aws:events:{HERE}:event-bus/shop"),
        (f"arn:aws:states:{HERE}:stateMachine:pay", f"arn:aws:states:{HERE}:stateMachine:pay"),
        (f"arn:aws:lambda:{HERE}:function:f:live", f"arn:aws:lambda:{HERE}:function:f"),
        (
            f"arn:aws:dynamodb:{HERE}:table/carts/stream/2026-01-01T00:00:00.000",
            f"arn:aws:dynamodb:{HERE}:table/carts",
        ),
        ("arn:aws:s3:::pictures/*", "arn:aws:s3:::pictures"),
        ("arn:aws-cn:sqs:cn-north-1:123456789012:q", "arn:aws-cn:sqs:cn-north-1:123456789012:q"),
        (f"https://sqs.us-west-2.amazonaws.com/{ACCOUNT}/orders", f"arn:aws:sqs:us-west-2:{ACCOUNT}:orders"),
        (
            f"https://sqs.cn-north-1.amazonaws.com.cn/{ACCOUNT}/orders",
            f"arn:aws-cn:sqs:cn-north-1:{ACCOUNT}:orders",
        ),
        (f"https://queue.amazonaws.com/{ACCOUNT}/orders", f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"),
        (f"https://eu-west-1.queue.amazonaws.com/{ACCOUNT}/o", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:o"),
        (f"http://localhost:4566/{ACCOUNT}/orders", QUEUE),
    ],
)
def test_addresses_are_read_as_the_resources_they_name(value: str, arn: str) -> None:
    assert _one(value) == arn


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        f"arn:aws:sqs:{HERE}:user:{SECRET}",
        f"arn:aws:sqs:{HERE}:orders?password={SECRET}",
        f"arn:aws:sqs:{HERE}:orders@{SECRET}",
        f"{QUEUE}\n{SECRET}",
        f"{QUEUE}\n",
        f" {QUEUE}",
        "arn:aws:s3:::bucket/customers/4711/passport.pdf",
        "arn:aws:s3:::user:password",
        f"arn:aws:s3:{HERE}:accesspoint/theirs",
        f"arn:aws:iam::{ACCOUNT}:role/admin",
        f"arn:aws:secretsmanager:{HERE}:secret:db-x1y2z3",
        "arn:aws:sqs:somewhere:12:orders",
        f"https://user:{SECRET}@sqs.eu-west-1.amazonaws.com/{ACCOUNT}/orders",
        f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/orders?token=abc",
        f"https://sqs.eu-west-1.amazonaws.com.evil.example/{ACCOUNT}/orders",
        f"https://hooks.example.com/{ACCOUNT}/T0KEN-in-the-path",
        "postgres://user:hunter2@db:5432/orders",
        f"{QUEUE}{'x' * 5000}",
        f"arn:aws:sqs:{HERE}:\x1b[31morders",
        f"arn:aws:sqs:{HERE}:orders\u202e",
        f"arn:aws:sqs:{HERE}:\u043erders",
        "",
    ],
)
def test_everything_else_is_forgotten(value: str) -> None:
    assert _one(value) is None


def test_a_plain_name_needs_to_be_known_and_to_mean_one_thing() -> None:
    table = f"arn:aws:dynamodb:{HERE}:table/carts"
    names = names_of((QUEUE, f"{table}/stream/2026", table, f"arn:aws:sns:{HERE}:twin", f"{QUEUE[:-6]}twin"))
    variables = {"A": "carts", "B": "orders", "C": "Orders", "D": "twin", "E": "orders ", "F": 7}
    assert references(variables, SCOPE, names) == (Reference("A", table), Reference("B", QUEUE))


def test_at_most_twenty_and_hostile_variable_names_are_cleaned() -> None:
    found = references({f"V{i:02d}": QUEUE for i in range(50)}, SCOPE, {})
    assert [r.variable for r in found] == [f"V{i:02d}" for i in range(20)]
    (evil,) = references({"x\x1b]0;t\x07\u202e": QUEUE}, SCOPE, {})
    assert not any(c in evil.variable for c in "\x1b\x07\u202e")


def _function(name: str, **variables: str) -> dict[str, Any]:
    arn = f"arn:aws:lambda:{HERE}:function:{name}"
    return {"FunctionName": name, "FunctionArn": arn, "Environment": {"Variables": variables}}


async def test_no_other_value_leaves_an_answer(stub: WireStub, bench: MakeBench) -> None:
    table = f"arn:aws:dynamodb:{HERE}:table/carts"
    mapping = {"UUID": "1", "FunctionArn": "f", "EventSourceArn": f"{table}/stream/2026-01-01T00:00:00.000"}
    stub.on("lambda", "ListEventSourceMappings", {"EventSourceMappings": [mapping]})
    first = _function("parent", CHILD="child", SELF="parent", TABLE="carts", PASSWORD=SECRET, URL=QUEUE)
    pages = {"Functions": [first], "NextMarker": "m"}, {"Functions": [_function("child", PARENT="parent")]}
    stub.on("lambda", "ListFunctions", *pages, *pages)
    stub.on("lambda", "GetFunctionConfiguration", first)
    made = bench()
    world, refs = EMPTY_WORLD, []
    for _ in range(2):
        (event,) = await FunctionsSource(made.api, SCOPE).collect(made.view(world))
        assert isinstance(event, FunctionsListed)
        refs.append({f.name: {r.variable: r.arn for r in f.references} for f in event.functions})
        assert SECRET not in repr(event)
        mappings = await MappingsSource(made.api, SCOPE).collect(made.view())
        world = fold_all(world, (event, *mappings))
    function = f"arn:aws:lambda:{HERE}:function:"
    assert refs[0]["parent"] == {"URL": QUEUE}
    assert refs[1]["parent"] == {"URL": QUEUE, "CHILD": f"{function}child", "TABLE": table}
    assert refs[1]["child"] == {"PARENT": f"{function}parent"}
    raw = await Parts(made.api, SCOPE).function("GetFunctionConfiguration", "parent")
    assert SECRET not in repr(raw)
    assert raw["Environment"]["Variables"]["PASSWORD"] == "(hidden)"
