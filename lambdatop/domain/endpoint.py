"""Whether an endpoint is AWS's own: whoever answers there gets signed requests and may fake every figure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SERVICES = (
    "lambda|monitoring|logs|streaming-logs|sqs|sts|kinesis|sns|events|s3|iam|cloudtrail|dynamodb|"
    "servicequotas|pricing|api\\.pricing|states|scheduler|streams\\.dynamodb"
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
    """Whether a URL leads to an API of AWS, by TLS; interface endpoints of a VPC are AWS's too."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    return parts.scheme == "https" and port in (None, 443) and _HOST.fullmatch(host) is not None


def foreign(endpoint: str) -> tuple[str, ...]:
    """Those of the endpoints in a list (`https://a, https://b`, as a target tells it) that are not AWS's."""
    return tuple(url for url in endpoint.split(", ") if url and not is_aws(url))
