"""Hold what may be sent without confirmation: the reads, and how credentials are obtained.

The list is generated from the call sites (`sent_reads.py`) and maps one to one to the read-only IAM policy.
It is a list of names, never a pattern: a new operation of AWS is refused until the code sends it and a
person has reviewed the line that this adds.
"""

from __future__ import annotations

from collections.abc import Mapping

from lambdatop.aws.sdk.walls.sent_reads import SENT

_SERVICE_IDS = {
    "dynamodbstreams": "dynamodb-streams",
    "events": "eventbridge",
    "logs": "cloudwatch-logs",
    "stepfunctions": "sfn",
}
"""Services whose id in botocore's event names is not the name of their client."""


def _by_service_id() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for service, operation in SENT:
        found.setdefault(_SERVICE_IDS.get(service, service), set()).add(operation)
    return {service: frozenset(names) for service, names in found.items()}


READS: Mapping[str, frozenset[str]] = _by_service_id()
"""Operations that may always be sent, by service id as in event names. IAM's access level "Read" is not the
criterion: sqs:ReceiveMessage has it, and hides messages and moves them closer to their dead-letter queue."""

_IAM_ACTIONS = {"s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification"}
_IAM_SERVICES = {"service-quotas": "servicequotas", "stepfunctions": "states", "dynamodbstreams": "dynamodb"}


def iam_action(service: str, operation: str) -> str:
    """Return the IAM action that allows an operation, by boto's names (`logs:FilterLogEvents`)."""
    action = f"{_IAM_SERVICES.get(service, service)}:{operation}"
    return _IAM_ACTIONS.get(action, action)


def read_actions() -> tuple[str, ...]:
    """Return the IAM actions of every read; GetCallerIdentity needs none."""
    found = (iam_action(service, operation) for service, operation in SENT)
    return tuple(a for a in found if a != "sts:GetCallerIdentity")


CREDENTIALS: Mapping[str, frozenset[str]] = {
    "sts": frozenset({"AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity"}),
    "sso": frozenset({"GetRoleCredentials"}),
    "sso-oidc": frozenset({"CreateToken"}),
    "signin": frozenset({"CreateOAuth2Token"}),
}
"""What credential providers call on the same session before anything else can work."""

LEASE = ("dynamodb", "UpdateItem")
"""The one write of the shared lease; like every write it needs a ticket of its own."""

DRAIN_RECEIVE, DRAIN_DELETE = "ReceiveMessage", "DeleteMessageBatch"
"""The two operations of sqs that the ticket of a drain admits, for its own queue and what is on disk."""
