"""Mitigations on the real corridor and the emulator, there and back, compared field by field."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from demo.clients import Aws, wait_for

from lambdatop.aws.connect import Connection, connect
from lambdatop.domain.mitigations import kind_of
from lambdatop.domain.plan import Plan, Proposal
from lambdatop.domain.ports import Backend, Result
from lambdatop.domain.settings import Limits, Settings
from lambdatop.engine.budget import SpendMeter, TokenBuckets
from lambdatop.engine.clock import SystemClock
from lambdatop.engine.executor import Executor
from lambdatop.storage.journal_file import JournalFile

pytestmark = pytest.mark.wire

CODE = "def handler(event, context):\n    return 1\n"
NAME = "worker"


@dataclass
class Corridor:
    """Reader, journal and executor on the emulator."""

    backend: Backend
    executor: Executor
    clock: SystemClock

    async def propose(self, mitigation: str, target: str, **params: Any) -> Proposal:
        key = await self.backend.reader.find(target, (kind_of(mitigation),))
        return await self.executor.propose(mitigation, key, params)

    async def carry_out(self, mitigation: str, target: str, **params: Any) -> Result:
        return await self._execute(await self.propose(mitigation, target, **params))

    async def undo(self) -> Result:
        return await self._execute(await self.executor.propose_undo(None))

    async def _execute(self, proposal: Proposal) -> Result:
        assert isinstance(proposal, Plan), proposal
        return await self.executor.execute(proposal, self.clock.now())


@pytest_asyncio.fixture
async def corridor(aws: Aws, tmp_path: Path) -> AsyncIterator[Corridor]:
    demo, clock = aws.demo, SystemClock()
    limits = Limits(control_plane_per_s=50.0)
    connection = Connection(
        region=demo.region,
        endpoint_url=demo.endpoint_url,
        access_key=demo.access_key,
        secret_key=demo.secret_key,
        isolated=True,
    )
    backend = await connect(
        connection,
        settings=Settings(limits=limits),
        limiter=TokenBuckets(clock, limits),
        meter=SpendMeter(clock, 0.0),
        clock=clock,
    )
    executor = Executor(
        clock,
        JournalFile(tmp_path),
        backend.reader,
        backend.mutator,
        "tester",
        "operator",
        lambda events: None,
        scope=backend.identified.scope,
    )
    try:
        yield Corridor(backend, executor, clock)
    finally:
        await backend.close()


def reserved(aws: Aws) -> Any:
    return aws.functions.get_function_concurrency(FunctionName=NAME).get("ReservedConcurrentExecutions")


def async_config(aws: Aws) -> Any:
    missing = aws.functions.exceptions.ResourceNotFoundException
    try:
        answer = aws.functions.get_function_event_invoke_config(FunctionName=NAME)
    except missing:
        return None
    return {k: v for k, v in answer.items() if k not in ("ResponseMetadata", "LastModified")}


def recursion(aws: Aws) -> Any:
    return aws.functions.get_function_recursion_config(FunctionName=NAME)["RecursiveLoop"]


def mapping(aws: Aws) -> Any:
    (found,) = aws.functions.list_event_source_mappings(FunctionName=NAME)["EventSourceMappings"]
    return {k: v for k, v in found.items() if k not in ("LastModified", "StateTransitionReason")}


def with_reservation(aws: Aws) -> None:
    aws.functions.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=7)


def with_destination(aws: Aws) -> None:
    arn = aws.queue("failures")
    aws.functions.put_function_event_invoke_config(
        FunctionName=NAME, MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": arn}}
    )


def allowing_loops(aws: Aws) -> None:
    aws.functions.put_function_recursion_config(FunctionName=NAME, RecursiveLoop="Allow")


def fed_by_a_queue(aws: Aws) -> None:
    aws.map_queue(aws.queue("jobs"), NAME)


def fed_by_a_stream(aws: Aws) -> None:
    aws.kinesis.create_stream(StreamName="clicks", ShardCount=1)
    arn = f"arn:aws:kinesis:us-east-1:{aws.demo.account}:stream/clicks"
    aws.functions.create_event_source_mapping(
        EventSourceArn=arn, FunctionName=NAME, StartingPosition="LATEST", BatchSize=10
    )


def nothing(aws: Aws) -> None:
    """A function and nothing else."""


Step = Callable[[Aws], Any]


@pytest.mark.parametrize(
    ("mitigation", "prepare", "params", "look", "became"),
    [
        ("cap_concurrency", nothing, {"reserved": "3"}, reserved, 3),
        ("cap_concurrency", with_reservation, {"reserved": "3"}, reserved, 3),
        ("throttle_to_zero", with_reservation, {}, reserved, 0),
        ("stop_async_retries", nothing, {}, async_config, {"MaximumRetryAttempts": 0}),
        (
            "stop_async_retries",
            with_destination,
            {},
            async_config,
            {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
        ),
        ("restore_async", with_destination, {"retries": "2"}, async_config, {"MaximumRetryAttempts": 2}),
        (
            "restore_async",
            with_destination,
            {"max_age": "90"},
            async_config,
            {"MaximumEventAgeInSeconds": 90},
        ),
        ("stop_recursion", allowing_loops, {}, recursion, "Terminate"),
        (
            "tune_trigger",
            fed_by_a_queue,
            {"max_concurrency": "2"},
            mapping,
            {"ScalingConfig": {"MaximumConcurrency": 2}},
        ),
        ("tune_trigger", fed_by_a_queue, {"batch_size": "5"}, mapping, {"BatchSize": 5}),
        (
            "tune_trigger",
            fed_by_a_stream,
            {"max_retry_attempts": "2", "bisect_on_error": "yes"},
            mapping,
            {"MaximumRetryAttempts": 2, "BisectBatchOnFunctionError": True},
        ),
        ("disable_trigger", fed_by_a_queue, {}, mapping, {"State": "Disabled"}),
    ],
)
async def test_there_and_back(
    aws: Aws,
    corridor: Corridor,
    mitigation: str,
    prepare: Step,
    params: dict[str, str],
    look: Step,
    became: Any,
) -> None:
    aws.function(NAME, CODE)
    prepare(aws)
    before = look(aws)
    done = await corridor.carry_out(mitigation, NAME, **params)
    assert done.kind == "applied", done.message
    now = look(aws)
    if isinstance(became, dict):
        assert {key: now[key] for key in became} == became
        kept = set(before or {}) - set(became) - {"State"}
        assert {key: now[key] for key in kept} == {key: before[key] for key in kept}
    else:
        assert now == became
    wait_for(lambda: look(aws).get("State") in ("Enabled", "Disabled") if look is mapping else True)
    undone = await corridor.undo()
    assert undone.kind == "applied", undone.message
    wait_for(lambda: look(aws) == before)
