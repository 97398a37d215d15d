"""The shared lease: one winner, a fence that grows, and a sentence for everything that goes wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fakes.aws_doubles import SCOPE, Bench, Counter, HandClock, Tokens
from fakes.time_limit import PATIENCE_S
from fakes.wire_stub import Body, Fault, Hang, Reset, WireStub

from lambdatop.aws.connect import connect
from lambdatop.aws.mutation.lease import DynamoLease, lease_of
from lambdatop.aws.mutation.mutator import AwsMutator
from lambdatop.aws.sdk.connection import Connection
from lambdatop.aws.sdk.walls.allowlist import LEASE
from lambdatop.aws.sdk.walls.guard import GuardRefusal
from lambdatop.demo.process.launch import Demo
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.lease import Held
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.settings.settings import LeaseSettings, Settings

from ..conftest import MakeBench
from ..test_emulator import _boto

pytestmark = [pytest.mark.sdk, pytest.mark.wire]

WORKER = Key(SCOPE, "function", "orders-worker")
KIM, ANN = "kim@bastion", "ann@laptop"
NOW = 1_800_000_000.0
TABLE = "lambdatop-journal"


def lease(made: Bench, **options: Any) -> DynamoLease:
    return DynamoLease(AwsMutator(made.clients, made.guard, made.signer), TABLE, 120.0, **options)


@pytest.fixture
async def backend(emulator: Demo) -> AsyncIterator[Backend]:
    """Yield a backend in operator mode on an emulator that has the table."""
    _boto(emulator, "dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    opened = await _open(emulator, Settings(lease=LeaseSettings(TABLE, 120.0)))
    yield opened
    await opened.close()


async def _open(emulator: Demo, settings: Settings, *, read_only: bool = False) -> Backend:
    connection = Connection(
        region=emulator.region,
        endpoint_url=emulator.endpoint_url,
        access_key=emulator.access_key,
        secret_key=emulator.secret_key,
        session_token=emulator.session_token,
        isolated=True,
        read_only=read_only,
    )
    return await connect(
        connection, settings=settings, limiter=Tokens(), meter=Counter(), clock=HandClock(NOW)
    )


async def test_of_twenty_racers_one_wins_and_the_others_hear_who(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, now = backend.lease, time.time()
    assert isinstance(door, DynamoLease)
    monkeypatch.setattr(door, "_patience_s", PATIENCE_S)  # however busy the machine is
    racers = await asyncio.gather(*(door.take(WORKER, f"racer-{n}", now) for n in range(20)))
    [winner] = [n for n, racer in enumerate(racers) if racer.mine]
    held = racers[winner].held
    assert held is not None
    assert (held.owner, held.fence) == (f"racer-{winner}", 1)
    assert now + 120 <= held.until <= now + 121
    others = [racer for racer in racers if not racer.mine]
    assert {racer.held for racer in others} == {held}
    assert {racer.words for racer in others} == {f"held by {held.words}"}


async def test_it_is_renewed_kept_and_taken_over_after_its_end(backend: Backend) -> None:
    assert backend.lease is not None
    take = backend.lease.take
    first = await take(WORKER, KIM, NOW)
    again = await take(WORKER, KIM, NOW + 60)
    refused = await take(WORKER, ANN, NOW + 61)
    assert [first.held, again.held] == [Held(KIM, NOW + 120, 1), Held(KIM, NOW + 180, 2)]
    assert (refused.mine, refused.held) == (False, again.held)
    assert not (await take(WORKER, ANN, NOW + 180)).mine, "its last second is still the owner's"
    over = await take(WORKER, ANN, NOW + 181)
    assert (over.mine, over.held) == (True, Held(ANN, NOW + 301, 3))
    assert (await take(WORKER._replace(kind="queue"), KIM, NOW)).mine, "other things are free"


async def test_there_is_none_without_a_table_and_none_in_read_only_mode(emulator: Demo) -> None:
    for settings, read_only in (
        (Settings(), False),
        (Settings(lease=LeaseSettings(TABLE)), True),
    ):
        opened = await _open(emulator, settings, read_only=read_only)
        await opened.close()
        assert opened.lease is None
        assert (opened.mutator is None) == read_only


async def test_the_request_is_one_conditional_write_of_one_item(stub: WireStub, bench: MakeBench) -> None:
    item = {"owner": {"S": KIM}, "expires": {"N": "1800000121"}, "fence": {"N": "4"}}
    stub.on(*LEASE, {"Attributes": item})
    taken = await lease(bench(read_only=False)).take(WORKER, KIM, NOW + 0.7)
    assert (taken.mine, taken.held) == (True, Held(KIM, 1_800_000_121.0, 4))
    [call] = stub.calls(LEASE[1])
    assert call["TableName"] == TABLE
    assert call["Key"] == {"pk": {"S": f"{SCOPE.account}/{SCOPE.region}/function/orders-worker"}}
    assert call["ExpressionAttributeValues"] == {
        ":me": {"S": KIM},
        ":until": {"N": "1800000121"},
        ":now": {"N": "1800000000"},
        ":one": {"N": "1"},
    }


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Fault("AccessDeniedException", "User: x is not authorized", status=400), "AccessDeniedException"),
        (Fault("ResourceNotFoundException", "Requested resource not found"), "Requested resource not found"),
        (Fault("ValidationException", "The provided key element does not match"), "does not match"),
        (Fault("ThrottlingException"), "ThrottlingException"),
        (Fault("InternalServerError", status=500), "HTTP 500"),
        (Hang(), "in time"),
        (Reset(), "closed"),
        (Body(b"<html></html>", "text/html"), "could not be understood"),
    ],
    ids=lambda value: value.code if isinstance(value, Fault) else None,
)
async def test_every_failure_is_a_sentence_and_nobody_asks_twice(
    answer: Any, says: str, stub: WireStub, bench: MakeBench
) -> None:
    stub.on(*LEASE, answer)
    outcome = await lease(bench(read_only=False, silence_s=2.0)).take(WORKER, KIM, NOW)
    assert (outcome.mine, outcome.held) == (False, None)
    assert TABLE in outcome.words
    assert says in outcome.words
    assert len(stub.received) == 1


async def test_nobody_waits_long_for_it(stub: WireStub, bench: MakeBench) -> None:
    stub.on(*LEASE, Hang())
    outcome = await lease(bench(read_only=False), patience_s=0.05).take(WORKER, KIM, NOW)
    assert "no answer within 0.05 s" in outcome.words


async def test_a_foreign_item_arrives_harmless(stub: WireStub, bench: MakeBench) -> None:
    odd: list[dict[str, Any]] = [
        {"owner": {"S": "x\x1b[2J\u202e"}, "expires": {"N": "1e999"}, "fence": {"N": "7"}},
        {"owner": {"N": "3"}, "expires": {"S": "soon"}, "fence": {"N": "many"}},
        {},
    ]
    for item in odd:
        stub.on(*LEASE, {"Attributes": item})
        said = await lease(bench(read_only=False)).take(WORKER, KIM, NOW)
        assert said.words.isprintable()
        assert "\u202e" not in said.words


async def test_a_read_only_guard_lets_no_lease_through(stub: WireStub, bench: MakeBench) -> None:
    made = bench(read_only=False)
    made.guard.forbid_changes()
    outcome = await lease(made).take(WORKER, KIM, NOW)
    assert not outcome.mine
    assert "read-only" in outcome.words
    assert stub.received == []


async def test_the_table_is_written_by_the_lease_s_ticket_only(stub: WireStub, bench: MakeBench) -> None:
    client = await bench(read_only=False).client("dynamodb")
    with pytest.raises(GuardRefusal):
        await client.update_item(TableName=TABLE, Key={"pk": {"S": "x"}})
    with pytest.raises(GuardRefusal):
        await client.delete_item(TableName=TABLE, Key={"pk": {"S": "x"}})
    assert stub.received == []


def test_no_table_no_lease(bench: MakeBench) -> None:
    made = bench(read_only=False)
    mutator = AwsMutator(made.clients, made.guard, made.signer)
    assert lease_of(LeaseSettings(), mutator) is None
    assert lease_of(LeaseSettings(TABLE), mutator) is not None
