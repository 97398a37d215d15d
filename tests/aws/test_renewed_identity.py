"""Credentials that are renewed into another account or role: nothing is sent with them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from fakes.aws_doubles import ACCOUNT, REGION, SCOPE, Counter, Tokens
from fakes.clock import FakeClock
from fakes.drained_queue import CALL as DRAIN
from fakes.drained_queue import DELETE, RECEIVE, filled
from fakes.sts_stub import ROLE, home_with
from fakes.wire_stub import Answer, Fault, stop
from fakes.wire_world import FED, FUNCTION, STREAMED, WireWorld, WorldStub, key
from fakes.wire_world_changes import Q
from fakes.wire_world_flow import Console
from fakes.wire_world_rows import Row, rows
from msgspec.structs import replace

from lambdatop.aws.connect import connect
from lambdatop.aws.sdk.connection import Connection
from lambdatop.domain.errors import IdentityChanged
from lambdatop.domain.facts.principal import same_principal
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.settings.settings import LeaseSettings, ModeSettings, Settings
from lambdatop.storage.drained_messages import SpillFiles

pytestmark = [pytest.mark.sdk, pytest.mark.wire]

OTHER = "222222222222"
WHO = {
    "ASIAFIRST": f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/one",
    "ASIANEXT": f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/two",
    "ASIAROLE": f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/one",
    "ASIAOTHER": f"arn:aws:sts::{OTHER}:assumed-role/ops/one",
}
THROTTLE = Row("throttle_to_zero", FUNCTION)
SKIP = Row("tune_trigger", STREAMED, {"skip_poison": "yes", "on_failure": f"{Q}orders-lost"})
CHANGES = {"PutFunctionConcurrency", "UpdateEventSourceMapping", "DeleteFunctionConcurrency", "UpdateItem"}
HELD = Settings(region=REGION, mode=ModeSettings(accounts=((OTHER, "config.yaml:3 (account)"),)))


class Broker:
    """Hands out keys that the SDK renews before every request, as a process, a container or a role."""

    def __init__(self, stub: WorldStub, directory: Path) -> None:
        self.stub, self.file = stub, directory / "handout.json"
        self.on_identity: Callable[[], None] = lambda: None
        self.asked = 0
        self.issue("ASIAFIRST")
        stub.on("sts", "GetCallerIdentity", self._identity)
        stub.on(
            "sts", "AssumeRole", lambda params: {"Credentials": self._keys() | {"Expiration": self._end()}}
        )

    def issue(self, key_id: str) -> None:
        """Use this key from the next renewal on."""
        answer = {"Version": 1, "AccessKeyId": key_id, "SecretAccessKey": "s", "SessionToken": "t"}
        self.file.write_text(json.dumps(answer | {"Expiration": self._end().isoformat()}))

    def _end(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=12)

    def _keys(self) -> dict[str, Any]:
        told = json.loads(self.file.read_text())
        return {name: told[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")}

    def _identity(self, params: dict[str, Any]) -> Answer:
        self.asked += 1
        arn = WHO.get(self.stub.received[-1].access_key)
        self.on_identity()
        if arn is None:
            return Fault("InvalidClientTokenId", status=403)
        return {"Account": arn.split(":")[4], "Arn": arn, "UserId": "x"}

    async def container(self, request: web.Request) -> web.Response:
        told = json.loads(self.file.read_text())
        told["Expiration"] = self._end().strftime("%Y-%m-%dT%H:%M:%SZ")
        return web.json_response(told | {"Token": told["SessionToken"]})

    def signers(self) -> set[str]:
        """Return whose keys signed mutations."""
        return {r.access_key for r in self.stub.received if r.operation in CHANGES}


@pytest.fixture
async def stub() -> AsyncIterator[WorldStub]:
    async with WorldStub(WireWorld()) as running:
        yield running
    assert running.problems == []


@pytest.fixture
def broker(stub: WorldStub, tmp_path: Path) -> Broker:
    return Broker(stub, tmp_path)


EACH_SOURCE = pytest.mark.parametrize("source", ["process", "container", "role"], indirect=True)


@pytest.fixture
async def source(
    request: pytest.FixtureRequest, broker: Broker, clean: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[None]:
    """Provide the broker by one of three ways of the SDK; a process that runs, when a test names none."""
    kind = getattr(request, "param", "process")
    process = f"credential_process = cat {broker.file}"
    keys = "aws_access_key_id = AKIABASE\naws_secret_access_key = s"
    config = {
        "process": f"[default]\n{process}\n",
        "container": "",
        "role": f"[default]\nrole_arn = {ROLE}\nsource_profile = base\n[profile base]\n{keys}\n",
    }[kind]
    env = home_with(tmp_path, config) | {"AWS_ENDPOINT_URL": broker.stub.url}
    runner = web.AppRunner(web.Application(), access_log=None, shutdown_timeout=0.1)
    if kind == "container":
        runner.app.router.add_get("/creds", broker.container)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"http://127.0.0.1:{runner.addresses[0][1]}/creds"
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        clean.delenv(name)
    for name, value in env.items():
        clean.setenv(name, value)
    yield
    await stop(runner)


async def opened(settings: Settings = HELD) -> tuple[Backend, FakeClock]:
    clock = FakeClock(auto=True)
    backend = await connect(
        Connection(region=REGION), settings=settings, limiter=Tokens(), meter=Counter(), clock=clock
    )
    return backend, clock


@pytest.fixture
async def console(source: None, tmp_path: Path) -> AsyncIterator[Console]:
    backend, clock = await opened()
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    yield Console(directory, backend, clock)
    await backend.close()


@EACH_SOURCE
async def test_another_account_gets_nothing_and_the_sentence_says_whose_it_is(
    console: Console, broker: Broker
) -> None:
    plan = await console.plan(THROTTLE)
    broker.issue("ASIAOTHER")
    done = await console.execute(plan)
    assert done.kind == "not-sent"
    assert WHO["ASIAOTHER"] in done.message
    assert f"instead of {WHO['ASIAFIRST']} (account {ACCOUNT})" in done.message
    assert "held to read-only (config.yaml:3 (account))" in done.message
    assert broker.signers() == set()
    assert console.journal.read() == ()
    # There is no way back on this connection, not even when the old keys come again.
    broker.issue("ASIAFIRST")
    asked = broker.asked
    with pytest.raises(IdentityChanged):
        await console.backend.reader.state(key("function", FUNCTION), ("reserved_concurrency",))
    assert (await console.execute(replace(plan, id="again"))).kind == "not-sent"
    assert (broker.signers(), broker.asked) == (set(), asked)


@EACH_SOURCE
async def test_keys_that_change_after_the_last_question_do_not_sign(console: Console, broker: Broker) -> None:
    plan = await console.plan(THROTTLE)
    mutator = console.backend.mutator
    assert mutator is not None
    asked = await mutator.signer(plan.call)
    broker.issue("ASIAOTHER")
    sent = await mutator.send(plan.call, plan.call.digest())
    assert (asked, sent.outcome) == (WHO["ASIAFIRST"], "applied")
    assert broker.signers() == {"ASIAFIRST"}


async def test_a_change_at_the_very_question_is_seen(console: Console, broker: Broker) -> None:
    """The broker moves while the last question is under way: what signs is what was asked about."""
    plan = await console.plan(THROTTLE)
    broker.on_identity = lambda: broker.issue("ASIAOTHER")
    done = await console.execute(plan)
    assert broker.signers() <= {"ASIAFIRST"}
    (entry,) = console.journal.read() or (None,)
    assert entry is None or entry.actor == WHO["ASIAFIRST"]
    assert done.kind in ("not-sent", "applied", "unknown")


@EACH_SOURCE
async def test_another_session_of_the_same_role_goes_on_and_is_written_down(
    console: Console, broker: Broker
) -> None:
    plan = await console.plan(THROTTLE)
    broker.issue("ASIANEXT")
    assert (await console.execute(plan)).kind == "applied"
    (entry,) = console.journal.read()
    assert (entry.actor, broker.signers()) == (WHO["ASIANEXT"], {"ASIANEXT"})


async def test_another_role_of_the_same_account_is_somebody_else(console: Console, broker: Broker) -> None:
    plan = await console.plan(THROTTLE)
    broker.issue("ASIAROLE")
    done = await console.execute(plan)
    assert (done.kind, broker.signers()) == ("not-sent", set())
    assert "assumed-role/admin/one" in done.message


async def test_keys_of_which_aws_does_not_say_whose_they_are_sign_nothing(
    console: Console, broker: Broker
) -> None:
    plan = await console.plan(THROTTLE)
    broker.issue("ASIASTRANGER")
    assert (await console.execute(plan)).kind == "not-sent"
    assert broker.signers() == set()
    broker.issue("ASIAFIRST")  # not known is not changed: the next one may go through
    assert (await console.execute(replace(plan, id="again"))).kind == "applied"


async def test_a_plan_in_steps_ends_at_the_step_before(console: Console, broker: Broker) -> None:
    plan = await console.plan(SKIP)
    assert len(plan.steps) > 1
    broker.stub.world.on_request = lambda request: broker.issue("ASIAOTHER")
    done = await console.execute(plan)
    assert len(broker.stub.world.requests) == 1
    assert done.kind != "applied"
    assert WHO["ASIAOTHER"] in done.message


async def test_an_undo_is_not_sent_either(console: Console, broker: Broker) -> None:
    assert (await console.execute(await console.plan(THROTTLE))).kind == "applied"
    undo = await console.undo()
    broker.issue("ASIAOTHER")
    assert (await console.execute(undo)).kind == "not-sent"
    broker.stub.world.on_request = lambda request: None
    assert len(broker.stub.world.requests) == 1


async def test_a_drain_stops_with_everything_on_disk(
    console: Console, broker: Broker, tmp_path: Path
) -> None:
    queue = filled(broker.stub, 23)
    spill = SpillFiles(tmp_path / "s", lambda: 0.0).open(SCOPE, "orders")
    mutator: Any = console.backend.mutator
    mutator.wait_s = 0

    def move(operation: str, before: int) -> None:
        if operation == DELETE:
            broker.issue("ASIAOTHER")

    queue.interrupt = move
    sent = await mutator.drain(DRAIN, DRAIN.digest(), spill)
    spill.close()
    assert "renewed as another identity" in sent.detail
    assert len(broker.stub.calls(RECEIVE)) == len(broker.stub.calls(DELETE)) == 1
    assert {r.access_key for r in broker.stub.received if r.operation in (RECEIVE, DELETE)} == {"ASIAFIRST"}
    assert len(queue.deleted) == 10
    assert len(queue.waiting) == 13


@pytest.mark.parametrize("row", [row for row in rows() if not row.honest], ids=lambda row: row.name)
async def test_no_mitigation_is_sent_by_somebody_else(console: Console, broker: Broker, row: Row) -> None:
    row.prepare(broker.stub.world)
    plan = await console.plan(row)
    broker.issue("ASIAOTHER")
    assert (await console.execute(plan)).kind == "not-sent"
    assert broker.stub.world.requests == []
    assert {r.operation for r in broker.stub.received if r.access_key == "ASIAOTHER"} == {"GetCallerIdentity"}
    assert {entry.outcome for entry in console.journal.read()} <= {"not-sent"}


async def test_a_lease_is_not_taken_by_somebody_else(source: None, broker: Broker) -> None:
    backend, _ = await opened(replace(HELD, lease=LeaseSettings("leases", 60.0)))
    assert backend.lease is not None
    broker.stub.on("dynamodb", "UpdateItem", {})
    broker.issue("ASIAOTHER")
    leased = await backend.lease.take(key("mapping", FED), "ann", 0.0)
    assert "renewed as another identity" in leased.words
    assert broker.signers() == set()
    await backend.close()


async def test_many_readers_at_once_ask_once_for_each_renewal(source: None, broker: Broker) -> None:
    backend, _ = await opened()
    target = key("function", FUNCTION)
    broker.issue("ASIANEXT")
    before = broker.asked
    read = backend.reader.state
    await asyncio.gather(*(read(target, ("reserved_concurrency",)) for _ in range(8)))
    assert broker.asked == before + 1
    broker.issue("ASIAOTHER")
    ends = await asyncio.gather(
        *(read(target, ("reserved_concurrency",)) for _ in range(8)), return_exceptions=True
    )
    # While one of them renews the keys, the others may still sign with those that AWS was asked about.
    assert IdentityChanged in {type(end) for end in ends}
    assert {r.operation for r in broker.stub.received if r.access_key == "ASIAOTHER"} == {"GetCallerIdentity"}
    await backend.close()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("arn:aws:sts::1:assumed-role/ops/a", "arn:aws:sts::1:assumed-role/ops/b", True),
        ("arn:aws:sts::1:assumed-role/ops/a", "arn:aws:sts::2:assumed-role/ops/a", False),
        ("arn:aws:sts::1:assumed-role/ops/a", "arn:aws-cn:sts::1:assumed-role/ops/a", False),
        ("arn:aws:sts::1:assumed-role/ops/a", "arn:aws:sts::1:assumed-role/opsx/a", False),
        ("arn:aws:iam::1:user/team/ann", "arn:aws:iam::1:user/team/bob", False),
        ("arn:aws:iam::1:user/ann", "arn:aws:iam::1:user/ann", True),
        ("arn:aws:iam::1:root", "arn:aws:iam::1:user/root", False),
        ("arn:aws:sts::1:federated-user/a", "arn:aws:sts::1:federated-user/b", False),
        ("", "", False),
    ],
)
def test_who_is_the_same(one: str, other: str, same: bool) -> None:
    assert same_principal(one, other) is same
