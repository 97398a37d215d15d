"""Aliases as on AWS: weighted routing is drawn anew for each invocation, and no pointer leads nowhere.

ministack stores weights and ignores them, and accepts aliases of versions that do not exist. Its revision
check (412 on a stale RevisionId, a new one after each update) is as on AWS and stays.
"""

from __future__ import annotations

import contextvars
import functools
import json
import random
from collections.abc import Callable
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.patches.control_plane import refusal

LATEST = "$LATEST"
# AWS leaves these out of lists; GetFunctionConfiguration has them.
_NOT_IN_LISTS = (
    "State",
    "StateReason",
    "StateReasonCode",
    "LastUpdateStatus",
    "LastUpdateStatusReason",
    "LastUpdateStatusReasonCode",
    "RuntimeVersionConfig",
)
# The alias by which somebody called, while the version that was drawn for it runs.
_CALLED_AS: contextvars.ContextVar[str | None] = contextvars.ContextVar("lambdatop_called_as", default=None)
_Call = Callable[..., Any]


def install() -> None:
    """Put the wrappers in place."""
    _ministack.replace("services.lambda_svc._create_alias", _checked)
    _ministack.replace("services.lambda_svc._update_alias", _checked)
    _ministack.replace("services.lambda_svc._list_aliases", _list_of_one_version)
    _ministack.replace("services.lambda_svc._list_versions", _list_versions)
    _ministack.replace("services.lambda_svc._invoke", _invoke_drawn)
    _ministack.replace("services.lambda_svc._get_func_record_for_ref", _record_drawn)
    _ministack.replace("core.lambda_runtime.Worker.invoke", _as_called)


def weights(alias: dict[str, Any]) -> dict[str, float]:
    """Return the share of every version other than the alias's own."""
    return dict((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})


def draw(alias: dict[str, Any]) -> str:
    """Return the version that the next invocation of an alias runs."""
    point = random.random()
    for version, share in weights(alias).items():
        if point < float(share):
            return version
        point -= float(share)
    return str(alias.get("FunctionVersion", LATEST))


def effective(name: str, qualifier: str | None) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return the record and the configuration that one invocation of a qualified function runs."""
    alias = _alias(_ministack.get("services.lambda_svc._functions").get(name), qualifier)
    target = draw(alias) if alias else qualifier
    found: tuple[dict[str, Any] | None, dict[str, Any] | None]
    found = _ministack.get("services.lambda_svc._get_func_record_for_qualifier")(name, target)
    return found


def _alias(function: dict[str, Any] | None, qualifier: str | None) -> dict[str, Any] | None:
    found: dict[str, Any] | None = ((function or {}).get("aliases") or {}).get(qualifier)
    return found


def _invoke_drawn(original: _Call) -> _Call:
    @functools.wraps(original)
    async def invoke(
        name: str,
        event: Any,
        headers: dict[str, str],
        path_qualifier: str | None = None,
        query_params: dict[str, Any] | None = None,
    ) -> Any:
        asked = (query_params or {}).get("Qualifier")
        qualifier = path_qualifier or (asked[0] if isinstance(asked, list) else asked)
        alias = _alias(_ministack.get("services.lambda_svc._functions").get(name), qualifier)
        if alias is None or not weights(alias):
            return await original(name, event, headers, path_qualifier, query_params)
        token = _CALLED_AS.set(alias["AliasArn"])
        try:
            return await original(name, event, headers, draw(alias), query_params)
        finally:
            _CALLED_AS.reset(token)

    return invoke


def _as_called(original: _Call) -> _Call:
    """Pass the function the ARN that its caller used, the alias's, not the drawn version's."""

    @functools.wraps(original)
    def invoke(worker: Any, event: Any, request_id: str, **context: Any) -> Any:
        called_as = _CALLED_AS.get()
        if called_as is not None:
            context["invoked_function_arn"] = called_as
        return original(worker, event, request_id, **context)

    return invoke


def _record_drawn(original: _Call) -> _Call:
    """Draw for the services that call a function by its ARN: SNS, S3, EventBridge, Step Functions."""

    @functools.wraps(original)
    def record_for(reference: str) -> Any:
        record, config, name = original(reference)
        base, _, _ = _ministack.get("services.lambda_svc._get_base_func_record_for_ref")(reference)
        alias = _alias(base, reference.rsplit(":", 1)[-1])
        if record is None or alias is None or not weights(alias):
            return record, config, name
        version = base["versions"][draw(alias)]
        return version, version["config"], name

    return record_for


def _checked(original: _Call) -> _Call:
    """Refuse what AWS refuses before an alias is created or updated."""

    @functools.wraps(original)
    def change(name: str, *rest: Any) -> Any:
        function, data = _ministack.get("services.lambda_svc._functions").get(name), rest[-1]
        alias = _alias(function, rest[0]) if len(rest) > 1 else {}
        stale = alias and data.get("RevisionId", alias["RevisionId"]) != alias["RevisionId"]
        if function is None or alias is None or stale:
            return original(name, *rest)  # ministack refuses these as AWS does.
        wanted = {**alias, **data}
        version = str(wanted.get("FunctionVersion", LATEST))
        return _refused(function, version, weights(wanted)) or original(name, *rest)

    return change


def _refused(function: dict[str, Any], version: str, shares: dict[str, float]) -> Any:
    for pointer in (version, *shares):
        if pointer != LATEST and pointer not in function["versions"]:
            text = f"Function not found: {function['config']['FunctionArn']}:{pointer}"
            return refusal(404, "ResourceNotFoundException", text)
    text = ""
    if len(shares) > 1:
        text = "Number of items in AdditionalVersionWeights cannot be greater than 1"
    elif shares and LATEST in (version, *shares):
        text = f"{LATEST} is not supported for an alias pointing to more than 1 version"
    elif version in shares:
        text = (
            f"Invalid function version {version}. "
            f"Function version {version} is already included in routing configuration."
        )
    elif any(not 0 <= float(share) <= 1 for share in shares.values()):
        text = "Weights must be between 0.0 and 1.0."
    return refusal(400, "InvalidParameterValueException", text) if text else None


def _list_of_one_version(original: _Call) -> _Call:
    """Honour ListAliases' FunctionVersion, which ministack ignores."""

    @functools.wraps(original)
    def list_aliases(name: str, query: dict[str, Any]) -> Any:
        asked = query.get("FunctionVersion")
        version = asked[0] if isinstance(asked, list) else asked
        status, headers, body = original(name, query)
        if status != 200 or not version:
            return status, headers, body
        answer = json.loads(body)
        answer["Aliases"] = [a for a in answer["Aliases"] if version in (a["FunctionVersion"], *weights(a))]
        return status, headers, json.dumps(answer).encode()

    return list_aliases


def _list_versions(original: _Call) -> _Call:
    """Qualify every ARN (ministack: not all) and leave out what AWS leaves out of lists."""

    @functools.wraps(original)
    def list_versions(name: str, query: dict[str, Any]) -> Any:
        status, headers, body = original(name, query)
        if status != 200:
            return status, headers, body
        answer = json.loads(body)
        listed = [{k: v for k, v in c.items() if k not in _NOT_IN_LISTS} for c in answer["Versions"]]
        for config in listed:
            base = config["FunctionArn"].partition(f":function:{config['FunctionName']}")
            config["FunctionArn"] = f"{base[0]}{base[1]}:{config['Version']}"
        answer["Versions"] = listed
        return status, headers, json.dumps(answer).encode()

    return list_versions
