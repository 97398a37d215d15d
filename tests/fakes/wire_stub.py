"""A server that speaks AWS's protocols and answers what a test tells it to, faults included.

Requests are validated against botocore's service models: a parameter that AWS would refuse fails here
too. Which protocol each service speaks is taken from the model, except that the pinned SDK decides; a
request in another protocol (CBOR, one day) is an error that names it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

import botocore.loaders
from aiohttp import web
from botocore.model import OperationModel, ServiceModel
from botocore.validate import ParamValidator
from fakes.wire_xml import answer_xml, fault_xml

SIGNING_NAMES = {"monitoring": "cloudwatch", "servicequotas": "service-quotas", "states": "stepfunctions"}
XML = ("query", "rest-xml")
ACCEPT_TURNS = 5
"""Turns of the loop between the acceptance of a connection and its handler, with some to spare."""
_SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_LOADER = botocore.loaders.Loader()
_MODELS: dict[str, ServiceModel] = {}


def model_of(service: str) -> ServiceModel:
    if service not in _MODELS:
        _MODELS[service] = ServiceModel(_LOADER.load_service_model(service, "service-2"), service)
    return _MODELS[service]


@dataclass(frozen=True)
class Fault:
    """An error of AWS; `code` as botocore shall see it."""

    code: str
    message: str = "the stub says no"
    status: int = 400


@dataclass(frozen=True)
class Redirect:
    location: str
    status: int = 307


@dataclass(frozen=True)
class Body:
    """Any bytes as an answer; `announced` larger than the body cuts the connection short."""

    data: bytes
    content_type: str = "application/json"
    announced: int | None = None
    status: int = 200


@dataclass(frozen=True)
class Hang:
    """Take the request and never answer; `done` (if any) runs first, as an effect would."""

    effect: Callable[[], None] | None = None


@dataclass(frozen=True)
class Reset:
    """Take the request and tear the connection down."""


Answer = dict[str, Any] | Fault | Redirect | Body | Hang | Reset
Reply = Answer | Callable[[dict[str, Any]], Answer]


@dataclass(frozen=True)
class Received:
    service: str
    operation: str
    params: dict[str, Any]
    access_key: str
    region: str
    headers: dict[str, str] = field(repr=False)


class WireStub:
    """Start with `async with`; `on` tells it what to answer, `received` what it was asked."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.problems: list[str] = []
        self.strangers: list[str] = []
        self._replies: dict[tuple[str, str], list[Reply]] = {}
        self._runner: web.AppRunner | None = None
        self._release = asyncio.Event()
        self.url = ""

    def on(self, service: str, operation: str, *replies: Reply) -> None:
        """Answer with these in turn; the last one stays."""
        model_of(service).operation_model(operation)
        self._replies[(service, operation)] = list(replies)

    def calls(self, operation: str) -> list[dict[str, Any]]:
        return [r.params for r in self.received if r.operation == operation]

    async def __aenter__(self) -> WireStub:
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._release.set()
        if self._runner:
            await stop(self._runner)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        scope = _SCOPE.search(request.headers.get("Authorization", ""))
        if scope is None:
            self.strangers.append(f"{request.method} {request.path_qs}")
            return web.Response(status=403, text="unsigned")
        service = SIGNING_NAMES.get(scope.group(3), scope.group(3))
        try:
            operation, params = await _decode(request, model_of(service))
        except ValueError as error:
            self.problems.append(str(error))
            return web.Response(status=500, text=str(error))
        self.received.append(
            Received(service, operation.name, params, scope.group(1), scope.group(2), dict(request.headers))
        )
        report = ParamValidator().validate(params, operation.input_shape)
        if report.has_errors():
            self.problems.append(f"{service}:{operation.name}: {report.generate_report()}")
        return await self._answer(request, operation, self._reply(service, operation.name, params))

    def _reply(self, service: str, operation: str, params: dict[str, Any]) -> Answer:
        replies = self._replies.get((service, operation))
        if not replies:
            return Fault("StubHasNoAnswer", f"{service}:{operation}")
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        return reply(params) if callable(reply) else reply

    async def _answer(
        self, request: web.Request, operation: OperationModel, answer: Answer
    ) -> web.StreamResponse:
        protocol = operation.service_model.resolved_protocol
        if isinstance(answer, Hang):
            if answer.effect:
                answer.effect()
            await self._release.wait()
            raise web.HTTPServiceUnavailable
        if isinstance(answer, Reset):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if isinstance(answer, Redirect):
            return web.Response(status=answer.status, headers={"Location": answer.location})
        if isinstance(answer, Body):
            return await _raw(request, answer)
        if isinstance(answer, Fault):
            return _fault(answer, protocol)
        if protocol in XML:
            return web.Response(text=answer_xml(operation, answer), content_type="text/xml")
        return web.Response(
            text=json.dumps(answer, default=_plain), content_type="application/x-amz-json-1.0"
        )


async def stop(runner: web.AppRunner) -> None:
    """Stop a server; leave no connection that was accepted at the last moment to the garbage collector."""
    for site in list(runner.sites):
        await site.stop()
    for _ in range(ACCEPT_TURNS):
        await asyncio.sleep(0)
    await runner.cleanup()


async def _decode(request: web.Request, model: ServiceModel) -> tuple[OperationModel, dict[str, Any]]:
    body = await request.read()
    protocol = model.resolved_protocol
    if protocol == "json":
        target = request.headers.get("X-Amz-Target")
        if not target:
            raise ValueError(f"{model.service_name} no longer speaks JSON: {request.content_type}")
        return model.operation_model(target.rsplit(".", 1)[1]), json.loads(body or b"{}")
    if protocol == "query":
        form = dict(parse_qsl(body.decode()))
        operation = model.operation_model(form.pop("Action"))
        form.pop("Version", None)
        return operation, _unflattened(form)
    if protocol in ("rest-json", "rest-xml"):
        return _rest(request, body, model)
    raise ValueError(f"the stub does not speak {protocol} ({model.service_name})")


def _unflattened(form: dict[str, str]) -> dict[str, Any]:
    """Return lists of the query protocol (`Names.member.1`) as the model has them; all else stays flat."""
    tree: dict[str, Any] = {}
    for name, value in form.items():
        *way, last = name.split(".") if ".member." in name else [name]
        place = tree
        for part in way:
            place = place.setdefault(part, {})
        place[last] = value
    listed: dict[str, Any] = _lists(tree)
    return listed


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {"member"}:
        return [_lists(value["member"][number]) for number in sorted(value["member"], key=int)]
    return {name: _lists(part) for name, part in value.items()}


def _rest(request: web.Request, body: bytes, model: ServiceModel) -> tuple[OperationModel, dict[str, Any]]:
    path = request.raw_path.split("?")[0].rstrip("/")
    # A fixed query (`?List=ALL`, `?notification`) is more specific than none.
    operations = [model.operation_model(name) for name in model.operation_names]
    for operation in sorted(operations, key=lambda o: ("?" not in o.http["requestUri"], o.deprecated)):
        template, _, fixed = operation.http["requestUri"].partition("?")
        template = template.rstrip("/")
        wanted = set(parse_qsl(fixed, keep_blank_values=True))
        if operation.http["method"] != request.method or not wanted <= set(request.query.items()):
            continue
        pattern = re.sub(r"\\\{(\w+)(?:\\\+)?\\\}", r"(?P<\1>[^/]+)", re.escape(template))
        match = re.fullmatch(pattern, path)
        if match is None:
            continue
        params: dict[str, Any] = json.loads(body) if body else {}
        query: dict[str, Any] = {name: request.query.getall(name) for name in request.query}
        places = query | match.groupdict()
        members = operation.input_shape.members if operation.input_shape else {}
        for member, shape in members.items():
            wire = shape.serialization.get("name", member)
            if shape.serialization.get("location") in ("uri", "querystring") and wire in places:
                found = places[wire]
                texts = found if isinstance(found, list) else [unquote(found)]
                many = shape.type_name == "list"
                params[member] = texts if many else _typed(texts[0], shape.type_name)
        return operation, params
    raise ValueError(f"no operation of {model.service_name} for {request.method} {path}")


def _typed(text: str, type_name: str) -> Any:
    if type_name in ("integer", "long"):
        return int(text)
    return text == "true" if type_name == "boolean" else text


async def _raw(request: web.Request, answer: Body) -> web.StreamResponse:
    if answer.announced is None:
        return web.Response(body=answer.data, content_type=answer.content_type, status=answer.status)
    response = web.StreamResponse(headers={"Content-Length": str(answer.announced)})
    await response.prepare(request)
    await response.write(answer.data)
    assert request.transport is not None
    request.transport.close()
    return response


def _fault(fault: Fault, protocol: str) -> web.Response:
    if protocol in XML:
        text = fault_xml(fault.code, fault.message, protocol)
        return web.Response(text=text, status=fault.status, content_type="text/xml")
    text = json.dumps({"__type": fault.code, "message": fault.message})
    headers = {"x-amzn-ErrorType": fault.code}
    return web.Response(text=text, status=fault.status, content_type="application/json", headers=headers)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"not an answer: {value!r}")
