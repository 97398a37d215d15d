"""Open one account in one region: identity, endpoint, and what reads and changes it.

Nothing of the SDK is imported before `connect` runs: it costs a quarter of a second and 25 MB.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from lambdatop.aws.sdk.connection import Connection, region_of, resolve
from lambdatop.aws.sdk.endpoints import check_connection, foreign_endpoint
from lambdatop.domain.endpoint import foreign
from lambdatop.domain.errors import UsageError
from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import Backend, Lease, Mutator
from lambdatop.domain.ports.runtime import Clock, Limiter, Meter
from lambdatop.domain.sanitize import clean_line
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.events import TargetIdentified

if TYPE_CHECKING:
    from lambdatop.aws.sdk.api import Api
    from lambdatop.aws.sdk.clients import Clients
    from lambdatop.aws.sdk.identity import Caller, CheckedCredentials
    from lambdatop.aws.sdk.walls.guard import Guard


async def connect(
    connection: Connection, *, settings: Settings, limiter: Limiter, meter: Meter, clock: Clock
) -> Backend:
    """Open a connection.

    Raises UsageError (no region, no such profile, a bad endpoint URL), CredentialsError, Unreachable,
    Denied or Throttled, each with a sentence that says what to do.
    """
    check_connection(connection)
    # The imports take 250 ms; in a thread they do not block the loop.
    for module in ("sdk.session", "sources", "targets.reader", "logs.insights", "logs.history"):
        await asyncio.to_thread(importlib.import_module, f"lambdatop.aws.{module}")
    return await _connected(connection, settings, limiter, meter, clock)


async def _connected(
    connection: Connection, settings: Settings, limiter: Limiter, meter: Meter, clock: Clock
) -> Backend:
    from lambdatop.aws.sdk import session as sdk
    from lambdatop.aws.sdk.api import Api
    from lambdatop.aws.sdk.clients import Clients
    from lambdatop.aws.sdk.credentials import usable_until
    from lambdatop.aws.sdk.errors import translate
    from lambdatop.aws.sdk.identity import CheckedCredentials
    from lambdatop.aws.sdk.session_policy import RoleSessions
    from lambdatop.aws.sdk.walls.guard import Guard
    from lambdatop.aws.sdk.walls.transport import CREDENTIALS_S, bounded
    from lambdatop.aws.sdk.wire._private import replace_credentials
    from lambdatop.aws.sdk.wire.response_hooks import oddities_of

    guard = Guard(read_only=connection.read_only)
    roles = RoleSessions(limited=settings.session_policy == "read-only" and not connection.isolated)
    try:
        session = sdk.open_session(connection, guard, meter)
        region = _region(connection, session, settings)
        if not connection.isolated:
            roles.install(session)
        endpoint = foreign_endpoint(connection, session)
        async with bounded(CREDENTIALS_S, "getting credentials"):
            credentials = await resolve(session)
    except Exception as error:
        raise translate(error, "sts", "AssumeRole") from None
    expires_at = usable_until(credentials, connection.codes)
    clients = Clients(session, connection, region, attempts=3)
    api = Api(clients, limiter, meter, clock)
    signer = CheckedCredentials(credentials, api.caller, settings.mode.forced_by, guard.forbid_changes)
    replace_credentials(session, signer)
    try:
        async with _loading(clients):
            caller = await signer.identify()
        identified = _mode(_identified(caller, connection, region, endpoint, clock.now()), settings)
        identified = replace(identified, credentials_expire_at=expires_at())
        roles.check(credentials, identified.identity)
    except BaseException:
        await clients.close()
        raise
    if identified.forced and not connection.read_only:
        # No client but these two has been made yet; they go with what they know.
        await clients.close()
        guard.forbid_changes()
        sdk.strip(session)
        connection = dataclasses.replace(connection, read_only=True)
        clients = Clients(session, connection, region, attempts=3)
        api = Api(clients, limiter, meter, clock)
    renewed = _renewal(identified, expires_at, lambda: signer.arn)
    return replace(
        _backend(connection, settings, api, guard, session, identified, clients, renewed, signer),
        expires_at=expires_at,
        changes_refused=_refused(connection, settings, endpoint),
        oddities=lambda: oddities_of(session).sentence,
    )


def _region(connection: Connection, session: Any, settings: Settings) -> str:
    """Check the session's profile and return its region, in which credential providers ask STS as well."""
    _check_profile(connection, session, settings)
    region = region_of(connection, session)
    session.set_config_variable("region", region)
    return region


def _backend(
    connection: Connection,
    settings: Settings,
    api: Api,
    guard: Guard,
    session: Any,
    identified: TargetIdentified,
    clients: Any,
    renewed: Callable[[], TargetIdentified | None],
    signer: CheckedCredentials,
) -> Backend:
    from lambdatop.aws.logs.history import LogHistory
    from lambdatop.aws.logs.insights import Insights
    from lambdatop.aws.reads.callers import CallerReads
    from lambdatop.aws.reads.durable import DurableReads
    from lambdatop.aws.sdk.clients import Clients
    from lambdatop.aws.sources import build_sources
    from lambdatop.aws.spec import Opened
    from lambdatop.aws.targets.reader import AwsReader

    scope = identified.scope
    mutator: Mutator | None = None
    lease: Lease | None = None
    closers = [clients.close]
    if not connection.read_only:
        # In read-only mode the code that changes things is not even imported.
        from lambdatop.aws.mutation.lease import lease_of
        from lambdatop.aws.mutation.mutator import AwsMutator

        own = Clients(session, connection, scope.region, attempts=1)
        mutator = AwsMutator(own, guard, signer)
        lease = lease_of(settings.lease, mutator)
        closers.append(own.close)

    async def close() -> None:
        for closer in closers:
            await closer()

    callers = CallerReads(api, scope)
    sources = build_sources(Opened(api, scope, settings, renewed, identified.identity, callers))
    reader, queries = AwsReader(api, scope, callers), Insights(api, scope)
    history, executions = LogHistory(api), DurableReads(api, scope)
    return Backend(
        identified, sources, reader, mutator, close, lease, queries, history, executions=executions
    )


@asynccontextmanager
async def _loading(clients: Clients) -> AsyncIterator[None]:
    """Load the models of the first source meanwhile; that takes as long as STS takes to answer."""
    loading = asyncio.ensure_future(clients.get("lambda"))
    try:
        yield
    finally:
        await asyncio.gather(loading, return_exceptions=True)  # whoever needs the client gets the error


def _identified(
    caller: Caller, connection: Connection, region: str, endpoint: str, at: float
) -> TargetIdentified:
    return TargetIdentified(
        scope=Scope(caller.account, region),
        at=at,
        identity=caller.arn,
        endpoint=endpoint,
        notice=connection.notice,
    )


def _mode(identified: TargetIdentified, settings: Settings) -> TargetIdentified:
    """Return the identity with the mode that the configuration sets for its account, known only now."""
    forced = settings.mode.forced_by(identified.scope.account)
    if settings.mode.write:
        return replace(identified, lifted=forced)
    return replace(identified, forced=forced)


def _check_profile(connection: Connection, session: Any, settings: Settings) -> None:
    """Raise UsageError when the settings are those of another profile than the SDK uses.

    The section of a profile may hold it to read-only; a mistake here must not lift that silently.
    """
    used = session.profile if session.profile is not None else "default"
    if connection.isolated or settings.mode.profile in ("", used):
        return
    raise UsageError(
        f"The configuration was read for profile {clean_line(settings.mode.profile, 80)!r}, but the AWS SDK "
        f"uses profile {clean_line(str(used), 80)!r}; nothing was asked. Name the profile with --profile."
    )


def _refused(connection: Connection, settings: Settings, endpoint: str) -> str:
    """Return why nothing may be changed through this endpoint; "" for the demo's own one and for AWS's."""
    others = () if connection.isolated or settings.allow_endpoint_changes else foreign(endpoint)
    if not others:
        return ""
    return (
        f"Calls go to {', '.join(others)}, which is not AWS's own: whoever answers there can make any plan "
        "look right. Nothing was sent; --allow-endpoint-changes allows changes through it."
    )


def _renewal(
    identified: TargetIdentified, expires_at: Callable[[], float | None], who: Callable[[], str]
) -> Callable[[], TargetIdentified | None]:
    """Return what reports each new expiry once: the SDK renews credentials without saying so.

    The name of a role's session may have changed then.
    """
    told = identified.credentials_expire_at

    def renewed() -> TargetIdentified | None:
        nonlocal told
        now = expires_at()
        if now == told:
            return None
        told = now
        return replace(identified, credentials_expire_at=now, identity=who())

    return renewed
