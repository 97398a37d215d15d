"""Session tokens, and iam:SimulatePrincipalPolicy for the identity that the demo runs as.

Whoever works on this emulator (functions and assumed roles too) shows the run's secret as session token,
because the gate in front lets nothing else through. ministack would make tokens of its own, some of them by
a rule that anybody can follow, and would refuse one that it did not make.

The emulator enforces no policy (unless it is started with ``auth``), and its callers are the account's root,
who may do everything in either case. ministack evaluates the policies attached to users and roles truthfully,
but finds none on root and answers implicitDeny. AWS does not simulate root at all: here the answer is what
would really happen. A role's or user's path, which ministack takes for a part of the name, is left out.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from lambdatop.demo.emulator import _ministack

_ROOT = re.compile(r"arn:aws[\w-]*:iam::\d{12}:root")
_PATH = re.compile(r"/.+/")


def install(token: str) -> None:
    """Put the wrappers in place; ``token`` is the session token of every credential."""
    _ministack.replace("services.sts._gen_session_token", lambda _: lambda: token)
    _ministack.replace("core.iam_evaluator._validate_session_token", lambda o: _validated(o, token))
    for user in ("core.lambda_runtime", "services.lambda_svc"):
        _ministack.replace(f"{user}.execution_credentials", lambda o: _with_token(o, token))
    handlers = _ministack.get("services.iam._IAM_HANDLERS")
    handlers["SimulatePrincipalPolicy"] = _simulated(handlers["SimulatePrincipalPolicy"])


def _validated(original: Callable[..., Any], token: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def validated(expected: str | None, supplied: Any) -> Any:
        return original(expected, expected if supplied == token else supplied)

    return validated


def _with_token(original: Callable[..., Any], token: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def with_token(config: dict[str, Any]) -> dict[str, str]:
        return {**original(config), "AWS_SESSION_TOKEN": token}

    return with_token


def _simulated(original: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def simulate(query: dict[str, Any]) -> Any:
        [source, *_] = [*_members(query, "PolicySourceArn"), ""]
        if not _ROOT.fullmatch(source):
            return original({**query, "PolicySourceArn": [_PATH.sub("/", source)]})
        actions = _members(query, "ActionNames.member.")
        resources = _members(query, "ResourceArns.member.") or ["*"]
        results = "".join(_result(action, resources) for action in actions)
        inner = f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
        body = f"<SimulatePrincipalPolicyResult>{inner}</SimulatePrincipalPolicyResult>"
        return _ministack.get("services.iam._xml")(200, "SimulatePrincipalPolicyResponse", body)

    return simulate


def _members(query: dict[str, Any], name: str) -> list[str]:
    """Return a parameter's values: one, or a numbered list in its order."""
    found = {key: values for key, values in query.items() if key == name or key.startswith(name)}
    ordered = sorted(found.items(), key=lambda item: (len(item[0]), item[0]))
    return [values[0] if isinstance(values, list) else values for _, values in ordered]


def _result(action: str, resources: list[str]) -> str:
    nothing = "<MatchedStatements></MatchedStatements><MissingContextValues></MissingContextValues>"
    each = "".join(
        f"<member><EvalResourceName>{escape(resource)}</EvalResourceName>"
        f"<EvalResourceDecision>allowed</EvalResourceDecision>{nothing}</member>"
        for resource in resources
    )
    # One resource is answered at the top level; for several the top level holds no single one.
    return (
        f"<member><EvalActionName>{escape(action)}</EvalActionName>"
        f"<EvalResourceName>{escape(resources[0] if len(resources) == 1 else '*')}</EvalResourceName>"
        f"<EvalDecision>allowed</EvalDecision>{nothing}"
        f"<ResourceSpecificResults>{each}</ResourceSpecificResults></member>"
    )
