"""A drain that was cut off is gone on with: nothing is lost, and nothing is in the file twice."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from fakes.drained_queue import DELETE, Drainer, filled, names, once
from fakes.wire_stub import Hang, WireStub

from .conftest import MakeBench

pytestmark = pytest.mark.sdk


@pytest.fixture
def drainer(bench: MakeBench, tmp_path: Path) -> Drainer:
    return Drainer(bench(read_only=False), tmp_path)


async def test_cancelled_while_it_deletes_it_is_resumed_without_loss(
    stub: WireStub, drainer: Drainer
) -> None:
    queue, arrived = filled(stub, 25), asyncio.Event()
    queue.interrupt = once(DELETE, 1, Hang(arrived.set))
    task = asyncio.create_task(drainer.run())
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (len(queue.deleted), len(drainer.kept)) == (10, 20)
    queue.come_back()
    await drainer.run()
    assert sorted(queue.deleted) == drainer.kept == names(25)


CHILD = """
import asyncio, sys
from pathlib import Path
from fakes.aws_doubles import SCOPE, Bench
from fakes.drained_queue import URL
from lambdatop.aws.mutation.mutator import AwsMutator
from lambdatop.domain.mitigations.drain import drain
from lambdatop.storage.drained_messages import SpillFiles

async def main(url, directory):
    bench, call = Bench(url, read_only=False), drain(URL, "orders")
    spill = SpillFiles(Path(directory), lambda: 0.0).open(SCOPE, "orders")
    await AwsMutator(bench.clients, bench.guard, bench.signer).drain(call, call.digest(), spill)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("applied", [True, False])
async def test_killed_between_fsync_and_delete_nothing_is_lost_or_twice(
    applied: bool, stub: WireStub, drainer: Drainer, tmp_path: Path
) -> None:
    queue, arrived = filled(stub, 25), asyncio.Event()

    def strike() -> None:
        if applied:
            queue.delete(stub.calls(DELETE)[1])
        arrived.set()

    queue.interrupt = once(DELETE, 1, Hang(strike))
    tests = str(Path(__file__).parents[1])
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, stub.url, str(tmp_path), env={"PYTHONPATH": _path(tests)}
    )
    await arrived.wait()
    victim.kill()
    await victim.wait()
    with drainer.path.open("ab") as file:
        file.write(b'{"drained_at":"2027-')  # as if the machine had died in the next write
    queue.come_back()
    again = "" if applied else "; 10 came that the file held already"
    assert (await drainer.run()).detail == f"drained 5 messages to {drainer.path}{again}"
    assert sorted(queue.deleted) == drainer.kept == names(25)


def _path(*first: str) -> str:
    return ":".join((*first, *(p for p in sys.path if p)))
