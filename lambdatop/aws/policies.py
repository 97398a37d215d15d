"""Resource policies: who may invoke a function, and what kind of invocation that is. Pure.

A statement that lets a service in is the trace that every push trigger leaves; whether the service really
sends anything, it does not say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lambdatop.domain.text import clean_line
from lambdatop.domain.trigger import Invocation, PushTrigger

_ASYNC: Mapping[str, str] = {
    "s3": "s3",
    "sns": "sns",
    "events": "eventbridge",
    "scheduler": "scheduler",
    "logs": "logs",
    "iot": "iot",
    "ses": "ses",
    "codecommit": "codecommit",
    "codepipeline": "codepipeline",
    "config": "config",
    "cloudformation": "cloudformation",
}
_SYNC: Mapping[str, str] = {
    "apigateway": "apigateway",
    "elasticloadbalancing": "alb",
    "cognito-idp": "cognito",
    "cognito-sync": "cognito",
    "lexv2": "lex",
    "lex": "lex",
    "alexa-appkit": "alexa",
    "alexa-connectedhome": "alexa",
    "appsync": "appsync",
    "bedrock": "bedrock",
    "secretsmanager": "secretsmanager",
    "vpc-lattice": "vpc-lattice",
    "edgelambda": "cloudfront",
    "cloudfront": "cloudfront",
}
"""Service principals (without `.amazonaws.com`) by the way in which they invoke (telemetry section 6)."""

_ARN_MAX = 2048


def push_triggers(policy: str) -> tuple[PushTrigger, ...]:
    """The triggers that a policy document allows, in its order; () for what is no policy."""
    try:
        statements = json.loads(policy).get("Statement") or []
    except (ValueError, AttributeError, RecursionError):
        return ()
    found: dict[PushTrigger, None] = {}
    for statement in statements if isinstance(statements, list) else [statements]:
        if isinstance(statement, dict) and statement.get("Effect") == "Allow":
            found |= dict.fromkeys(_triggers(statement))
    return tuple(found)


def _triggers(statement: Mapping[str, Any]) -> Iterator[PushTrigger]:
    conditions = _conditions(statement.get("Condition"))
    sources = [a for a in conditions.get("aws:sourcearn", []) if a] or [""]
    for principal in _principals(statement.get("Principal")):
        if "lambda:functionurlauthtype" in conditions:
            yield PushTrigger("url", "push sync", "", clean_line(principal, 512))
            continue
        kind, invocation = _kind(principal)
        for source in sources:
            yield PushTrigger(kind, invocation, clean_line(source, _ARN_MAX), clean_line(principal, 512))


def _principals(principal: Any) -> list[str]:
    values = list(principal.values()) if isinstance(principal, dict) else [principal]
    flat = [v for value in values for v in (value if isinstance(value, list) else [value])]
    return [str(v) for v in flat if v]


def _kind(principal: str) -> tuple[str, Invocation]:
    """What kind of caller a principal is. A role's or an account's call may be of either type."""
    if not principal.endswith((".amazonaws.com", ".amazonaws.com.cn", ".amazon.com")):
        return "account", "unknown"
    service = principal.split(".")[0]
    if service in _ASYNC:
        return _ASYNC[service], "push async"
    return (_SYNC[service], "push sync") if service in _SYNC else ("other", "unknown")


def _conditions(condition: Any) -> dict[str, list[str]]:
    """Values by condition key in lower case, whatever operator compares them."""
    found: dict[str, list[str]] = {}
    for comparison in condition.values() if isinstance(condition, dict) else ():
        for key, value in comparison.items() if isinstance(comparison, dict) else ():
            values = value if isinstance(value, list) else [value]
            found.setdefault(str(key).lower(), []).extend(str(v) for v in values)
    return found
