"""Mitigations on the real mitigation flow and the emulator, there and back, compared field by field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from demo.clients import Aws, wait_for
from demo.mitigation_flow import MitigationFlow

pytestmark = pytest.mark.wire

CODE = "def handler(event, context):\n    return 1\n"
NAME = "worker"


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
    """Create a function and nothing else."""


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
    mitigation_flow: MitigationFlow,
    mitigation: str,
    prepare: Step,
    params: dict[str, str],
    look: Step,
    became: Any,
) -> None:
    aws.function(NAME, CODE)
    prepare(aws)
    before = look(aws)
    done = await mitigation_flow.carry_out(mitigation, NAME, **params)
    assert done.kind == "applied", done.message
    now = look(aws)
    if isinstance(became, dict):
        assert {key: now[key] for key in became} == became
        kept = set(before or {}) - set(became) - {"State"}
        assert {key: now[key] for key in kept} == {key: before[key] for key in kept}
    else:
        assert now == became
    wait_for(lambda: look(aws).get("State") in ("Enabled", "Disabled") if look is mapping else True)
    undone = await mitigation_flow.undo()
    assert undone.kind == "applied", undone.message
    wait_for(lambda: look(aws) == before)
