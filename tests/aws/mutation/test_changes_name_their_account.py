"""Every change and every read it rests on names account and region, in a form that AWS's model takes."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import botocore
import pytest
from fakes.aws_doubles import ACCOUNT, REGION
from fakes.clock import FakeClock
from fakes.wire_stub import model_of
from fakes.wire_world import FUNCTION, WireWorld, WorldStub
from fakes.wire_world_changes import BUS, FN
from fakes.wire_world_flow import Console, open_backend
from fakes.wire_world_rows import Row, rows

from lambdatop.aws.sdk.walls.allowlist import READS
from lambdatop.domain.facts.arns import function_arn, partition
from lambdatop.domain.keys import Scope
from lambdatop.domain.mitigations import registry
from lambdatop.domain.plans.plan import Call, Plan, Refusal

pytestmark = [pytest.mark.sdk, pytest.mark.wire]

NO_NAME = {"UpdateEventSourceMapping", "CancelMessageMoveTask", "StopPipe", "StartPipe"}
"""They take an id that AWS made, and no name; of a pipe AWS's model takes the bare name alone."""
LONGEST = "f" * 64


@pytest.fixture
async def stub() -> AsyncIterator[WorldStub]:
    async with WorldStub(WireWorld()) as running:
        yield running
    assert running.problems == []


@pytest.fixture
async def console(stub: WorldStub, tmp_path: Path) -> AsyncIterator[Console]:
    clock = FakeClock(auto=True)
    backend = await open_backend(stub.url, clock)
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    yield Console(directory, backend, clock)
    await backend.close()


def calls_of(plan: Plan) -> Iterator[Call]:
    for step in plan.steps or (plan,):
        yield step.call
        if step.undo is not None and step.undo.params:
            yield step.undo


def names_its_account(params: dict[str, Any]) -> bool:
    """Return whether the first name in it is an ARN, or a queue's URL, of this account."""
    members = ("FunctionName", "EventBusName", "SourceArn", "executionArn", "DurableExecutionArn", "Arn")
    name = next((params[m] for m in members if params.get(m)), None)
    if name is None:
        return str(params.get("QueueUrl")).rsplit("/", 2)[1] == ACCOUNT
    return str(name).split(":")[3:5] == [REGION, ACCOUNT]


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.name)
async def test_each_call_its_undo_and_its_command_name_the_account(
    row: Row, console: Console, stub: WorldStub
) -> None:
    row.prepare(stub.world)
    plan = await console.propose(row)
    assert isinstance(plan, Plan), plan
    for call in calls_of(plan):
        if call.operation not in NO_NAME:
            assert names_its_account(dict(call.params)), call
    for call in (step.call for step in plan.steps or (plan,)):
        for name in ("FunctionName", "EventBusName"):
            assert name not in call.params or f" {call.params[name]} " in plan.cli
    before = len(stub.received)
    await console.execute(plan)
    asked = [r for r in stub.received[before:] if {"FunctionName", "EventBusName"} & set(r.params)]
    assert [
        r for r in asked if r.operation != "ListEventSourceMappings" and not names_its_account(r.params)
    ] == []


def _changing() -> Iterator[tuple[str, str, str]]:
    """Yield every operation with a function or a bus that a change sends, or reads before or after it."""
    sent = set(registry.calls()) | {(s, o) for s, names in READS.items() for o in names}
    for service, operation in sorted(sent & {(s, o) for s in ("lambda", "events") for _, o in sent}):
        members = model_of(service).operation_model(operation).input_shape.members
        yield from ((service, operation, n) for n in ("FunctionName", "EventBusName") if n in members)


@pytest.mark.parametrize(
    ("service", "operation", "member"),
    [(s, o, m) for s, o, m in _changing() if (s, o) != ("lambda", "UpdateEventSourceMapping")],
)
def test_the_model_takes_the_longest_arn_of_every_partition(
    service: str, operation: str, member: str
) -> None:
    shape = model_of(service).operation_model(operation).input_shape.members[member]
    for region in ("us-east-1", "ap-southeast-3", "cn-northwest-1", "us-gov-west-1", "us-isob-east-1"):
        scope = Scope(ACCOUNT, region)
        arn = function_arn(scope, LONGEST)
        if member == "EventBusName":
            arn = f"arn:{partition(region)}:events:{region}:{ACCOUNT}:event-bus/{'b' * 256}"
        assert re.fullmatch(shape.metadata["pattern"], arn), arn
        assert len(arn) <= shape.metadata["max"]


def test_the_partitions_are_those_of_the_sdk() -> None:
    text = (Path(botocore.__file__).parent / "data" / "partitions.json").read_text()
    for known in json.loads(text)["partitions"]:
        for region in known["regions"]:
            if not region.startswith("aws-"):  # "aws-global" is none where anything runs
                assert partition(region) == known["id"], region


async def test_a_namesake_in_another_account_is_not_reached(
    console: Console, stub: WorldStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account behind the endpoint changes; a call by name would arrive, the plan's call does not."""
    plans = {}
    for row in (Row("throttle_to_zero", FUNCTION), Row("disable_rule", "default/nightly")):
        plan = await console.propose(row)
        assert isinstance(plan, Plan)
        plans[row.mitigation] = plan
    for constant, told in (("FN", FN), ("BUS", BUS)):
        monkeypatch.setattr(f"fakes.wire_world_changes.{constant}", told.replace(ACCOUNT, "2" * 12))
    before = json.dumps(stub.world.settings())
    mutator = console.backend.mutator
    assert mutator is not None
    for plan in plans.values():
        sent = await mutator.send(plan.call, plan.call.digest())
        assert (sent.outcome, "ResourceNotFound" in sent.detail) == ("refused", True)
    assert json.dumps(stub.world.settings()) == before
    call = plans["throttle_to_zero"].call
    bare = Call(call.service, call.operation, {**call.params, "FunctionName": FUNCTION})
    assert (await mutator.send(bare, bare.digest())).outcome == "applied"
    assert json.dumps(stub.world.settings()) != before


async def test_an_answer_about_another_account_is_refused_with_a_sentence(
    console: Console, stub: WorldStub
) -> None:
    there = f"arn:aws:lambda:{REGION}:{'2' * 12}:function:{FUNCTION}"
    stub.on(
        "lambda", "GetFunctionConfiguration", {"FunctionName": FUNCTION, "FunctionArn": there, "Timeout": 7}
    )
    refused = await console.propose(Row("throttle_to_zero", FUNCTION))
    assert isinstance(refused, Refusal)
    assert there in refused.reason
    assert stub.world.requests == []


async def test_the_partition_is_the_one_that_aws_told(console: Console, stub: WorldStub) -> None:
    told = FN.replace("arn:aws:", "arn:aws-cn:") + FUNCTION
    stub.on(
        "lambda", "GetFunctionConfiguration", {"FunctionName": FUNCTION, "FunctionArn": told, "Timeout": 7}
    )
    plan = await console.propose(Row("throttle_to_zero", FUNCTION))
    assert isinstance(plan, Plan)
    assert plan.call.params["FunctionName"] == told
    assert plan.undo is not None
    assert plan.undo.params["FunctionName"] == told
