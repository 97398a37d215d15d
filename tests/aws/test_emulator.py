"""The whole room on real functions and queues, over HTTP: what is read is what was made."""

from __future__ import annotations

import asyncio
import io
import json
import time
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fakes.aws_doubles import Counter, HandClock, Tokens

from lambdatop.aws.connect import connect
from lambdatop.aws.sdk.connection import Connection
from lambdatop.demo.process.launch import Demo
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.plan import Call
from lambdatop.domain.plans.situation import FunctionSituation
from lambdatop.domain.ports.aws import Backend, View
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.events import LogsObserved
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD, World

pytestmark = [pytest.mark.wire, pytest.mark.sdk]

CODE = "def handler(event, context):\n    print('hello from', context.aws_request_id)\n    return 1\n"


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("main.py", CODE)
    return buffer.getvalue()


def _boto(demo: Demo, service: str) -> Any:
    import boto3

    return boto3.client(
        service,
        endpoint_url=demo.endpoint_url,
        region_name=demo.region,
        aws_access_key_id=demo.access_key,
        aws_secret_access_key=demo.secret_key,
        aws_session_token=demo.session_token,
    )


@pytest.fixture
def made(emulator: Demo) -> dict[str, Any]:
    """Create `worker`, fed by the queue `orders` (disabled trigger) with `orders-dlq`."""
    sqs, lam = _boto(emulator, "sqs"), _boto(emulator, "lambda")
    arn = f"arn:aws:sqs:{emulator.region}:{emulator.account}:"
    sqs.create_queue(QueueName="orders-dlq")
    redrive = json.dumps({"deadLetterTargetArn": arn + "orders-dlq", "maxReceiveCount": 3})
    url = sqs.create_queue(QueueName="orders", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
    lam.create_function(
        FunctionName="worker",
        Runtime="python3.12",
        Handler="main.handler",
        Role=f"arn:aws:iam::{emulator.account}:role/r",
        Code={"ZipFile": _zip()},
        Environment={"Variables": {"TOKEN": "hunter2"}},
    )
    mapping = lam.create_event_source_mapping(
        FunctionName="worker", EventSourceArn=arn + "orders", Enabled=False
    )
    sqs.send_message(QueueUrl=url, MessageBody="x")
    return {"uuid": mapping["UUID"], "url": url, "lambda": lam, "sqs": sqs}


@pytest.fixture
async def backend(emulator: Demo) -> AsyncIterator[Backend]:
    connection = Connection(
        region=emulator.region,
        endpoint_url=emulator.endpoint_url,
        access_key=emulator.access_key,
        secret_key=emulator.secret_key,
        session_token=emulator.session_token,
        isolated=True,
    )
    opened = await connect(
        connection, settings=Settings(), limiter=Tokens(), meter=Counter(), clock=HandClock()
    )
    yield opened
    await opened.close()


async def _round(backend: Backend, world: World = EMPTY_WORLD, *watched: Key) -> World:
    for source in backend.sources:
        world = fold_all(world, await source.collect(View(time.time(), world, frozenset(watched))))
    return world


async def test_one_round_fills_the_world(backend: Backend, emulator: Demo, made: dict[str, Any]) -> None:
    world = await _round(backend)
    scope = backend.identified.scope
    assert scope.account == emulator.account
    worker, orders = Key(scope, "function", "worker"), Key(scope, "queue", "orders")
    assert set(world.functions) == {worker}
    assert world.reserved == {worker: None}
    (mapping,) = world.mappings.values()
    assert (mapping.uuid, mapping.source_queue, mapping.enabled) == (made["uuid"], orders, False)
    assert world.queues[orders].facts.visible == 1
    assert Key(scope, "queue", "orders-dlq") in world.queues
    assert world.accounts[scope].concurrency_limit == 1000
    assert "hunter2" not in repr(world)


async def test_metrics_of_real_executions_are_read(backend: Backend, made: dict[str, Any]) -> None:
    for _ in range(3):
        await asyncio.to_thread(made["lambda"].invoke, FunctionName="worker")
    world = await _round(backend)
    worker = Key(backend.identified.scope, "function", "worker")
    assert sum(world.metric(worker, "Invocations").values) == 3
    assert sum(world.metric(worker, "Errors").values) == 0
    assert max(world.metric(worker, "Duration", "p99").values) > 0
    assert worker in world.metrics_at
    assert Key(backend.identified.scope, "queue", "orders-dlq") in world.metrics_at


async def test_the_log_of_a_real_execution_arrives_once(
    backend: Backend, emulator: Demo, made: dict[str, Any]
) -> None:
    worker = Key(backend.identified.scope, "function", "worker")
    logs = next(s for s in backend.sources if s.name == "logs")
    world = await _round(backend, EMPTY_WORLD)
    await asyncio.to_thread(made["lambda"].invoke, FunctionName="worker")
    seen: list[str] = []
    for _ in range(3):
        for event in await logs.collect(View(time.time(), world, frozenset({worker}))):
            assert isinstance(event, LogsObserved)
            seen += [line.text for line in event.lines]
    assert sum("hello from" in text for text in seen) == 1
    assert sum(text.startswith("REPORT") for text in seen) == 1


async def test_throttle_to_zero_and_back_exactly(backend: Backend, made: dict[str, Any]) -> None:
    assert backend.mutator is not None
    worker = Key(backend.identified.scope, "function", "worker")
    put = Call(
        "lambda", "PutFunctionConcurrency", {"FunctionName": "worker", "ReservedConcurrentExecutions": 0}
    )
    delete = Call("lambda", "DeleteFunctionConcurrency", {"FunctionName": "worker"})
    assert (await backend.mutator.send(put, put.digest())).outcome == "applied"
    assert made["lambda"].get_function_concurrency(FunctionName="worker")["ReservedConcurrentExecutions"] == 0
    assert await backend.reader.state(worker, ["reserved_concurrency"]) == {"reserved_concurrency": 0}
    assert (await backend.mutator.send(delete, delete.digest())).outcome == "applied"
    assert "ReservedConcurrentExecutions" not in made["lambda"].get_function_concurrency(
        FunctionName="worker"
    )
    assert await backend.reader.state(worker, ["reserved_concurrency"]) == {"reserved_concurrency": None}


async def test_a_trigger_is_switched_on_and_the_queue_runs_empty(
    backend: Backend, made: dict[str, Any]
) -> None:
    assert backend.mutator is not None
    on = Call("lambda", "UpdateEventSourceMapping", {"UUID": made["uuid"], "Enabled": True})
    assert (await backend.mutator.send(on, on.digest())).outcome == "applied"
    key = Key(backend.identified.scope, "mapping", made["uuid"])
    assert (await backend.reader.state(key, ["state"]))["state"] in ("Enabling", "Enabled")


async def test_a_purge_empties_the_queue(backend: Backend, made: dict[str, Any]) -> None:
    assert backend.mutator is not None
    purge = Call("sqs", "PurgeQueue", {"QueueUrl": made["url"]})
    assert (await backend.mutator.send(purge, purge.digest())).outcome == "applied"
    left = made["sqs"].get_queue_attributes(
        QueueUrl=made["url"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert left["Attributes"]["ApproximateNumberOfMessages"] == "0"


async def test_a_refusal_of_the_server_is_refused(backend: Backend, made: dict[str, Any]) -> None:
    assert backend.mutator is not None
    call = Call("lambda", "DeleteFunctionConcurrency", {"FunctionName": "nobody"})
    sent = await backend.mutator.send(call, call.digest())
    assert sent.outcome == "refused"
    assert "ResourceNotFoundException" in sent.detail


async def test_targets_are_found_and_their_situation_read(backend: Backend, made: dict[str, Any]) -> None:
    scope = backend.identified.scope
    assert await backend.reader.find("worker", {"function"}) == Key(scope, "function", "worker")
    assert await backend.reader.find("orders", {"mapping"}) == Key(scope, "mapping", made["uuid"])
    assert await backend.reader.find(made["url"], {"queue"}) == Key(scope, "queue", "orders")
    seen = await backend.reader.situation(Key(scope, "function", "worker"))
    assert isinstance(seen, FunctionSituation)
    assert seen.reserved is None
    assert [q.name for q in seen.queues] == ["orders"]
    assert seen.gaps == ()
