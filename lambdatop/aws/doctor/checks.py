"""The checks of `lambdatop doctor` that need the SDK: credentials, identity, endpoints, clock, permissions.

Nothing here raises: what does not work becomes a line that says what to do. Each stage has its own time
limit, so that an endpoint that does not answer costs seconds, not minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from lambdatop.aws.collectors.permissions import PermissionsSource
from lambdatop.aws.doctor.endpoints import Places, checks_of, places, probe_all, trust
from lambdatop.aws.doctor.probe import Probe
from lambdatop.aws.doctor.trials import tried
from lambdatop.aws.facts.resources import arn_text
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.clients import Clients
from lambdatop.aws.sdk.connection import Connection, region_of, resolve
from lambdatop.aws.sdk.credentials import mfa_refusal, usable_until
from lambdatop.aws.sdk.errors import translate
from lambdatop.aws.sdk.session import open_session
from lambdatop.aws.sdk.session_policy import RoleSessions
from lambdatop.aws.sdk.walls.guard import Guard
from lambdatop.domain import diagnosis
from lambdatop.domain.diagnosis import Check
from lambdatop.domain.errors import LambdatopError
from lambdatop.domain.facts.permissions import Permission
from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import View
from lambdatop.domain.ports.runtime import Clock, Limiter, Meter
from lambdatop.domain.sanitize import clean_line, clean_name

CREDENTIALS_S = 4.0
IDENTITY_S = 3.0
ALL_S = 9.5
"""Longest time for all checks, s; what has no answer by then is not known."""

T = TypeVar("T")

PROVIDERS = {
    "env": "environment variables",
    "explicit": "explicit keys",
    "shared-credentials-file": "the shared credentials file",
    "config-file": "the AWS configuration file",
    "custom-process": "credential_process",
    "assume-role": "an assumed role",
    "assume-role-with-web-identity": "a web identity",
    "sso": "IAM Identity Center (SSO)",
    "login": "aws login",
    "iam-role": "the instance's role (IMDS)",
    "container-role": "the container's role",
}


@dataclass(slots=True)
class Examined:
    """What is known so far; permissions by IAM action, and why not more of them are known."""

    checks: list[Check] = field(default_factory=list)
    permissions: dict[str, Permission] = field(default_factory=dict)
    why: str = ""


async def examine(
    connection: Connection,
    *,
    limiter: Limiter,
    meter: Meter,
    clock: Clock,
    actions: Sequence[str],
    limited: bool = False,
) -> Examined:
    """Check everything that can be known of `connection` within `ALL_S`, for the IAM `actions`.

    `limited`: the role that is assumed gets the read-only session policy.
    """
    visit = _Visit(replace(connection, read_only=True), limiter, meter, clock, tuple(actions))
    visit.roles = RoleSessions(limited=limited)
    try:
        async with asyncio.timeout(ALL_S):
            await visit.run()
    except TimeoutError:
        do = "Run `lambdatop doctor` again; a slow name server or proxy is the usual cause."
        visit.note("endpoints", "time", "unknown", f"not everything was known after {ALL_S:g} s", do)
    return visit.found


class _Visit:
    def __init__(
        self, connection: Connection, limiter: Limiter, meter: Meter, clock: Clock, actions: tuple[str, ...]
    ) -> None:
        self.found = Examined(why="the identity is not known")
        self._connection = connection
        self._limiter, self._meter, self._clock = limiter, meter, clock
        self._actions = actions
        self.roles = RoleSessions(limited=False)

    def note(self, group: str, name: str, state: diagnosis.Verdict, detail: str, do: str = "") -> None:
        self.found.checks.append(Check(group, name, state, detail, do))

    async def run(self) -> None:
        session = self._session()
        if session is None:
            # Endpoints and clock are checked all the same, without the profile that is wrong.
            self._connection = replace(self._connection, profile=None)
        region = self._region(session)
        credentials, where = await asyncio.gather(self._credentials(session, region), self._endpoints(region))
        if credentials is not None and region and where is not None:
            await self._identity(session, credentials, region, where)

    def _session(self) -> Any:
        """Return a session, None when the configuration of the SDK names what does not exist."""
        try:
            session = open_session(self._connection, Guard(read_only=True), self._meter)
            self.roles.install(session)
        except Exception as error:  # its files may hold anything: a line, not a crash
            self._failed("credentials", "profile", translate(error, "sts", "AssumeRole"))
            return None
        return session

    def _region(self, session: Any) -> str:
        try:
            session = session or open_session(self._connection, Guard(read_only=True), self._meter)
            region = region_of(self._connection, session)
        except Exception as error:  # every kind of wrong configuration has its sentence
            self._failed("endpoints", "region", translate(error, "sts", "GetCallerIdentity"))
            return ""
        self.note("endpoints", "region", "ok", region)
        return region

    async def _credentials(self, session: Any, region: str) -> Any:
        """Return the credentials, None when there are none that work."""
        if session is None:
            return None
        session.set_config_variable("region", region or None)
        try:
            credentials = await _within(CREDENTIALS_S, resolve(session))
        except TimeoutError:
            do = "Check what this profile asks: a credential_process, STS, SSO or the metadata service."
            self.note("credentials", "provider", "fail", f"no answer within {CREDENTIALS_S:g} s", do)
            return None
        except Exception as error:  # providers run programs and parse files: they may raise anything
            self._failed(
                "credentials", "provider", mfa_refusal(error) or translate(error, "sts", "AssumeRole")
            )
            return None
        method = str(credentials.method)
        provider = PROVIDERS.get(method, clean_name(method))
        profile = clean_line(str(session.get_config_variable("profile") or "default"), 80)
        shown = provider if method in ("env", "explicit") else f"{provider}, profile {profile}"
        self.note("credentials", "provider", "ok", shown)
        ends = usable_until(credentials, self._connection.codes)()
        self.found.checks.append(diagnosis.expiry(ends, self._clock.now()))
        return credentials

    async def _endpoints(self, region: str) -> tuple[Places, dict[str, Probe]] | None:
        if not region:
            return None
        try:
            where = await places(self._connection, region, self._meter)
        except Exception as error:  # a region without partition, or an invalid bundle: one line
            self._failed("endpoints", "addresses", translate(error, "sts", "GetCallerIdentity"))
            return None
        self.found.checks += where.checks
        tls = trust(open_session(self._connection, Guard(read_only=True), self._meter))
        if tls is None:
            if not any(check.name == "CA bundle" and check.state == "fail" for check in where.checks):
                do = "Point AWS_CA_BUNDLE to a file of PEM certificates, or unset it."
                self.note("endpoints", "CA bundle", "fail", "holds no certificates that can be read", do)
            return None
        probes = await probe_all(where, tls)
        self.found.checks += checks_of(where, probes)
        return where, probes

    async def _identity(
        self, session: Any, credentials: Any, region: str, seen: tuple[Places, dict[str, Probe]]
    ) -> None:
        where, probes = seen
        url = where.urls.get("sts", "")
        if not url or probes[url].problem:
            do = "See endpoints: only STS can tell who this is."
            self.note("identity", "caller", "unknown", "STS does not answer, so it was not asked", do)
            self.found.why = "STS does not answer"
            return
        clients = Clients(session, self._connection, region, attempts=1, read_timeout_s=IDENTITY_S)
        try:
            api = Api(clients, self._limiter, self._meter, self._clock)
            answer = await _within(IDENTITY_S + 1, api.read("sts", "GetCallerIdentity"))
            self._held(credentials, str(answer.get("Arn") or ""))
            await self._known(api, answer, region)
        except TimeoutError:
            what = "STS accepted the request and did not answer"
            self.note("identity", "caller", "fail", what, "Try again.")
        except LambdatopError as error:
            self._failed("identity", "caller", error)
        finally:
            await clients.close()

    def _held(self, credentials: Any, identity: str) -> None:
        """Check that AWS enforces the session policy of the settings; lambdatop does not start otherwise."""
        try:
            self.roles.check(credentials, identity)
        except LambdatopError as error:
            self._failed("identity", "session policy", error)

    async def _known(self, api: Api, answer: dict[str, Any], region: str) -> None:
        account = clean_name(str(answer.get("Account") or ""))
        arn = arn_text(answer.get("Arn"))
        root = arn.endswith(":root")
        do = "Use a role of your own: root can do everything, and nothing limits it." if root else ""
        self.note("identity", "caller", "warn" if root else "ok", arn, do)
        self.note("identity", "account", "ok", account)
        source = PermissionsSource(api, Scope(account, region), arn, self._actions)
        self.found.why = "IAM was not asked in time"
        for event in await source.collect(View(self._clock.now())):
            permissions = getattr(event, "permissions", None)
            if permissions is not None:
                self.found.permissions = dict(permissions.answers)
                self.found.why = permissions.why
        unknown = [action for action in self._actions if self.found.permissions.get(action) != "yes"]
        if self.found.why and len(unknown) == len(self._actions):
            self.found.permissions |= await tried(api, unknown)

    def _failed(self, group: str, name: str, error: LambdatopError) -> None:
        # Our sentences say what happened, then a colon and what to do.
        what, _, do = str(error).partition(": ")
        self.note(group, name, "fail", what, do[:1].upper() + do[1:])


async def _within(seconds: float, work: Awaitable[T]) -> T:
    async with asyncio.timeout(seconds):
        return await work
