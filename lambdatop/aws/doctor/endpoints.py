"""Show where each service would be called, through which proxy, and whether anything answers there."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies
from msgspec import Struct

from lambdatop.aws.doctor.probe import Probe, probe
from lambdatop.aws.sdk.clients import Clients
from lambdatop.aws.sdk.connection import NEEDED, SERVICES, Connection
from lambdatop.aws.sdk.endpoints import check_endpoint, configured_endpoint
from lambdatop.aws.sdk.session import open_session
from lambdatop.aws.sdk.walls.guard import Guard
from lambdatop.domain import diagnosis
from lambdatop.domain.diagnosis import Check
from lambdatop.domain.endpoint import is_aws, shown_url
from lambdatop.domain.errors import UsageError
from lambdatop.domain.ports.runtime import Meter
from lambdatop.domain.sanitize import clean_line

AT_ONCE = 8
WAIT_S = 3.0
GROUP = "endpoints"
SKIPPED = frozenset({"pricing"})
"""Asked only where prices.refresh allows it, and nothing depends on it."""


class Places(Struct, frozen=True):
    """URL by service, and what the choices of the user are worth."""

    urls: Mapping[str, str]
    checks: tuple[Check, ...]


async def places(connection: Connection, region: str, meter: Meter) -> Places:
    """Return the URLs that the SDK would call, without credentials: its own session signs nothing."""
    nobody = replace(connection, access_key="nobody", secret_key="nobody", session_token=None, read_only=True)
    session = open_session(nobody, Guard(read_only=True), meter)
    urls: dict[str, str] = {}
    chosen: dict[str, list[str]] = {}
    checks: list[Check] = []
    async with AsyncExitStack() as stack:
        clients = Clients(session, nobody, region, attempts=1)
        stack.push_async_callback(clients.close)
        for service in SERVICES:
            if service in SKIPPED:
                continue
            url = connection.endpoint_url or configured_endpoint(session, service)
            if url:
                chosen.setdefault(url, []).append(service)
                try:
                    check_endpoint(url)
                except UsageError as error:
                    do = "Correct --endpoint-url or the AWS_ENDPOINT_URL variables."
                    checks.append(Check(GROUP, service, "fail", str(error), do))
                    continue
            urls[service] = str((await clients.get(service)).meta.endpoint_url)
        checks += [_chosen(url, services) for url, services in chosen.items()]
        checks += _variants(session)
    return Places(urls, tuple(checks))


def _chosen(url: str, services: Iterable[str]) -> Check:
    names = sorted(set(services))
    who = "every service" if len(names) > 5 else ", ".join(names)
    shown = f"{shown_url(url)} for {who}"
    if is_aws(url):
        return Check(GROUP, "custom", "ok", shown)
    do = "It is not AWS's own: it sees your session, and changes need --allow-endpoint-changes."
    return Check(GROUP, "custom", "warn", shown, do)


def _variants(session: Any) -> list[Check]:
    words = {True: "on", False: "off", None: "off"}
    fips = bool(session.get_config_variable("use_fips_endpoint"))
    dual = bool(session.get_config_variable("use_dualstack_endpoint"))
    checks = [Check(GROUP, "variants", "ok", f"FIPS {words[fips]}, dual-stack {words[dual]}")]
    proxies = {n: v for n in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY") if (v := _variable(n))}
    shown = ", ".join(f"{name}={_without_password(value)}" for name, value in proxies.items())
    checks.append(Check(GROUP, "proxy", "ok", shown or "none"))
    bundle = _bundle(session)
    if bundle and not os.path.isfile(bundle):
        do = "Point AWS_CA_BUNDLE (or ca_bundle of the profile) to a file of PEM certificates, or unset it."
        detail = f"{clean_line(bundle, 200)}: there is no such file"
        checks.append(Check(GROUP, "CA bundle", "fail", detail, do))
    else:
        checks.append(Check(GROUP, "CA bundle", "ok", clean_line(bundle, 200) or "the usual one"))
    return checks


def _variable(name: str) -> str:
    return os.environ.get(name) or os.environ.get(name.lower()) or ""


def _without_password(value: str) -> str:
    head, at, tail = value.rpartition("@")
    scheme = f"{head.partition('://')[0]}://" if "://" in head else ""
    return clean_line(f"{scheme}{tail}" if at else value, 120)


def _bundle(session: Any) -> str:
    return str(session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or "")


def trust(session: Any) -> ssl.SSLContext | None:
    """Return the certificates that the SDK would trust; None when the bundle cannot be read."""
    try:
        return ssl.create_default_context(cafile=_bundle(session) or get_cert_path(True))
    except (OSError, ssl.SSLError):
        return None


async def probe_all(where: Places, tls: ssl.SSLContext) -> dict[str, Probe]:
    """Return one answer by URL, a few requests at a time."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(url: str) -> tuple[str, Probe]:
        proxies = get_environ_proxies(url)
        async with turn:
            return url, await probe(url, proxies.get(urlsplit(url).scheme, ""), tls, WAIT_S)

    return dict(await asyncio.gather(*(one(url) for url in dict.fromkeys(where.urls.values()))))


def checks_of(where: Places, probes: Mapping[str, Probe]) -> list[Check]:
    """Return one check for each URL, and the clock's."""
    services: dict[str, list[str]] = {}
    for service, url in where.urls.items():
        services.setdefault(url, []).append(service)
    checks = [_answered(url, names, probes[url]) for url, names in services.items()]
    known = [found.ahead_s for found in probes.values() if found.ahead_s is not None]
    checks.append(diagnosis.skew(sorted(known)[len(known) // 2] if known else None))
    return checks


def _answered(url: str, services: list[str], found: Probe) -> Check:
    name = services[0] if len(services) == 1 else f"{len(services)} services"
    host = clean_line(urlsplit(url).netloc.rpartition("@")[2], 200)
    if found.problem:
        via = " through the proxy" if get_environ_proxies(url).get(urlsplit(url).scheme) else ""
        do = "Check the network, the proxy (HTTPS_PROXY, NO_PROXY), the region and --endpoint-url."
        if "certificate" in found.problem:
            do = "If a proxy opens TLS here, give its certificate with AWS_CA_BUNDLE."
        state: diagnosis.Verdict = "fail" if {*NEEDED} & set(services) else "warn"
        return Check(GROUP, name, state, f"{host}{via}: {found.problem}", do)
    detail = f"{host} answers in {found.ms:.0f} ms"
    if found.ms > diagnosis.SLOW_MS:
        return Check(GROUP, name, "warn", detail, "Slow answers make figures late: check the network.")
    return Check(GROUP, name, "ok", detail)
