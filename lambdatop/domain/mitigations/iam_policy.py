"""Print IAM policies from what reads and mitigations declare, and nothing else.

Pure: the reads come from whoever sends them, the changes from the registry of mitigations. Which resources an
action takes is AWS's Service Authorization Reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from lambdatop.domain.mitigations.drain import KMS
from lambdatop.domain.mitigations.registry import REGISTRY

PolicyName = Literal["read-only", "operator", "operator-elevated"]
POLICIES: tuple[PolicyName, ...] = ("read-only", "operator", "operator-elevated")

ANY_NAME = ("LEASE_TABLE", "KMS_KEY_ID", "SCHEDULE_ROLE_WITH_PATH")
"""Placeholders of `resource_of` for a name that only the reader of a policy knows."""
PLACEHOLDERS = (
    "ACCOUNT_ID",
    "REGION",
    "LAMBDATOP_ROLE_WITH_PATH",
    "DLQ_NAME_PATTERN",
    "LOG_GROUP_PATTERN",
    *ANY_NAME,
)
"""What stands in a policy instead of what only its reader knows."""

LEASE_ACTION = "dynamodb:UpdateItem"
_QUEUES = "arn:aws:sqs:REGION:ACCOUNT_ID:*"
_DEAD_LETTERS = "arn:aws:sqs:REGION:ACCOUNT_ID:DLQ_NAME_PATTERN"
_LOGS = ("logs:FilterLogEvents", "logs:StartLiveTail", "logs:StartQuery")
"""Reads that IAM can hold to a log group."""
_OWN_ROLE = ("iam:GetRole", "iam:SimulatePrincipalPolicy")

Statement = dict[str, Any]


def resource_of(action: str) -> str:
    """Return the ARN pattern of what a changing action acts on, "*" where none is known.

    Holds the placeholders REGION, ACCOUNT_ID and those of ANY_NAME.
    """
    service, _, name = action.partition(":")
    if action == "iam:PassRole":
        return "arn:aws:iam::ACCOUNT_ID:role/SCHEDULE_ROLE_WITH_PATH"
    if name.endswith("EventSourceMapping"):
        return "arn:aws:lambda:REGION:ACCOUNT_ID:event-source-mapping:*"
    return {
        "lambda": "arn:aws:lambda:REGION:ACCOUNT_ID:function:*",
        "sqs": _QUEUES,
        "events": "arn:aws:events:REGION:ACCOUNT_ID:rule/*",
        "scheduler": "arn:aws:scheduler:REGION:ACCOUNT_ID:schedule/*",
        "pipes": "arn:aws:pipes:REGION:ACCOUNT_ID:pipe/*",
        "states": "arn:aws:states:REGION:ACCOUNT_ID:execution:*",
        "dynamodb": "arn:aws:dynamodb:REGION:ACCOUNT_ID:table/LEASE_TABLE",
        "kms": "arn:aws:kms:REGION:ACCOUNT_ID:key/KMS_KEY_ID",
    }.get(service, "*")


class Policy(Struct, frozen=True):
    """A policy document, and notes about statements that not everybody needs, by Sid."""

    document: Mapping[str, Any]
    optional: Mapping[str, str]

    @property
    def actions(self) -> tuple[str, ...]:
        """Every action that it allows, once, in its order."""
        return tuple(dict.fromkeys(a for s in self.document["Statement"] for a in s["Action"]))


def policy(name: PolicyName, reads: Iterable[str]) -> Policy:
    """Return one of the policies; `reads` are the IAM actions of everything that is read."""
    actions = tuple(reads)
    make: Mapping[PolicyName, Callable[[Sequence[str]], Policy]] = {
        "read-only": _read_only,
        "operator": _operator,
        "operator-elevated": _elevated,
    }
    return make[name](actions)


def _read_only(reads: Sequence[str]) -> Policy:
    plain = sorted(set(reads) - {*_LOGS, *_OWN_ROLE})
    role = "arn:aws:iam::ACCOUNT_ID:role/LAMBDATOP_ROLE_WITH_PATH"
    statements = (
        _statement("ReadConfigurationAndMetrics", plain, "*"),
        _statement("ReadLogsOfLambda", _LOGS, *_log_groups("/aws/lambda/*")),
        _statement("ReadLogsElsewhere", _LOGS, *_log_groups("LOG_GROUP_PATTERN")),
        _statement("AskForOwnPermissions", _OWN_ROLE, role),
    )
    return _policy(
        statements,
        {"ReadLogsElsewhere": "for functions whose log group is not below /aws/lambda/; remove it otherwise"},
    )


def _log_groups(pattern: str) -> tuple[str, str]:
    group = f"arn:aws:logs:REGION:ACCOUNT_ID:log-group:{pattern}"
    return group, f"{group}:log-stream:*"


def _operator(reads: Sequence[str]) -> Policy:
    by_resource: dict[str, list[str]] = {}
    for action in dict.fromkeys(
        a for p in REGISTRY.values() for a in (*p.iam, *p.iam_of_settings) if a not in reads
    ):
        dead_letters = action.startswith("sqs:") and action != "sqs:SendMessage"
        by_resource.setdefault(_DEAD_LETTERS if dead_letters else resource_of(action), []).append(action)
    statements = (_statement(_sid(resource), actions, resource) for resource, actions in by_resource.items())
    optional = {
        "LeaseTable": "only with lease.table in the configuration; remove it otherwise",
        "EncryptedQueues": "only for queues encrypted with a KMS key of yours; remove it otherwise",
    }
    return _policy((*statements, _lease(), _encrypted()), optional)


_ROLES = resource_of("iam:PassRole")
_SIDS = {
    resource_of("lambda:UpdateAlias"): "ChangeFunctions",
    resource_of("lambda:UpdateEventSourceMapping"): "ChangeTriggers",
    resource_of("events:DisableRule"): "SwitchRules",
    resource_of("scheduler:UpdateSchedule"): "SwitchSchedules",
    _ROLES: "PassRolesOfSchedules",
    resource_of("pipes:StopPipe"): "SwitchPipes",
    resource_of("states:StopExecution"): "StopExecutions",
    _DEAD_LETTERS: "MoveDeadLetters",
    _QUEUES: "MoveThemToTheirQueue",
}
_FINAL_SIDS = {_QUEUES: "EmptyQueues", resource_of("lambda:UpdateAlias"): "StopDurableExecutions"}
"""Of statements that the operator policy has on the same resource, for other actions."""


def _sid(resource: str) -> str:
    """Return the name of the statement about a resource, one by its service where none is written down."""
    service = resource.split(":")[2].title() if ":" in resource else "WithoutResource"
    return _SIDS.get(resource, f"Change{service}")


def _lease() -> Statement:
    return _statement("LeaseTable", (LEASE_ACTION,), resource_of(LEASE_ACTION))


def _encrypted() -> Statement:
    """Return the KMS permissions that SQS requires for messages of an encrypted queue, through SQS alone.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    """
    via = {"StringEquals": {"kms:ViaService": "sqs.REGION.amazonaws.com"}}
    return _statement("EncryptedQueues", KMS, resource_of(KMS[0])) | {"Condition": via}


def _elevated(reads: Sequence[str]) -> Policy:
    """Return what requires a second factor: what cannot be undone, and what passes a role on.

    Who may update a schedule and pass its role may let that role do anything that it is allowed to. The
    condition of its service is that of AWS's own policy AmazonEventBridgeSchedulerFullAccess.
    """
    by_resource: dict[str, list[str]] = {}
    for action in dict.fromkeys(a for p in REGISTRY.values() for a in p.iam_elevated if a not in reads):
        by_resource.setdefault(resource_of(action), []).append(action)
    statements = []
    for resource, actions in by_resource.items():
        condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
        if resource == _ROLES:
            condition |= {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
        sid = _FINAL_SIDS.get(resource) or _sid(resource)
        statements.append(_statement(sid, actions, resource) | {"Condition": condition})
    asks = "its condition asks for MFA in the session that calls"
    schedules = "only for schedules of EventBridge Scheduler; whoever may pass a role can use all its rights"
    optional = {statement["Sid"]: asks for statement in statements}
    return _policy(statements, optional | {_SIDS[_ROLES]: f"{asks}; {schedules}"})


def _statement(sid: str, actions: Iterable[str], *resources: str) -> Statement:
    resource: str | list[str] = resources[0] if len(resources) == 1 else list(resources)
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource}


def _policy(statements: Iterable[Statement], optional: Mapping[str, str]) -> Policy:
    return Policy({"Version": "2012-10-17", "Statement": list(statements)}, optional)
