"""Resource policies: who may invoke a function, and what kind of invocation that is. Pure.

Every push trigger needs a statement that allows its service; whether the service really sends anything, the
policy does not show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from lambdatop.aws.facts.resources import arn_text, json_object
from lambdatop.domain.facts.triggers import Invocation, PushTrigger
from lambdatop.domain.sanitize import clean_line

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
"""Service principals (without `.amazonaws.com`) by the way in which they invoke."""

_REPLICATOR = "replicator.lambda.amazonaws.com"
"""Copies a function to other regions for CloudFront (CloudFront developer guide, "Set up IAM permissions and
roles for Lambda@Edge", "Service-linked roles"); it reads the function, CloudFront invokes the copies."""
_INVOKES = ("*", "lambda:*")
_POSITIVE = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "bool")
"""Condition operators that say what a value must be; others (StringNotLike, Null …) name no source."""
_URL_KEYS = ("lambda:functionurlauthtype", "lambda:invokedviafunctionurl")


MOST_KEPT = 200
"""Triggers kept of one function. A statement allows each of its principals for each of its sources: 15 KB of
a policy, of which AWS takes 20, can say a hundred thousand of them."""


class NoPolicy(ValueError):
    """A text is not a resource policy that can be read: who may call is not known then."""


class Pushed(NamedTuple):
    """The triggers that a policy allows, as far as they are kept, and how many more there are at most."""

    kept: tuple[PushTrigger, ...]
    left: int = 0


def allowing(policy: str) -> list[dict[str, Any]]:
    """Return the statements of a policy document that allow something; raise NoPolicy for anything else.

    One statement that cannot be understood spoils all: whom it allows would be missing (IAM user guide,
    "Grammar of the IAM JSON policy language").
    """
    statements = json_object(policy).get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    known = [s for s in listed if isinstance(s, dict) and s.get("Effect") in ("Allow", "Deny")]
    if len(known) < len(listed):
        raise NoPolicy("The resource policy has no statements that can be understood.")
    allow = [s for s in known if s["Effect"] == "Allow"]
    if not all(_understood(s) for s in allow):
        raise NoPolicy("A statement of the resource policy cannot be understood.")
    return allow


def _understood(statement: Mapping[str, Any]) -> bool:
    """Return whether it says who may do what; without actions it may be anything."""
    principal, actions = statement.get("Principal"), statement.get("Action")
    whom = principal.values() if isinstance(principal, dict) else [principal]
    what = statement.get("NotAction") if actions is None else actions
    return bool(whom) and all(map(_is_texts, whom)) and (what is None or _is_texts(what))


def _is_texts(value: Any) -> bool:
    listed = value if isinstance(value, list) else [value]
    return bool(listed) and all(isinstance(v, str) and v for v in listed)


def push_triggers(policy: str) -> Pushed:
    """Return the triggers that a policy document allows, in its order; raise NoPolicy for anything else."""
    found: dict[PushTrigger, None] = {}
    left = 0
    for statement in allowing(policy):
        if _invokes(statement):
            pairs, many = _triggers(statement)
            room = MOST_KEPT - len(found)
            found |= dict.fromkeys(islice(pairs, room))
            left += max(0, many - room)
        elif any(service and name.lower() == _REPLICATOR for service, name in _who(statement)):
            found[PushTrigger("cloudfront", "push sync", "", _REPLICATOR)] = None
    return Pushed(tuple(found), left)


def _invokes(statement: Mapping[str, Any]) -> bool:
    """Return whether it allows anybody to invoke; a statement without actions (NotAction) may."""
    actions = [str(a).lower() for a in _listed(statement.get("Action"))]
    return not actions or any(a in _INVOKES or a.startswith("lambda:invoke") for a in actions)


def _triggers(statement: Mapping[str, Any]) -> tuple[Iterator[PushTrigger], int]:
    """Return the triggers of one statement, one for each principal and source, and how many these are."""
    conditions = _conditions(statement.get("Condition"))
    arns = [s for s in conditions.get("aws:sourcearn", ()) if s.startswith("arn:")]
    actions = [str(a).lower() for a in _listed(statement.get("Action"))]
    url = any(k in conditions for k in _URL_KEYS) or actions == ["lambda:invokefunctionurl"]
    sources = [""] if url else list(dict.fromkeys(arns)) or [""]
    principals = list(dict.fromkeys(_who(statement)))

    def pairs() -> Iterator[PushTrigger]:
        for service, principal in principals:
            kind, invocation = _URL if url else _kind(principal) if service else _ACCOUNT
            for source in sources:
                yield PushTrigger(kind, invocation, arn_text(source), clean_line(principal, 512))

    return pairs(), len(principals) * len(sources)


def _who(statement: Mapping[str, Any]) -> Iterator[tuple[bool, str]]:
    """Yield whether it is a service, and its name; accounts, roles and everybody ("*") are not."""
    principal = statement.get("Principal")
    if not isinstance(principal, dict):
        principal = {"AWS": principal}
    for type_, values in principal.items():
        for value in _listed(values):
            yield type_ == "Service", str(value)


def _listed(value: Any) -> list[Any]:
    values = value if isinstance(value, list) else [value]
    return [v for v in values if isinstance(v, str) and v]


_ACCOUNT: tuple[str, Invocation] = ("account", "unknown")
"""Somebody's role or account: such a call may be of either type."""


_URL: tuple[str, Invocation] = ("url", "push sync")


def _kind(service: str) -> tuple[str, Invocation]:
    """Return the kind of caller of a service principal (`logs.eu-west-1.amazonaws.com` holds its region)."""
    name = service.lower().split(".")[0]
    if name in _ASYNC:
        return _ASYNC[name], "push async"
    return (_SYNC[name], "push sync") if name in _SYNC else ("other", "unknown")


def _conditions(condition: Any) -> dict[str, list[str]]:
    """Return demanded values by condition key in lower case; operators may have a set prefix and IfExists."""
    found: dict[str, list[str]] = {}
    for operator, comparison in condition.items() if isinstance(condition, dict) else ():
        plain = str(operator).lower().rsplit(":", 1)[-1].removesuffix("ifexists")
        if plain not in _POSITIVE or not isinstance(comparison, dict):
            continue
        for key, value in comparison.items():
            values = [str(v) for v in (value if isinstance(value, list) else [value])]
            found.setdefault(str(key).lower(), []).extend(values)
    return found
