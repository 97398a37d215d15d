"""Fuzzes the answers of every operation that is read: through the SDK's parser, ours, the sources, the fold.

`make(rng)` gives one operation's answer, spoiled, with a seed for the good answers of all others; `one(data)`
has every source and reader of the product read them, and raises on a fault: another exception than the
domain's, or a world of which no snapshot and no JSON can be made.
`PYTHONPATH=tests python tests/fuzz/fuzz_answers.py SECONDS [SEED]` runs it by itself.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aiobotocore.awsrequest import AioAWSResponse
from botocore import xform_name
from fakes.aws_doubles import ACCOUNT, IDENTITY, REGION, SCOPE, Bench
from fakes.wire_stub import XML, model_of
from fakes.wire_xml import answer_xml
from fuzz.mutations import cut, deep, dumped, spoil

from lambdatop.aws.allowlist import READS
from lambdatop.aws.reader import AwsReader
from lambdatop.aws.sources import build_sources
from lambdatop.domain.build import build_snapshot
from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.events import TargetIdentified
from lambdatop.domain.fold import fold_all
from lambdatop.domain.mitigations import REGISTRY, plan
from lambdatop.domain.ports import View
from lambdatop.domain.scope import Key
from lambdatop.domain.settings import Settings
from lambdatop.domain.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.domain.world import EMPTY_WORLD
from lambdatop.storage.codec import snapshot_json

NOW = 1_800_000_000.0
SERVICES = {"cloudwatch-logs": "logs", "eventbridge": "events", "dynamodb-streams": "dynamodbstreams"}
"""Services of the allowlist that botocore's models call otherwise."""
STREAMS = {("logs", "StartLiveTail")}
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:mail"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"
TEXTS = {
    "FunctionName": "mail",
    "FunctionArn": FUNCTION,
    "EventSourceArn": QUEUE,
    "QueueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/orders",
    "UUID": "0f1e2d3c-0000-4000-8000-000000000001",
    "State": "Enabled",
    "Runtime": "python3.12",
    "LastModified": "2026-11-01T10:00:00.000+0000",
    "Policy": json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}}]}),
    "Version": "$LATEST",
    "Name": "live",
    "message": "REPORT RequestId: x\tDuration: 1 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB",
    "logStreamName": "2027/01/15/[$LATEST]0123",
    "Arn": str(IDENTITY["Arn"]),
    "Account": ACCOUNT,
    "StatusCode": "Complete",
}
ATTRIBUTES = {
    "QueueArn": QUEUE,
    "ApproximateNumberOfMessages": "3",
    "ApproximateNumberOfMessagesNotVisible": "1",
    "ApproximateNumberOfMessagesDelayed": "0",
    "VisibilityTimeout": "30",
    "MessageRetentionPeriod": "345600",
    "RedrivePolicy": json.dumps({"deadLetterTargetArn": f"{QUEUE}-dlq", "maxReceiveCount": 3}),
}
TOKENS = ("token", "marker", "nextpage")


def operations() -> list[tuple[str, str]]:
    """Every operation that may be read, by botocore's names."""
    found = {(SERVICES.get(service, service), name) for service, names in READS.items() for name in names}
    known = sorted(found - STREAMS)
    return [(s if s != "sfn" else "stepfunctions", name) for s, name in known]


@cache
def _shape(service: str, operation: str) -> Any:
    return model_of(service).operation_model(operation).output_shape


def good(service: str, operation: str, rng: random.Random) -> Any:
    """A good answer by the model: every member, short lists, names that fit each other."""
    shape = _shape(service, operation)
    return _sample(shape, "", rng, 0) if shape is not None else {}


def _sample(shape: Any, name: str, rng: random.Random, depth: int) -> Any:
    kind = shape.type_name
    if kind == "structure":
        if depth > 6:
            return {}
        members = dict(shape.members)
        if getattr(shape, "is_tagged_union", False):
            members = dict([rng.choice(list(members.items()))])
        return {
            member: _sample(inner, member, rng, depth + 1)
            for member, inner in members.items()
            if not member.lower().endswith(TOKENS) and (depth < 2 or rng.random() < 0.9)
        }
    if kind == "list":
        return [_sample(shape.member, name, rng, depth + 1) for _ in range(rng.randrange(1, 3))]
    if kind == "map":
        return dict(ATTRIBUTES) if name == "Attributes" else {"k": _sample(shape.value, name, rng, depth + 1)}
    return _scalar(shape, name, rng)


def _scalar(shape: Any, name: str, rng: random.Random) -> Any:
    if shape.type_name == "timestamp":
        return NOW - 60
    if shape.type_name in ("integer", "long"):
        return (
            int((NOW - 30) * 1000)
            if "time" in name.lower() and "out" not in name.lower()
            else rng.randrange(1, 9)
        )
    if shape.type_name in ("float", "double"):
        return 1.5
    if shape.type_name == "boolean":
        return rng.random() < 0.5
    if name in TEXTS:
        return TEXTS[name]
    return rng.choice(shape.enum) if getattr(shape, "enum", None) else f"{name.lower()}-1"


def encoded(service: str, operation: str, answer: Any) -> bytes:
    """The answer on the wire."""
    model = model_of(service).operation_model(operation)
    if model.service_model.resolved_protocol not in XML:
        return dumped(answer).encode()
    try:
        return answer_xml(model, _dated(answer)).encode("utf-8", "surrogatepass")
    except (AttributeError, TypeError, KeyError, ValueError):
        return b"<x>not in this form</x>"  # spoiled so that the writer cannot write it


def _dated(value: Any) -> Any:
    """Moments as XML has them."""
    if isinstance(value, dict):
        return {k: _dated(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_dated(v) for v in value]
    return datetime.fromtimestamp(value, UTC).isoformat() if value == NOW - 60 else value


def make(rng: random.Random) -> bytes:
    """`service operation status seed`, a line feed, and the spoiled body."""
    service, operation = rng.choice(operations())
    body = encoded(
        service, operation, spoil(good(service, operation, rng), rng, rng.choice((0.02, 0.1, 0.3)))
    )
    how = rng.randrange(8)
    if how == 0:
        body = cut(body, rng)
    elif how == 1:
        body = rng.choice((b"", b"null", b"[]", b"<html>", b"\xff\xfe", b"{}", deep(rng).encode()))
    status = rng.choice((200, 200, 200, 200, 200, 400, 403, 429, 500))
    return f"{service} {operation} {status} {rng.randrange(1 << 30)}\n".encode() + body


class _Body:
    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read(self) -> bytes:
        return self._data


class Rig:
    """The product's reading side over answers that never were on a wire; one for the whole process."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.bench = Bench("http://127.0.0.1:1", at=NOW)
        self.bench.session.register("before-send", self._answer)
        self.answers: dict[tuple[str, str], tuple[int, bytes]] = {}
        self.rng = random.Random(0)

    def _answer(self, request: Any, event_name: str, **_: Any) -> Any:
        service_id, operation = event_name.split(".")[1:3]
        service = {"cloudwatch-logs": "logs", "eventbridge": "events", "sfn": "stepfunctions"}.get(
            service_id, SERVICES.get(service_id, service_id)
        )
        key = (service, operation)
        if key not in self.answers:
            self.answers[key] = (200, encoded(*key, good(*key, self.rng)))
        status, body = self.answers[key]
        return AioAWSResponse(request.url, status, {"content-type": "application/json"}, _Body(body))

    async def everything(self) -> Snapshot:
        api, settings = self.bench.api, Settings(region=REGION)
        world = fold_all(EMPTY_WORLD, [TargetIdentified(SCOPE, NOW, str(IDENTITY["Arn"]))])
        watched = frozenset({Key(SCOPE, "function", "mail")})
        for source in build_sources(api, SCOPE, settings, identity=str(IDENTITY["Arn"])):
            try:
                world = fold_all(world, await source.collect(View(NOW, world, watched)))
            except LambdatopError as error:
                _is_clean(str(error))
        snapshot = build_snapshot(
            world, previous=EMPTY_SNAPSHOT, at=NOW, version="0", mode="read-only", settings=settings
        )
        json.dumps(snapshot_json(snapshot), allow_nan=False)
        await self._plans(AwsReader(api, SCOPE))
        return snapshot

    async def _plans(self, reader: AwsReader) -> None:
        for key in (
            Key(SCOPE, "function", "mail"),
            Key(SCOPE, "mapping", TEXTS["UUID"]),
            Key(SCOPE, "queue", "orders"),
            Key(SCOPE, "alias", "mail:live"),
            Key(SCOPE, "rule", "default/live"),
        ):
            try:
                situation = await reader.situation(key)
                await reader.who(key)
            except LambdatopError as error:
                _is_clean(str(error))
                continue
            for name, registered in REGISTRY.items():
                if registered.kind == key.kind:
                    _planned(name, situation)

    async def direct(self, service: str, operation: str) -> None:
        """The operation by itself: some are asked for by keys only."""
        client = await self.bench.clients.get(service)
        assert hasattr(client, xform_name(operation))
        model = client.meta.service_model.operation_model(operation)
        shape = model.input_shape
        needed = {m: _input(shape.members[m], m) for m in (shape.required_members if shape else ())}
        try:
            await self.bench.api.read(service, operation, **needed)
        except LambdatopError as error:
            _is_clean(str(error))


def _input(shape: Any, name: str) -> Any:
    return _sample(shape, name, random.Random(1), 0)


def _planned(name: str, situation: Any) -> None:
    try:
        plan(name, situation, {}, NOW, "p")
    except LambdatopError as error:
        _is_clean(str(error))


def _is_clean(sentence: str) -> None:
    assert "\x1b" not in sentence, sentence[:200]
    assert len(sentence) < 3000, sentence[:200]


@cache
def _rig() -> Rig:
    return Rig()


def one(data: bytes) -> None:
    """Have everything read with this one answer; raises on a fault."""
    head, _, body = data.partition(b"\n")
    service, operation, status, seed = head.decode().split()
    _read(service, operation, body, int(status), int(seed))


def snapshot_of(service: str, operation: str, body: bytes) -> Snapshot:
    """The snapshot of a world in which this is one operation's answer, and all others are good."""
    return _read(service, operation, body, 200, 1)


def _read(service: str, operation: str, body: bytes, status: int, seed: int) -> Snapshot:
    rig = _rig()
    rig.rng = random.Random(seed)
    rig.answers = {(service, operation): (status, body)}
    rig.loop.run_until_complete(rig.direct(service, operation))
    return rig.loop.run_until_complete(rig.everything())


def run(seconds: float, seed: int) -> int:
    """Fuzz for so long; how many inputs there were. Raises the first fault, and says how to have it again."""
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = make(random.Random(f"{seed}/{count}"))
        try:
            one(data)
        except BaseException:
            print(f"fault of seed {seed}/{count}: {data[:600]!r}")
            raise
        count += 1
    return count


if __name__ == "__main__":
    print(f"{run(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)} inputs, no fault")
