"""Harmless reads that show whether an action is allowed, where IAM may not be asked about oneself."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.walls.allowlist import iam_action
from lambdatop.domain.errors import Denied, LambdatopError, Missing
from lambdatop.domain.facts.permissions import Permission

TRIALS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("lambda", "GetAccountSettings", {}),
    ("lambda", "ListFunctions", {"MaxItems": 1}),
    ("lambda", "ListEventSourceMappings", {"MaxItems": 1}),
    ("cloudwatch", "DescribeAlarms", {"MaxRecords": 1}),
    ("cloudwatch", "ListMetrics", {"Namespace": "AWS/Lambda", "RecentlyActive": "PT3H"}),
    ("logs", "DescribeLogGroups", {"limit": 1}),
    ("sqs", "ListQueues", {"MaxResults": 1}),
    ("kinesis", "ListStreams", {"Limit": 1}),
    ("dynamodb", "ListTables", {"Limit": 1}),
    ("sns", "ListTopics", {}),
    ("events", "ListRules", {"Limit": 1}),
    ("cloudtrail", "LookupEvents", {"MaxResults": 1}),
    ("service-quotas", "ListServiceQuotas", {"ServiceCode": "lambda", "MaxResults": 1}),
)
"""Lists of one, all of them free of charge."""


async def tried(api: Api, actions: Collection[str]) -> dict[str, Permission]:
    """What one read each says of those of the actions that have a harmless one."""
    wanted = [(s, o, p) for s, o, p in TRIALS if iam_action(s, o) in actions]
    answers = await asyncio.gather(*(_try(api, *trial) for trial in wanted))
    return dict(answers)


async def _try(api: Api, service: str, operation: str, params: dict[str, Any]) -> tuple[str, Permission]:
    action = iam_action(service, operation)
    try:
        await api.read(service, operation, **params)
    except Denied as denied:
        # A denial may be about something behind it (a key of KMS): that says nothing of this action.
        return action, "no" if denied.action in (None, action) else "unknown"
    except Missing:
        return action, "yes"
    except LambdatopError:
        return action, "unknown"
    return action, "yes"
