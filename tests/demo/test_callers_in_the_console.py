"""A function that a schedule, a pipe and a state machine invoke at once, in the real console on the emulator.

Everything is real but the terminal: engine, journal, requests, executions. Each of the three is shown after
one round of looking, and is stopped and given back from its own row by its key.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from demo.clients import Aws
from fakes.screens import dialog, press, settle, table, text
from fakes.time_limit import PATIENCE_S
from msgspec.structs import replace
from textual.pilot import Pilot

from lambdatop.aws.sdk.connection import Connection
from lambdatop.cli.compose import engine_thread, wire
from lambdatop.cli.context import settle as settled
from lambdatop.cli.demo_session import demo_settings
from lambdatop.config.theme_file import load_themes
from lambdatop.demo.process.launch import start
from lambdatop.storage.journal_file import JournalFile
from lambdatop.tui.app.app import LambdatopApp
from lambdatop.tui.dialogs.confirm import ConfirmScreen

pytestmark = [pytest.mark.wire, pytest.mark.timeout(300)]

NAME = "worker"
TIMES = 60
"""So many times faster pass the emulator's minutes."""
ROLE = "arn:aws:iam::123456789012:role/test"
CODE = """
def handler(event, context):
    name = event[0]["body"] if isinstance(event, list) else event["by"]
    print("called by " + name)
    if name == "machine":
        raise ValueError("no")
"""
LISTS = ("scheduler.ListSchedules", "pipes.ListPipes", "stepfunctions.ListStateMachines")


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with start(deploy=False, compression=TIMES, async_retry_s=0.2) as demo:
        clients = Aws(demo)
        furnish(clients)
        yield clients
        clients.close()


def furnish(aws: Aws) -> None:
    """Make the function, and what invokes it: each minute, for each message, and again and again."""
    aws.function(NAME, CODE)
    arn = f"arn:aws:lambda:{aws.demo.region}:{aws.demo.account}:function:{NAME}"
    aws.scheduler.create_schedule(
        Name="nightly",
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": ROLE, "Input": json.dumps({"by": "schedule"})},
    )
    aws.pipes.create_pipe(Name="carrier", RoleArn=ROLE, Source=aws.queue("jobs"), Target=arn)
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 30, "BackoffRate": 1.0, "MaxAttempts": 9_999}]
    task = {"Type": "Task", "Resource": arn, "Retry": retry, "End": True}
    definition = json.dumps({"StartAt": "Call", "States": {"Call": task}})
    made = aws.stepfunctions.create_state_machine(name="checkout", definition=definition, roleArn=ROLE)
    for _ in range(2):
        aws.stepfunctions.start_execution(
            stateMachineArn=made["stateMachineArn"], input=json.dumps({"by": "machine"})
        )


async def until(ask: Callable[[], Any]) -> None:
    """Wait until the answer is truthy, off the console's loop."""
    deadline = time.monotonic() + PATIENCE_S
    while not await asyncio.to_thread(ask):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def calls(aws: Aws) -> Counter[str]:
    """Return how often the function was invoked, by whom."""
    lines = [event["message"] for event in aws.log(f"/aws/lambda/{NAME}")]
    return Counter(line.removeprefix("called by ") for line in lines if line.startswith("called by "))


def send(aws: Aws, word: str) -> None:
    aws.sqs.send_message(QueueUrl="jobs", MessageBody=word)


def looks(desk: Desk) -> dict[str, int]:
    """Return how often the lists of the three were read."""
    spent = desk.app.engine.latest().spend
    return {name: n for name, n in (spent.calls if spent else ()) if name in LISTS}


class Desk:
    """The console, and what a person does at it."""

    def __init__(self, pilot: Pilot[None], app: LambdatopApp) -> None:
        self.pilot, self.app = pilot, app

    async def see(self, words: str) -> None:
        """Wait until the screen shows these words."""

        def there() -> bool:
            return words in text(self.app)

        deadline = time.monotonic() + PATIENCE_S
        while not there():
            assert time.monotonic() < deadline, text(self.app)
            await self.pilot.pause(0.05)

    async def select(self, row: str) -> None:
        """Select the row of a caller among the storms."""
        await press(self.pilot, "escape", "2", "g")
        for _ in range(10):
            chosen = table(self.app, "storms").cursor_row
            assert chosen is not None
            if chosen.source_name == row:
                return
            await press(self.pilot, "j")
        raise AssertionError(text(self.app))

    async def confirm(self, key: str) -> str:
        """Press a key, confirm what it plans as the plan asks for it; what the dialog says afterwards."""
        await press(self.pilot, key)
        await self._phase("ready")
        plan = dialog(self.app).plan
        assert plan is not None
        await self._armed()
        await press(self.pilot, *("y" if plan.confirm == "key" else (*_keys(plan.confirm), "enter")))
        await self._phase("done")
        said = text(self.app)
        await press(self.pilot, "escape")
        return said

    async def _armed(self) -> None:
        while not dialog(self.app).armed:
            await self.pilot.pause(0.05)

    async def _phase(self, phase: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not (isinstance(self.app.screen, ConfirmScreen) and self.app.screen.phase == phase):
            assert time.monotonic() < deadline, text(self.app)
            await self.pilot.pause(0.05)
        await settle(self.pilot)


def _keys(words: str) -> list[str]:
    return [{"/": "slash", "-": "minus"}.get(c, c) for c in words]


async def at_desk(aws: Aws, tmp_path: Path, what: Callable[[Desk], Awaitable[None]]) -> None:
    """Run the real engine and console on the emulator; looking for callers happens once in ten minutes."""
    demo = aws.demo
    settings = demo_settings(settled(argparse.Namespace(), {"HOME": str(tmp_path)}).settings, "calm")
    seldom = replace(settings.paces, schedules=600.0, pipes=600.0, state_machines=600.0)
    settings = replace(settings, paces=seldom, metrics=replace(settings.metrics, times=float(TIMES)))
    context = settled(argparse.Namespace(), {"HOME": str(tmp_path)}).with_settings(settings)

    async def locate() -> Connection:
        return Connection(
            region=demo.region,
            endpoint_url=demo.endpoint_url,
            access_key=demo.access_key,
            secret_key=demo.secret_key,
            session_token=demo.session_token,
            isolated=True,
        )

    state = tmp_path / "state"
    with wire(context, locate, JournalFile(state)) as parts:
        thread = engine_thread(context, parts)
        thread.start()
        try:
            app = LambdatopApp(thread, settings, now=parts.clock.now, mode="operator", themes=load_themes([]))
            async with app.run_test(size=(200, 120)) as pilot:
                await what(Desk(pilot, app))
        finally:
            await asyncio.to_thread(thread.stop)


async def test_all_three_are_shown_and_each_is_stopped_and_given_back_from_its_row(
    aws: Aws, tmp_path: Path
) -> None:
    async def at_work(desk: Desk) -> None:
        await until(lambda: calls(aws)["schedule"] and calls(aws)["machine"])
        for row in ("schedule default/nightly", "pipe carrier", "state machine checkout"):
            await desk.see(row)
        await until(lambda: looks(desk).keys() >= set(LISTS))
        assert looks(desk) == dict.fromkeys(LISTS, 1)
        await press(desk.pilot, "1", "enter")
        for name in ("schedule default/nightly", "pipe carrier", "state machine checkout", "3 found"):
            await desk.see(name)

        await desk.select("schedule default/nightly")
        said = await desk.confirm("K")
        assert aws.scheduler.get_schedule(Name="nightly")["State"] == "DISABLED", said
        await desk.confirm("u")
        assert aws.scheduler.get_schedule(Name="nightly")["State"] == "ENABLED"
        before = calls(aws)["schedule"]
        await until(lambda: calls(aws)["schedule"] > before)

        await desk.select("pipe carrier")
        await desk.confirm("F")
        assert aws.pipes.describe_pipe(Name="carrier")["CurrentState"] == "STOPPED"
        send(aws, "held")
        again = calls(aws)["schedule"] + 3
        await until(lambda: calls(aws)["schedule"] >= again)
        assert calls(aws)["held"] == 0
        await desk.confirm("u")
        await until(lambda: calls(aws)["held"] == 1)

        await desk.select("state machine checkout")
        said = await desk.confirm("Z")
        assert said.count("applied: Done: Stop the execution") == 2, said
        stopped = calls(aws)["machine"]
        again = calls(aws)["schedule"] + 3
        await until(lambda: calls(aws)["schedule"] >= again)
        assert calls(aws)["machine"] <= stopped + 2  # what ran at that moment ran to its end

    await at_desk(aws, tmp_path, at_work)
