"""Name the nodes of the event graph: one ARN for each thing that events can reach."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from lambdatop.domain.keys import Arn, Key, Kind, Scope, parse_arn

_KINDS: Mapping[str, Kind] = {"lambda": "function", "sqs": "queue", "kinesis": "stream", "dynamodb": "table"}


@lru_cache(maxsize=65_536)
def node(arn: str) -> str:
    """Return the node of an ARN: without qualifier, stream label, consumer, subscription or object."""
    parsed = parse_arn(arn)
    if parsed is None:
        return arn
    found = _node(arn, parsed)
    return arn if found == arn else found  # one string, not two of each of ten thousand functions


def _node(arn: str, parsed: Arn) -> str:
    resource = parsed.resource
    if parsed.service == "lambda" and resource.startswith("function:"):
        return _arn(parsed, f"function:{parsed.name}")
    if parsed.service in ("dynamodb", "kinesis"):
        return _arn(parsed, "/".join(resource.split("/")[:2]))
    if parsed.service == "sns":
        return _arn(parsed, resource.split(":")[0])
    if parsed.service == "s3":
        return _arn(parsed, resource.split("/")[0])
    return arn


def _arn(arn: Arn, resource: str) -> str:
    return f"arn:{arn.partition}:{arn.service}:{arn.region}:{arn.account}:{resource}"


def name_of(node_: str) -> str:
    """Return the last part of a node's ARN."""
    arn = parse_arn(node_)
    return arn.name if arn else node_


def service_of(node_: str) -> str:
    """Return the service of a node's ARN, "other" for what is not an ARN."""
    return node_.split(":", 3)[2] if node_.startswith("arn:") and node_.count(":") >= 5 else "other"


def key_of(node_: str) -> Key | None:
    """Return the key of a function, queue, stream or table node; None for others (topics, buses, buckets)."""
    arn = parse_arn(node_)
    if arn is None or arn.service not in _KINDS:
        return None
    return Key(Scope(arn.account, arn.region), _KINDS[arn.service], arn.name)


def bus_of(rule: Arn) -> str:
    """Return the bus of a rule: `rule/NAME` belongs to the default bus, `rule/BUS/NAME` to its own."""
    parts = rule.resource.split("/")
    return _arn(rule, f"event-bus/{parts[1] if len(parts) > 2 else 'default'}")
