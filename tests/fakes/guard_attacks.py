"""Everything that somebody might try with a read-only session, and what of it reached a counting server.

The walls can be taken down one by one, through the SDK's own doors, to show that the experiment sees what it
claims to: without walls every operation must arrive.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import botocore.loaders
from aiobotocore.config import AioConfig
from botocore import xform_name
from botocore.awsrequest import AWSRequest
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel
from fakes.aws_doubles import ACCOUNT, REGION, Counter
from fakes.counting_server import CountingServer
from fakes.minimal_calls import minimal_call
from fakes.wire_stub import model_of

from lambdatop.aws.sdk.clients import Clients
from lambdatop.aws.sdk.connection import Connection
from lambdatop.aws.sdk.session import open_session
from lambdatop.aws.sdk.walls import read_only_models
from lambdatop.aws.sdk.walls.guard import HOOKS, Guard

SERVICES = (
    *("lambda", "logs", "cloudwatch", "sqs", "kinesis", "dynamodb", "dynamodbstreams", "events", "scheduler"),
    *("service-quotas", "sts", "iam", "stepfunctions", "s3", "sns", "cloudtrail", "pricing", "pipes"),
)
ALL = frozenset({"hooks", "loader", "transport"})
STREAMS = (
    ("logs", "StartLiveTail"),
    ("logs", "GetLogObject"),
    ("kinesis", "SubscribeToShard"),
    ("lambda", "InvokeWithResponseStream"),
    ("s3", "SelectObjectContent"),
    ("stepfunctions", "StartSyncExecution"),
)
_LOADER = botocore.loaders.Loader()

Attack = Callable[["Fortress", OperationModel], Awaitable[Any]]


@dataclass
class Tally:
    """How many attempts of one kind were made, and how many got through, by listed or not."""

    listed: int = 0
    listed_through: int = 0
    others: int = 0
    others_through: int = 0
    through: list[str] = field(default_factory=list)

    def note(self, name: str, *, listed: bool, through: bool) -> None:
        if listed:
            self.listed += 1
            self.listed_through += through
        else:
            self.others += 1
            self.others_through += through
            if through:
                self.through.append(name)


class Fortress:
    """lambdatop's own session with some of its walls, in front of a server."""

    def __init__(
        self, server: CountingServer, walls: frozenset[str] = ALL, *, read_only: bool = True
    ) -> None:
        self.server, self.walls = server, walls
        connection = Connection(
            region=REGION,
            endpoint_url=server.url,
            access_key=ACCOUNT,
            secret_key="not-a-secret",
            isolated=True,
            read_only=read_only,
        )
        session = self.session = open_session(connection, Guard(read_only=read_only), Counter())
        if "loader" not in walls:
            session.register_component("data_loader", read_only_models.loader(read_only=False))
            session.unregister("creating-client-class", unique_id="lambdatop-presigners")
        if "hooks" not in walls:
            for hook in HOOKS:
                session.unregister(hook, unique_id=f"lambdatop-guard-{hook}")
        if "transport" not in walls:
            session.set_default_client_config(AioConfig())
        self.clients = Clients(session, connection, REGION, attempts=1, read_timeout_s=5.0)

    async def client(self, operation: OperationModel) -> Any:
        return await self.clients.get(operation.service_model.service_name)

    async def try_all(self, attack: Attack, operations: Iterator[OperationModel] | None = None) -> Tally:
        """Make one attempt for each operation. A truthy result, or a request at the server, is a success."""
        tally = Tally()
        for operation in operations or every_operation():
            before = self.server.requests
            try:
                got = await attack(self, operation)
            except Exception:
                got = None
            through = self.server.requests > before or bool(got)
            name = f"{operation.service_model.service_name}:{operation.name}"
            tally.note(name, listed=is_listed(operation), through=through)
        return tally


def every_operation(services: tuple[str, ...] = SERVICES) -> Iterator[OperationModel]:
    for service in services:
        model = model_of(service)
        for name in model.operation_names:
            yield model.operation_model(name)


def is_listed(operation: OperationModel) -> bool:
    return operation.name in read_only_models.operations_of(operation.service_model._service_description)


# -- one attempt per operation -----------------------------------------------------------------------


async def private_call(fortress: Fortress, operation: OperationModel) -> None:
    """Call `client._make_api_call`, which is behind all methods."""
    client = await fortress.client(operation)
    await client._make_api_call(operation.name, minimal_call(operation))


async def method(fortress: Fortress, operation: OperationModel) -> None:
    """Call the client's method, where there is one."""
    client = await fortress.client(operation)
    await getattr(client, xform_name(operation.name))(**minimal_call(operation))


async def below_events(fortress: Fortress, operation: OperationModel) -> None:
    """Call `client._endpoint.make_request` with a model that the attacker brought along."""
    client = await fortress.client(operation)
    await client._endpoint.make_request(operation, await _request(fortress, client, operation))


async def presigned_url(fortress: Fortress, operation: OperationModel) -> bool:
    """Return whether a URL can be presigned that somebody else could use."""
    client = await fortress.client(operation)
    url = await client.generate_presigned_url(xform_name(operation.name), Params=minimal_call(operation))
    return "Signature=" in url


async def private_signer(fortress: Fortress, operation: OperationModel) -> bool:
    """Return whether the client's private signer presigns a URL."""
    client = await fortress.client(operation)
    request = await _request(fortress, client, operation)
    signed = await client._request_signer.generate_presigned_url(request, operation_name=operation.name)
    return "Signature=" in signed


async def raw_http(fortress: Fortress, operation: OperationModel) -> None:
    """Send by the client's HTTP session, below everything."""
    client = await fortress.client(operation)
    request = AWSRequest("POST", fortress.server.url, data=operation.name.encode()).prepare()
    await client._endpoint.http_session.send(request)


async def unregistered_hooks(fortress: Fortress, operation: OperationModel) -> None:
    """Call after the guard's hooks were unregistered from the client."""
    client = await fortress.client(operation)
    for hook in HOOKS:
        client.meta.events.unregister(hook, unique_id=f"lambdatop-guard-{hook}")
    await below_events(fortress, operation)


async def late_hook(fortress: Fortress, operation: OperationModel) -> None:
    """Call with a more specific handler that answers every event before the guard's."""
    client = await fortress.client(operation)
    name = f"{operation.service_model.service_id.hyphenize()}.{operation.name}"
    for hook in HOOKS[:-1]:
        client.meta.events.register_first(f"{hook}.{name}", _nothing, unique_id=f"late-{hook}-{name}")
    await below_events(fortress, operation)


def _nothing(**_: Any) -> None:
    """Return nothing: a handler that lets everything pass."""


async def _request(fortress: Fortress, client: Any, operation: OperationModel) -> Any:
    made = await client._convert_to_request_dict(
        minimal_call(operation),
        operation,
        endpoint_url=fortress.server.url,
        context={"client_config": client.meta.config, "client_region": REGION, "has_streaming_input": False},
    )
    return made


# -- paginators, waiters, and what is no operation ----------------------------------------------------


async def paginators(fortress: Fortress) -> Tally:
    """Fetch the first page of every paginator of these services."""
    pages = {(o.service_model.service_name, o.name): o for o in every_operation()}
    wanted = (pages[(s, name)] for s in SERVICES for name in _extra(s, "paginators-1", "pagination"))

    async def page(fortress: Fortress, operation: OperationModel) -> None:
        client = await fortress.client(operation)
        paginator = client.get_paginator(xform_name(operation.name))
        async for _ in paginator.paginate(**minimal_call(operation)):
            return

    return await fortress.try_all(page, iter(list(wanted)))


async def waiters(fortress: Fortress) -> Tally:
    """Run the first poll of every waiter of these services."""
    tally = Tally()
    for service in SERVICES:
        for name, waiter in _extra(service, "waiters-2", "waiters").items():
            operation = model_of(service).operation_model(waiter["operation"])

            async def wait(fortress: Fortress, operation: OperationModel, name: str = name) -> None:
                client = await fortress.client(operation)
                made = client.get_waiter(xform_name(name))
                await made.wait(**minimal_call(operation), WaiterConfig={"MaxAttempts": 1, "Delay": 0})

            one = await fortress.try_all(wait, iter([operation]))
            tally.note(f"{service}:{name}", listed=bool(one.listed), through=bool(_through(one)))
    return tally


async def event_streams(fortress: Fortress) -> Tally:
    """Call operations that stream, and the one with a host prefix of its own."""
    models = [model_of(service).operation_model(name) for service, name in STREAMS]
    return await fortress.try_all(private_call, iter(models))


async def presigned_posts(fortress: Fortress) -> bool:
    """Return whether a form for an upload to S3 can be presigned."""
    client = await fortress.clients.get("s3")
    try:
        post = await client.generate_presigned_post("a-bucket", "key")
    except Exception:
        return False
    return bool(post)


async def redirects(fortress: Fortress) -> Tally:
    """Count connections that arrive where the server's answers to listed reads point to."""
    async with CountingServer() as elsewhere:
        fortress.server.redirect_to = elsewhere.url
        try:
            tried = await fortress.try_all(method, (o for o in every_operation() if is_listed(o)))
        finally:
            fortress.server.redirect_to = ""
        return Tally(others=tried.listed, others_through=elsewhere.connections)


def _through(tally: Tally) -> int:
    return tally.listed_through + tally.others_through


def _extra(service: str, type_name: str, key: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = _LOADER.load_service_model(service, type_name)[key]
    except UnknownServiceError:
        return {}
    return found
