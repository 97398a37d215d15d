"""Decide which URLs are valid endpoints, and which are AWS's own. Pure.

Whoever answers there gets signed requests and may fake every figure.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from lambdatop.domain.sanitize import clean_line

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_SERVICES = (
    "lambda|monitoring|logs|streaming-logs|sqs|sts|kinesis|sns|events|s3|iam|cloudtrail|dynamodb|"
    "servicequotas|pricing|api\\.pricing|states|scheduler|pipes|streams\\.dynamodb"
)
_SUFFIXES = (
    r"amazonaws\.com(\.cn)?|api\.aws|api\.amazonwebservices\.(com\.cn|eu)|amazonaws\.eu|"
    r"c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov"
)
_HOST = re.compile(
    rf"(?:(?:[a-z0-9-]+\.)?vpce-[0-9a-f][0-9a-z-]*\.)?(?:{_SERVICES})(?:-fips)?(?:\.dualstack)?"
    rf"(?:\.[a-z]{{2,}}(?:-[a-z0-9]+)+|\.global)?(?:\.vpce)?\.(?:{_SUFFIXES})"
)
"""A service's host, regional or not, or an interface endpoint of it. Other hosts under amazonaws.com are
customers' own: buckets, load balancers, instances, gateways."""


def is_aws(url: str) -> bool:
    """Return whether a URL leads to an API of AWS by TLS; VPC interface endpoints count as AWS."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    return parts.scheme == "https" and port in (None, 443) and _HOST.fullmatch(host) is not None


def foreign(endpoint: str) -> tuple[str, ...]:
    """Return those endpoints in a list (`https://a, https://b`, as a target has it) that are not AWS's."""
    return tuple(url for url in endpoint.split(", ") if url and not is_aws(url))


def endpoint_problem(url: str) -> str:
    """Return why a URL cannot be an endpoint, "" when it can.

    The session token goes there, so plain http, which everybody on the way can read, is only for this
    machine; and a URL carries no password.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not host or port == 0:
        return "needs a URL like https://host:port"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user or a password"
    if parts.query or parts.fragment:
        return "must not hold a query or a fragment"
    if parts.scheme == "http" and host not in LOOPBACK:
        return "is plain http, which is only for this machine; use https"
    return ""


def shown_url(url: str) -> str:
    """Return a supposed URL for display: without user, password, query and fragment."""
    scheme, sign, rest = url.partition("://") if "://" in url else ("", "", url)
    place = rest.rpartition("@")[2].partition("?")[0].partition("#")[0]
    return clean_line(f"{scheme}{sign}{place}", 200)
