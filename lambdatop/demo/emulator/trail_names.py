"""How CloudTrail names Lambda's calls, and what it says of their parameters."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

# The odd parts of a path are names. CloudTrail appends the API's version where the field has an old one.
EVENTS: dict[tuple[str, str], str] = {
    ("POST", "functions"): "CreateFunction20150331",
    ("DELETE", "functions/*"): "DeleteFunction20150331",
    ("PUT", "functions/*/code"): "UpdateFunctionCode20150331v2",
    ("PUT", "functions/*/configuration"): "UpdateFunctionConfiguration20150331v2",
    ("POST", "functions/*/versions"): "PublishVersion20150331",
    ("POST", "functions/*/aliases"): "CreateAlias20150331",
    ("PUT", "functions/*/aliases/*"): "UpdateAlias20150331",
    ("DELETE", "functions/*/aliases/*"): "DeleteAlias20150331",
    ("POST", "functions/*/policy"): "AddPermission20150331v2",
    ("DELETE", "functions/*/policy/*"): "RemovePermission20150331v2",
    ("PUT", "functions/*/concurrency"): "PutFunctionConcurrency20171031",
    ("DELETE", "functions/*/concurrency"): "DeleteFunctionConcurrency20171031",
    ("PUT", "functions/*/event-invoke-config"): "PutFunctionEventInvokeConfig",
    ("POST", "functions/*/event-invoke-config"): "UpdateFunctionEventInvokeConfig",
    ("DELETE", "functions/*/event-invoke-config"): "DeleteFunctionEventInvokeConfig",
    ("PUT", "functions/*/recursion-config"): "PutFunctionRecursionConfig",
    ("PUT", "functions/*/provisioned-concurrency"): "PutProvisionedConcurrencyConfig",
    ("DELETE", "functions/*/provisioned-concurrency"): "DeleteProvisionedConcurrencyConfig",
    ("POST", "functions/*/url"): "CreateFunctionUrlConfig",
    ("PUT", "functions/*/url"): "UpdateFunctionUrlConfig",
    ("DELETE", "functions/*/url"): "DeleteFunctionUrlConfig",
    ("POST", "event-source-mappings"): "CreateEventSourceMapping20150331",
    ("PUT", "event-source-mappings/*"): "UpdateEventSourceMapping20150331",
    ("DELETE", "event-source-mappings/*"): "DeleteEventSourceMapping20150331",
    ("POST", "tags/*"): "TagResource20170331v2",
    ("DELETE", "tags/*"): "UntagResource20170331v2",
}
RULE_EVENTS = ("PutRule", "DeleteRule", "EnableRule", "DisableRule", "PutTargets", "RemoveTargets")

_PARAMETERS = {
    "functions": "functionName",
    "aliases": "name",
    "policy": "statementId",
    "event-source-mappings": "uUID",
    "tags": "resource",
}
# Left out of the trail, as AWS does: code and environment variables may be secret.
_OMITTED = {"zipFile", "environment", "code"}


def lambda_event(method: str, path: str) -> tuple[str, dict[str, str]]:
    """Return the event's name ("" for what is not recorded) and the parameters in the path."""
    _, _, *parts = path.rstrip("/").split("/")
    shape = "/".join("*" if place % 2 else part for place, part in enumerate(parts))
    named = zip(parts[::2], parts[1::2], strict=False)
    return EVENTS.get((method, shape), ""), {
        _PARAMETERS[kind]: unquote(value) for kind, value in named if kind in _PARAMETERS
    }


def parameters(request: Any) -> Any:
    """Return a request's members as CloudTrail writes them, the first letter small."""
    if isinstance(request, list):
        return [parameters(item) for item in request]
    if not isinstance(request, dict):
        return request
    named = {name[:1].lower() + name[1:]: parameters(value) for name, value in request.items()}
    return {name: value for name, value in named.items() if name not in _OMITTED}


def function_name(reference: str) -> str:
    """Return the bare name in a function's name, ARN or partial ARN, qualified or not; "" for another ARN."""
    if ":function:" in reference:
        return reference.partition(":function:")[2].partition(":")[0]
    return "" if reference.startswith("arn:") else reference.partition(":")[0]
