"""Fuzzes the answers of every operation that is read: through the SDK's parser, ours, the sources, the fold.

`make(rng)` gives one operation's answer, spoiled, with a seed for the good answers of all others; `one(data)`
has everything that asks for it read it, and raises on a fault: another exception than the domain's, or a
world of which a snapshot, its JSON, or what people read cannot be made in all parts.
`PYTHONPATH=tests python tests/fuzz/fuzz_answers.py SECONDS [SEED]` runs it by itself.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from aiobotocore.awsrequest import AioAWSResponse
from botocore import xform_name
from fakes.aws_doubles import ACCOUNT, IDENTITY, REGION, SCOPE, Bench
from fakes.wire_stub import XML, model_of
from fakes.wire_xml import answer_xml
from fuzz.mutations import cut, deep, dumped, spoil

from lambdatop.aws.logs.insights import Insights
from lambdatop.aws.sdk.walls.allowlist import READS
from lambdatop.aws.sources import build_sources
from lambdatop.aws.spec import Opened
from lambdatop.aws.targets.reader import AwsReader
from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.keys import Key
from lambdatop.domain.log_analysis.insights import errors_found, errors_query
from lambdatop.domain.mitigations.registry import REGISTRY, plan
from lambdatop.domain.ports.aws import Source, View
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state.events import Event, TargetIdentified
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.domain.state.world import EMPTY_WORLD, World
from lambdatop.report.audit.report import Asked, report
from lambdatop.report.json.snapshot import snapshot_json
from lambdatop.report.text.snapshot import snapshot_text
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.function import page
from lambdatop.tui.screens.log_errors import cost_words, kind_lines
from lambdatop.tui.style.spans import Span, plain

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
    "status": "Complete",
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
NUMBERS = (
    0.0,
    1.0,
    900.0,
    1.7e308,
    -1.7e308,
    -5.0,
    5e-324,
    9e14,
    2.0**360,
    10**330,
    float("nan"),
    float("inf"),
)
SERIES = (*(f"q{n}" for n in range(30)), "m0", "m1", "b0", "age", "duration", "invocations")
TOKENS = ("token", "marker", "nextpage")
TARGETS = {
    "function": Key(SCOPE, "function", "mail"),
    "mapping": Key(SCOPE, "mapping", TEXTS["UUID"]),
    "queue": Key(SCOPE, "queue", "orders"),
    "alias": Key(SCOPE, "alias", "mail:live"),
    "rule": Key(SCOPE, "rule", "default/live"),
    "schedule": Key(SCOPE, "schedule", "default/live"),
    "pipe": Key(SCOPE, "pipe", "live"),
    "state machine": Key(SCOPE, "state machine", "live"),
}
ASKED_UNTIL_DONE = ("GetQueryResults",)
VARIANTS, WHOLE_EVERY, SHOWN_EVERY = 8, 200, 8
"""Worlds of good answers; of so many inputs one is read by everybody from nothing, one shown in all forms."""
NOT_SHOWN = "could not be shown"


def operations() -> list[tuple[str, str]]:
    """Return every operation that may be read, by botocore's names."""
    found = {(SERVICES.get(service, service), name) for service, names in READS.items() for name in names}
    known = sorted(found - STREAMS)
    return [(s if s != "sfn" else "stepfunctions", name) for s, name in known]


@cache
def _shape(service: str, operation: str) -> Any:
    return model_of(service).operation_model(operation).output_shape


def good(service: str, operation: str, rng: random.Random) -> Any:
    """Return a good answer by the model: every member, short lists, names that fit each other."""
    if operation == "GetMetricData":
        return {"MetricDataResults": [_series(id_, rng) for id_ in SERIES]}
    shape = _shape(service, operation)
    return _sample(shape, "", rng, 0) if shape is not None else {}


def _series(id_: str, rng: random.Random) -> dict[str, Any]:
    """Return points of the last minutes, under the ids that queries for metrics use."""
    times = [NOW - 60 * n for n in range(1, rng.choice((3, 6)))]
    values = [float(rng.choice((0, 1, 3, 900))) for _ in times]
    return {"Id": id_, "StatusCode": "Complete", "Timestamps": times, "Values": values}


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
    """Return the answer on the wire."""
    model = model_of(service).operation_model(operation)
    if model.service_model.resolved_protocol not in XML:
        return dumped(answer).encode()
    try:
        return answer_xml(model, _dated(answer)).encode("utf-8", "surrogatepass")
    except (AttributeError, TypeError, KeyError, ValueError):
        return b"<x>not in this form</x>"  # spoiled so that the writer cannot write it


def _dated(value: Any) -> Any:
    """Return moments as XML has them."""
    if isinstance(value, dict):
        return {k: _dated(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_dated(v) for v in value]
    return datetime.fromtimestamp(value, UTC).isoformat() if value == NOW - 60 else value


def make(rng: random.Random) -> bytes:
    """Return `service operation status seed`, a line feed, and the spoiled body."""
    service, operation = rng.choice(operations()) if rng.random() < 0.9 else ("cloudwatch", "GetMetricData")
    answer = good(service, operation, rng)
    if operation == "GetMetricData" and rng.random() < 0.5:
        for series in answer["MetricDataResults"]:
            series["Values"] = [rng.choice(NUMBERS) for _ in series["Values"]]
    body = encoded(service, operation, spoil(answer, rng, rng.choice((0.02, 0.1, 0.3))))
    how = rng.randrange(8)
    if how == 0:
        body = cut(body, rng)
    elif how == 1:
        body = rng.choice((b"", b"null", b"[]", b"<html>", b"\xff\xfe", b"{}", deep(rng).encode()))
    status = rng.choice((200, 200, 200, 200, 200, 400, 403, 429, 500))
    return f"{service} {operation} {status} {rng.randrange(1 << 30)}\n".encode() + body


Call = Callable[[str, Any], Awaitable[Any]]


class _Body:
    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read(self) -> bytes:
        return self._data


class _Request:
    """What the SDK hands on where nothing is sent: signing and putting it together took longest of all."""

    method, body = "POST", b""

    def __init__(self, url: str) -> None:
        self.url = url
        self.headers: dict[str, str] = {}

    def reset_stream(self) -> None:
        """Do nothing: there is no stream."""


@cache
def _good_bytes(service: str, operation: str, variant: int) -> bytes:
    return encoded(service, operation, good(service, operation, random.Random(f"{operation} {variant}")))


class Rig:
    """The product's reading side over answers that never were on a wire; one for the whole process.

    `stages` are what reads: sources, plans of one target, questions. Who asks for which operation is learned
    from good answers, so that an input is read by those that ask for it, and by nothing else.
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.bench = Bench("http://127.0.0.1:1", at=NOW)
        self.bench.session.register("before-send", self._answer)
        own = self.bench.clients.get

        async def get(service: str) -> Any:
            client = await own(service)
            if "_make_api_call" not in vars(client):
                client._endpoint.create_request = self._request
                client._make_api_call = partial(self._call, service, client._make_api_call)
            return client

        self.bench.clients.get = get  # type: ignore[method-assign]
        self.spoiled: dict[tuple[str, str], list[tuple[int, bytes]]] = {}
        self.variant = 0
        self.asked: set[tuple[str, str]] = set()
        self.settings = Settings(region=REGION)
        self.worlds: list[World] = []
        self.kept: dict[tuple[object, ...], bytes] = {}
        self.learning = True
        self.names = (*(s.name for s in self._sources()), "insights", *TARGETS)
        self.stages: dict[tuple[str, str], set[str]] = {}
        self.loop.run_until_complete(self._learn())

    async def _call(self, service: str, own: Call, operation: str, params: Any) -> Any:
        """Return a good answer to a request that was made before, as the parsers made it then."""
        key = (service, operation)
        self.asked.add(key)
        if key in self.spoiled:
            return await own(operation, params)
        request = (*key, self.variant, repr(params))
        if self.learning and request not in self.kept:
            self.kept[request] = pickle.dumps(await own(operation, params))
        return pickle.loads(self.kept[request]) if request in self.kept else await own(operation, params)

    async def _request(self, params: Any, operation_model: Any = None) -> _Request:
        return _Request(params["url"])

    def _answer(self, request: Any, event_name: str, **_: Any) -> Any:
        service_id, operation = event_name.split(".")[1:3]
        service = {"cloudwatch-logs": "logs", "eventbridge": "events", "sfn": "stepfunctions"}.get(
            service_id, SERVICES.get(service_id, service_id)
        )
        key = (service, operation)
        left = self.spoiled.get(key)
        if left:
            status, body = left.pop() if operation in ASKED_UNTIL_DONE else left[0]
        else:
            status, body = 200, _good_bytes(*key, self.variant)
        return AioAWSResponse(request.url, status, {"content-type": "application/json"}, _Body(body))

    async def _learn(self) -> None:
        """Record a world of good answers for each variant, and who asks for what."""
        for self.variant in range(VARIANTS):
            world = fold_all(EMPTY_WORLD, [TargetIdentified(SCOPE, NOW - 60, str(IDENTITY["Arn"]))])
            for _ in range(2):  # the second time some ask for what the first answers named
                self.bench.clock.at = NOW - 60
                for name in self.names:
                    self.asked.clear()
                    world = fold_all(world, await self._stage(name, world))
                    for key in self.asked:
                        self.stages.setdefault(key, set()).add(name)
            self.worlds.append(world)
        self.bench.clock.at, self.learning = NOW, False

    async def _stage(self, name: str, world: World) -> Sequence[Event]:
        """Return what one stage reads, as events; check that its words about a bad answer are clean."""
        now = self.bench.clock.now()
        try:
            if name in TARGETS:
                await self._plans(AwsReader(self.bench.api, SCOPE), TARGETS[name])
                return ()
            if name == "insights":
                await self._insights(now)
                return ()
            source = next(s for s in self._sources() if s.name == name)
            return await source.collect(View(now, world, frozenset({Key(SCOPE, "function", "mail")})))
        except LambdatopError as error:
            _is_clean(str(error))
            return ()

    def _sources(self) -> tuple[Source, ...]:
        """Make new sources for each input, so that none depends on those before it."""
        self.bench.clients._closing.clear()
        return build_sources(Opened(self.bench.api, SCOPE, self.settings, identity=str(IDENTITY["Arn"])))

    async def _insights(self, now: float) -> None:
        asker = Insights(self.bench.api, SCOPE)
        about = await asker.estimate_bytes(["/aws/lambda/mail"], now - 900, now)
        found = errors_found(await asker.run(["/aws/lambda/mail"], errors_query(), now - 900, now))
        json.dumps([about, found.usd, found.matched, len(found.kinds)], allow_nan=False)
        plain((*kind_lines(found, now, 100), Span(cost_words(found))))

    async def _plans(self, reader: AwsReader, key: Key) -> None:
        situation = await reader.situation(key)
        await reader.who(key)
        for name, registered in REGISTRY.items():
            if registered.kind == key.kind:
                _planned(name, situation)

    async def read(self, service: str, operation: str, *, everything: bool) -> Snapshot:
        """Return snapshot after all who ask for this operation have read it; `everything`: from nothing."""
        await self._direct(service, operation)
        world, stages = self.worlds[self.variant], self.stages.get((service, operation), set())
        if everything:
            stages = set(self.names)
            world = fold_all(EMPTY_WORLD, [TargetIdentified(SCOPE, NOW, str(IDENTITY["Arn"]))])
        for name in self.names:
            if name in stages:
                world = fold_all(world, await self._stage(name, world))
        return build_snapshot(
            world, previous=EMPTY_SNAPSHOT, at=NOW, version="0", mode="read-only", settings=self.settings
        )

    async def _direct(self, service: str, operation: str) -> None:
        """Read the operation by itself: some are asked for by keys only."""
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


def one(data: bytes) -> int:
    """Read everything with this one answer; raise on a fault."""
    head, _, body = data.partition(b"\n")
    service, operation, status, seed = head.decode().split()
    number = int(seed)
    snapshot = _read(service, operation, body, int(status), number)
    document = snapshot_json(snapshot)
    json.dumps(document, allow_nan=False)
    assert document["failed_sections"] == [], document["failed_sections"]
    if number % SHOWN_EVERY == 0:
        _shown(snapshot)
    return 1


def _shown(snapshot: Snapshot) -> None:
    """Render what people read."""
    made = [snapshot_text(snapshot), report(snapshot, Asked("user", "host", Settings().mode))]
    made += [
        plain(page(Frame(snapshot, NOW, None, Settings()), row.facts.key, 100))
        for row in snapshot.functions[:1]
    ]
    for text in made:
        assert NOT_SHOWN not in text, text[max(0, text.index(NOT_SHOWN) - 200) :][:400]
        assert len(text) < 400_000, "a figure of hundreds of digits made it long"


def snapshot_of(service: str, operation: str, body: bytes) -> Snapshot:
    """Return the snapshot of a world in which this is one operation's answer, and all others are good."""
    return _read(service, operation, body, 200, 0)


def _read(service: str, operation: str, body: bytes, status: int, number: int) -> Snapshot:
    rig = _rig()
    rig.variant = number % VARIANTS
    rig.spoiled = {(service, operation): [(status, body)]}
    everything = number % WHOLE_EVERY == 0
    return rig.loop.run_until_complete(rig.read(service, operation, everything=everything))
