"""`snapshot` on the wire: it asks on until what the first answers made worth asking was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from fakes.command_line import Cli, Ran
from fakes.hostile import running
from fakes.trouble_world import KEPT, LOOPER, LOSER, TIMER, TroubleWorld

from lambdatop.cli import exit_codes

pytestmark = pytest.mark.wire


@pytest.fixture(autouse=True)
def _keys(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "AKIAX"), ("SECRET_ACCESS_KEY", "s"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.fixture
def small() -> Iterator[TroubleWorld]:
    with running(TroubleWorld(4)) as stub:
        yield stub


def shot(cli: Cli, world: TroubleWorld, *args: str) -> Ran:
    return cli("snapshot", "--endpoint-url", world.url, *args)


def test_it_finds_what_takes_a_second_question_and_says_what_it_had_no_time_for(cli: Cli) -> None:
    with running(TroubleWorld(80)) as world:
        ran = shot(cli, world, "--json", "--wait", "15", "--fail-on", "critical")
    seen = json.loads(ran.out)
    found = {(f["detector"], f["target"]["name"]) for f in seen["findings"]}
    assert {("async_loss", LOSER), ("runaway_loop", LOOPER), ("timeouts", TIMER)} <= found
    assert ran.code == exit_codes.FAIL_ON_MET
    late = {gap["action"]: gap["targets"] for gap in seen["gaps"] if gap["reason"] == "out of time"}
    assert late["lambda:GetPolicy"] > 0, "80 functions take longer at five requests a second"
    assert late["lambda:GetFunctionConcurrency"] > 0
    assert not world.problems


def test_it_ends_when_nothing_is_left_to_ask(cli: Cli, small: TroubleWorld) -> None:
    ran = shot(cli, small, "--json", "--wait", "300")
    seen = json.loads(ran.out)
    assert seen["gaps"] == []
    assert {r.params["FunctionName"] for r in small.received if r.operation == "GetPolicy"} == set(
        small.names
    )


def test_a_queue_that_only_the_second_answer_names_is_asked_about(cli: Cli) -> None:
    with running(TroubleWorld(4, kept=True)) as world:
        ran = shot(cli, world, "--json", "--wait", "300")
    seen = json.loads(ran.out)
    assert KEPT in {queue["name"] for queue in seen["queues"]}
    (loss,) = [f for f in seen["findings"] if f["detector"] == "async_loss"]
    assert loss["evidence"]["went_to"] == f"queue {KEPT}"
