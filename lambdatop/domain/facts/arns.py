"""Build the ARNs that calls name, so that no resource of that name in another account can be meant.

A bare name means whatever the signing account calls so. An ARN holds account and region, and AWS refuses it
in any other, unless the owner's resource policy allows the caller
(https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-cross-account.html); then too it is the
thing that was named which changes.
"""

from __future__ import annotations

from lambdatop.domain.keys import Key, Scope, parse_arn

_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)
"""How the regions of each partition begin, from the SDK's partitions.json (a test compares)."""


def partition(region: str) -> str:
    """Return the ARN partition of a region."""
    return next((name for begins, name in _PARTITIONS if region.startswith(begins)), "aws")


def arn_in(scope: Scope, service: str, resource: str, told: str = "") -> str:
    """Return the ARN of a resource in exactly this account and region.

    `told` is an ARN of it or of a neighbouring resource, as AWS gave it; only its partition is used. Where
    AWS gave none (""), the partition follows from the region.
    """
    parsed = parse_arn(told)
    where = parsed.partition if parsed and parsed.partition else partition(scope.region)
    return f"arn:{where}:{service}:{scope.region}:{scope.account}:{resource}"


def function_arn(scope: Scope, name: str, told: str = "") -> str:
    """Return the unqualified ARN of a function."""
    return arn_in(scope, "lambda", f"function:{name}", told)


def bus_arn(scope: Scope, bus: str, told: str = "") -> str:
    """Return the ARN of an event bus; `told` is the ARN of one of its rules."""
    return arn_in(scope, "events", f"event-bus/{bus}", told)


def queue_arn(key: Key) -> str:
    """Return the ARN of a queue key."""
    return arn_in(key.scope, "sqs", key.id)


def is_elsewhere(scope: Scope, told: str) -> bool:
    """Return whether AWS named something of another account or region, or no ARN at all; False for ""."""
    parsed = parse_arn(told)
    return bool(told) and (parsed is None or Scope(parsed.account, parsed.region) != scope)
