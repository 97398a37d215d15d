"""Decide which endpoint is called, and refuse an invalid one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from lambdatop.aws.sdk.connection import SERVICES, Connection
from lambdatop.domain.endpoint import LOOPBACK, endpoint_problem, shown_url
from lambdatop.domain.errors import UsageError
from lambdatop.domain.sanitize import clean_line


def foreign_endpoint(connection: Connection, session: Any) -> str:
    """Return the endpoint when it is not AWS's own, from the option, a variable or the profile; else ""."""
    if connection.endpoint_url:
        return clean_line(connection.endpoint_url, 500)
    found: list[str] = []
    for service in SERVICES:
        url = configured_endpoint(session, service)
        if url:
            check_endpoint(url)
            found.append(clean_line(url, 500))
    return ", ".join(dict.fromkeys(found))


def configured_endpoint(session: Any, service: str) -> str:
    """Return the endpoint of a service that a variable or the profile names, "" when none does."""
    from botocore.configprovider import ConfiguredEndpointProvider

    if session.get_config_variable("ignore_configured_endpoint_urls"):
        return ""
    provider = ConfiguredEndpointProvider(
        full_config=session.full_config, scoped_config=session.get_scoped_config(), client_name=service
    )
    return str(provider.provide() or "")


def check_endpoint(url: str) -> None:
    """Raise UsageError for what is not an endpoint URL, without quoting a password in it."""
    if problem := endpoint_problem(url):
        raise UsageError(f"The endpoint {shown_url(url)!r} cannot be used: it {problem}.")


def check_connection(connection: Connection) -> None:
    """Raise UsageError for an invalid endpoint, and for an isolated connection without its own."""
    if connection.endpoint_url:
        check_endpoint(connection.endpoint_url)
    if not connection.isolated:
        return
    given = connection.endpoint_url and connection.region and connection.access_key and connection.secret_key
    if not given or urlsplit(connection.endpoint_url or "").hostname not in LOOPBACK:
        raise UsageError("An isolated connection needs a loopback endpoint, a region and explicit keys.")
