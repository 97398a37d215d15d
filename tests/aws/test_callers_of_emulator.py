"""A function that a schedule, a pipe and a state machine invoke at once, made in the emulator over HTTP."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any

import boto3
import pytest

from lambdatop.aws.sdk.connection import Connection
from lambdatop.demo.process.launch import Demo
from lambdatop.domain.facts.callers import looks_of
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.situation import AliasSituation, FunctionSituation
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sources import LOOKED_UP
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.world import EMPTY_WORLD

from .conftest import Open

pytestmark = [pytest.mark.wire, pytest.mark.sdk]


def _clients(demo: Demo) -> Any:
    session = boto3.session.Session(demo.access_key, demo.secret_key, demo.session_token, demo.region)
    return lambda service: session.client(service, endpoint_url=demo.endpoint_url)


def _furnish(demo: Demo) -> None:
    """Create the function worker with its alias live, and what invokes both."""
    client, role = _clients(demo), f"arn:aws:iam::{demo.account}:role/r"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("main.py", "def handler(event, context):\n    return 1\n")
    made = client("lambda").create_function(
        FunctionName="worker",
        Runtime="python3.12",
        Handler="main.handler",
        Role=role,
        Code={"ZipFile": buffer.getvalue()},
        Publish=True,
    )
    arn = f"arn:aws:lambda:{demo.region}:{demo.account}:function:worker"
    client("lambda").create_alias(FunctionName="worker", Name="live", FunctionVersion=made["Version"])
    client("sqs").create_queue(QueueName="orders")
    client("scheduler").create_schedule(
        Name="nightly",
        ScheduleExpression="rate(10 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": f"{arn}:live",
            "RoleArn": role,
            "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 600},
        },
    )
    source = f"arn:aws:sqs:{demo.region}:{demo.account}:orders"
    client("pipes").create_pipe(
        Name="handover", Source=source, Target=arn, RoleArn=role, DesiredState="STOPPED"
    )
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    task |= {"Parameters": {"FunctionName": "worker:live"}, "Retry": [{"ErrorEquals": ["States.ALL"]}]}
    definition = json.dumps({"StartAt": "Charge", "States": {"Charge": task}})
    client("stepfunctions").create_state_machine(name="checkout", definition=definition, roleArn=role)


async def test_all_three_are_known_within_one_round_and_in_a_plan(emulator: Demo, opened: Open) -> None:
    _furnish(emulator)
    backend = await opened(
        Connection(
            region=emulator.region,
            endpoint_url=emulator.endpoint_url,
            access_key=emulator.access_key,
            secret_key=emulator.secret_key,
            session_token=emulator.session_token,
            isolated=True,
        )
    )
    scope = backend.identified.scope
    worker = Key(scope, "function", "worker")
    world = EMPTY_WORLD
    for source in (s for s in backend.sources if s.name in LOOKED_UP):
        world = fold_all(world, await source.collect(View(time.time(), world, frozenset({worker}))))
    assert [(c.name, c.function_arn.rsplit(":function:")[1]) for c in world.callers[worker]] == [
        ("schedule default/nightly", "worker:live"),
        ("pipe handover", "worker"),
        ("state machine checkout", "worker:live"),
    ]
    nightly, handover, checkout = world.callers[worker]
    assert nightly.settings.startswith("ENABLED, rate(10 days)")
    assert nightly.retries == "a refused call: retried 3 times within 10 min, then dropped: no DLQ"
    assert (handover.off, handover.settings) == (True, "STOPPED, reads queue orders, as target")
    assert checkout.retries == "Retry States.ALL: 3 times, first after 1 s, then x 2"
    assert [look.missing for look in looks_of(world.looks(scope), world.callers[worker])] == [(), (), ()]

    planned = await backend.reader.situation(worker)
    assert isinstance(planned, FunctionSituation)
    assert [c.name for look in planned.looked_for for c in look.callers] == [
        c.name for c in world.callers[worker]
    ]
    alias = await backend.reader.situation(Key(scope, "alias", "worker:live"))
    assert isinstance(alias, AliasSituation)
    assert [len(look.callers) for look in alias.looked_for] == [1, 1, 1]
