"""A queue behind the wire stub, as far as a drain sees one, and a drain of it into a directory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from fakes.aws_doubles import SCOPE, Bench
from fakes.wire_account import ATTRIBUTES
from fakes.wire_stub import Answer, WireStub

from lambdatop.aws.mutation.mutator import AwsMutator
from lambdatop.domain.mitigations.drain import drain
from lambdatop.domain.ports.aws import Sent
from lambdatop.storage.drained_messages import SpillFiles

URL = "http://127.0.0.1/123456789012/orders"
CALL = drain(URL, "orders")
RECEIVE, DELETE = "ReceiveMessage", "DeleteMessageBatch"


def sent(name: str, group: str = "") -> dict[str, Any]:
    """Return a message; its body contains its name."""
    body = f"body of {name}"
    md5 = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
    attributes = {"ApproximateReceiveCount": "1"} | ({"MessageGroupId": group} if group else {})
    return {"MessageId": name, "Body": body, "MD5OfBody": md5, "Attributes": attributes}


class DrainedQueue:
    """Real state: `waiting` in their order, `hidden` by receipt handle, `deleted` as they went.

    `failing` says how often the deletion of a message fails, `interrupt` answers in place of the queue: it
    is asked before each request with the operation and how many of it there were before.
    """

    def __init__(self, stub: WireStub, messages: Iterable[dict[str, Any]]) -> None:
        self.waiting = list(messages)
        self.hidden: dict[str, dict[str, Any]] = {}
        self.deleted: list[str] = []
        self.failing: dict[str, int] = {}
        self.interrupt: Callable[[str, int], Answer | None] = lambda operation, before: None
        self._asked: dict[str, int] = {}
        self._handles = 0
        stub.on("sqs", RECEIVE, lambda p: self._serve(RECEIVE, p, self._receive))
        stub.on("sqs", DELETE, lambda p: self._serve(DELETE, p, self.delete))
        stub.on("sqs", "GetQueueAttributes", lambda p: self._count())

    def come_back(self) -> None:
        """End the visibility timeout of everything."""
        self.waiting += self.hidden.values()
        self.hidden.clear()

    def delete(self, params: dict[str, Any]) -> Answer:
        """Answer DeleteMessageBatch."""
        done: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        for entry in params["Entries"]:
            message = self.hidden.get(entry["ReceiptHandle"])
            name = message["MessageId"] if message else ""
            if self.failing.get(name, 0) > 0:
                self.failing[name] -= 1
                failed.append({"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"})
                continue
            if message is not None:
                del self.hidden[entry["ReceiptHandle"]]
                self.deleted.append(name)
            done.append({"Id": entry["Id"]})
        return {"Successful": done, "Failed": failed}

    def _serve(self, operation: str, params: dict[str, Any], how: Callable[[Any], Answer]) -> Answer:
        before = self._asked.get(operation, 0)
        self._asked[operation] = before + 1
        assert params["QueueUrl"] == URL
        return self.interrupt(operation, before) or how(params)

    def _receive(self, params: dict[str, Any]) -> Answer:
        blocked = {_group(m) for m in self.hidden.values()} - {""}
        free = [m for m in self.waiting if _group(m) not in blocked][: params.get("MaxNumberOfMessages", 1)]
        given = []
        for message in free:
            self.waiting.remove(message)
            self._handles += 1
            handle = f"handle-{self._handles}"
            self.hidden[handle] = message
            given.append(message | {"ReceiptHandle": handle})
        return {"Messages": given} if given else {}

    def _count(self) -> Answer:
        counts = {"ApproximateNumberOfMessages": len(self.waiting)}
        counts["ApproximateNumberOfMessagesNotVisible"] = len(self.hidden)
        return {"Attributes": ATTRIBUTES | {name: str(count) for name, count in counts.items()}}


def _group(message: dict[str, Any]) -> str:
    return str(message["Attributes"].get("MessageGroupId", ""))


class Drainer:
    """A mutator on the stub and the files of one directory."""

    def __init__(self, bench: Bench, directory: Path) -> None:
        self.mutator = AwsMutator(bench.clients, bench.guard, bench.signer)
        self.mutator.wait_s = 0
        self.files = SpillFiles(directory, lambda: 0.0)
        self.directory = directory

    async def run(self) -> Sent:
        spill = self.files.open(SCOPE, "orders")
        try:
            return await self.mutator.drain(CALL, CALL.digest(), spill)
        finally:
            spill.close()

    @property
    def path(self) -> Path:
        return self.directory / "drained" / f"{SCOPE.account}-{SCOPE.region}-orders.jsonl"

    @property
    def kept(self) -> list[str]:
        return [json.loads(line)["MessageId"] for line in self.path.read_text().splitlines()]


def names(count: int) -> list[str]:
    return [f"m{n:03}" for n in range(count)]


def filled(stub: WireStub, count: int) -> DrainedQueue:
    return DrainedQueue(stub, map(sent, names(count)))


def once(operation: str, nth: int, answer: Answer) -> Callable[[str, int], Answer | None]:
    return lambda asked, before: answer if (asked, before) == (operation, nth) else None


def always(operation: str, nth: int, answer: Answer) -> Callable[[str, int], Answer | None]:
    return lambda asked, before: answer if asked == operation and before >= nth else None
