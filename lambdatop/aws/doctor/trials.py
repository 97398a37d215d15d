"""Make harmless reads that show whether an action is allowed, where IAM must not simulate the caller."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from lambdatop.aws.sdk.api import Api
from lambdatop.aws.sdk.walls.allowlist import iam_action
from lambdatop.aws.sources import COLLECTORS
from lambdatop.aws.spec import Trial
from lambdatop.domain.errors import Denied, LambdatopError, Missing
from lambdatop.domain.facts.permissions import Permission

TRIALS: tuple[Trial, ...] = (
    ("sqs", "ListQueues", {"MaxResults": 1}),
    ("kinesis", "ListStreams", {"Limit": 1}),
    ("dynamodb", "ListTables", {"Limit": 1}),
    ("sns", "ListTopics", {}),
    ("cloudtrail", "LookupEvents", {"MaxResults": 1}),
    ("scheduler", "ListSchedules", {"MaxResults": 1}),
    ("pipes", "ListPipes", {"Limit": 1}),
    ("stepfunctions", "ListStateMachines", {"maxResults": 1}),
)
"""Reads that no source makes: those for plans, and of services that trigger functions."""


async def tried(api: Api, actions: Collection[str]) -> dict[str, Permission]:
    """Return what one harmless read each says of those actions that have one."""
    every = (*(trial for spec in COLLECTORS.values() for trial in spec.trials), *TRIALS)
    wanted = [(s, o, p) for s, o, p in every if iam_action(s, o) in actions]
    answers = await asyncio.gather(*(_try(api, *trial) for trial in wanted))
    return dict(answers)


async def _try(api: Api, service: str, operation: str, params: Mapping[str, Any]) -> tuple[str, Permission]:
    action = iam_action(service, operation)
    try:
        await api.read(service, operation, **params)
    except Denied as denied:
        # A denial may concern another action behind it (a KMS key): then this one is not known.
        return action, "no" if denied.action in (None, action) else "unknown"
    except Missing:
        return action, "yes"
    except LambdatopError:
        return action, "unknown"
    return action, "yes"
