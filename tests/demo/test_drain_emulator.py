"""quarantine_queue with `to=file` on the real flow: the emulator's queue ends up in a private file."""

from __future__ import annotations

import json
import stat
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from demo.clients import Aws
from demo.mitigation_flow import MitigationFlow

from lambdatop.aws.mutation.mutator import AwsMutator
from lambdatop.domain.mitigations.drain import OPERATION
from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.ports.console import Result
from lambdatop.engine.mutating.executor import Executor
from lambdatop.storage.drained_messages import SpillFiles

pytestmark = pytest.mark.wire

COUNT = 37


class Drains:
    """A mitigation flow with files for drained messages."""

    def __init__(self, way: MitigationFlow, directory: Path) -> None:
        self.way, self.directory = way, directory
        self.executor = Executor(
            way.clock,
            way.journal,
            way.backend.reader,
            way.backend.mutator,
            "tester",
            "operator",
            lambda events: None,
            scope=way.backend.identified.scope,
            spills=SpillFiles(directory, way.clock.now),
        )

    async def drain(self, queue: str) -> Result:
        """Quarantine the queue to a file."""
        key = await self.way.backend.reader.find(queue, ("queue",))
        plan = await self.executor.proposals.propose("quarantine_queue", key, {"to": "file"})
        assert isinstance(plan, Plan), plan
        assert plan.steps[-1].call.operation == OPERATION
        return await self.executor.execute(plan, self.way.clock.now())

    def file(self, queue: str) -> Path:
        scope = self.way.backend.identified.scope
        return self.directory / "drained" / f"{scope.account}-{scope.region}-{queue}.jsonl"

    def records(self, queue: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file(queue).read_text().splitlines()]


@pytest.fixture
def drains(mitigation_flow: MitigationFlow, tmp_path: Path) -> Drains:
    assert isinstance(mitigation_flow.backend.mutator, AwsMutator)
    mitigation_flow.backend.mutator.wait_s = 1
    return Drains(mitigation_flow, tmp_path)


def url_of(aws: Aws, queue: str) -> str:
    return str(aws.sqs.get_queue_url(QueueName=queue)["QueueUrl"])


def held(aws: Aws, queue: str) -> int:
    """Return the number of messages in the queue: waiting, in flight or delayed."""
    attributes = aws.sqs.get_queue_attributes(QueueUrl=url_of(aws, queue), AttributeNames=["All"])[
        "Attributes"
    ]
    names = ("", "NotVisible", "Delayed")
    return sum(int(attributes[f"ApproximateNumberOfMessages{name}"]) for name in names)


def fill(aws: Aws, queue: str, *, groups: int = 0, first: int = 0, count: int = COUNT) -> None:
    for n in range(first, first + count):
        more = {"MessageGroupId": f"g{n % groups}", "MessageDeduplicationId": f"d{n}"} if groups else {}
        aws.sqs.send_message(
            QueueUrl=url_of(aws, queue),
            MessageBody=json.dumps({"order": n, "customer": "Jürgen"}),
            MessageAttributes={
                "tenant": {"DataType": "String", "StringValue": f"t{n}"},
                "blob": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
            },
            **more,
        )


def orders(records: list[dict[str, Any]]) -> list[int]:
    return [json.loads(record["Body"])["order"] for record in records]


@pytest.mark.parametrize(("queue", "groups"), [("orders", 0), ("orders.fifo", 4)])
async def test_a_queue_is_drained_into_a_private_file(
    aws: Aws, drains: Drains, queue: str, groups: int
) -> None:
    aws.queue(queue, **({"FifoQueue": "true"} if groups else {}))
    fill(aws, queue, groups=groups)
    done = await drains.drain(queue)
    assert done.kind == "applied", done.message
    assert held(aws, queue) == 0
    records = drains.records(queue)
    assert sorted(orders(records)) == list(range(COUNT))
    assert len({r["MessageId"] for r in records}) == COUNT
    for record in records:
        n = json.loads(record["Body"])["order"]
        assert record["queue"] == queue
        assert record["receive_count"] == 1
        assert record["MessageAttributes"]["tenant"]["StringValue"] == f"t{n}"
        assert record["MessageAttributes"]["blob"]["BinaryValue"] == "AP8="
        assert record["Attributes"].get("MessageGroupId") == (f"g{n % groups}" if groups else None)
        assert "SentTimestamp" in record["Attributes"]
    assert "ReceiptHandle" not in drains.file(queue).read_text()
    assert stat.S_IMODE(drains.file(queue).stat().st_mode) == 0o600
    entry = drains.way.journal.read()[-1]
    assert (entry.call.operation, entry.outcome) == (OPERATION, "applied")
    assert entry.detail == f"drained {COUNT} messages to {drains.file(queue)}"
    in_group: dict[str, list[int]] = defaultdict(list)
    for record in records:
        in_group[record["Attributes"].get("MessageGroupId", record["MessageId"])].append(orders([record])[0])
    assert all(numbers == sorted(numbers) for numbers in in_group.values())


async def test_a_second_drain_goes_on_in_the_same_file(aws: Aws, drains: Drains) -> None:
    aws.queue("orders")
    fill(aws, "orders", count=4)
    await drains.drain("orders")
    fill(aws, "orders", first=4, count=3)
    done = await drains.drain("orders")
    assert done.kind == "applied", done.message
    assert sorted(orders(drains.records("orders"))) == list(range(7))
    assert held(aws, "orders") == 0


async def test_messages_stay_in_the_queue_when_the_file_cannot_be_trusted(aws: Aws, drains: Drains) -> None:
    aws.queue("orders")
    fill(aws, "orders", count=3)
    drains.file("orders").parent.mkdir(mode=0o700)
    drains.file("orders").symlink_to(drains.directory / "elsewhere")
    done = await drains.drain("orders")
    assert done.kind == "not-sent"
    assert "symbolic link" in done.message
    assert held(aws, "orders") == 3
