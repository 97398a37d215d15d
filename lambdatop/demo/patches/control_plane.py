"""Lambda's control plane where ministack is too easy-going: mapping states, concurrency floors, policies."""

from __future__ import annotations

import contextvars
import functools
import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.emulator.metric_store import Scope

# How long a mapping stays in Enabling, Disabling or Updating, in real seconds.
TRANSITION_S = 2.0
# AWS keeps so much of the account's concurrency for functions without a reservation, in a young account less.
UNRESERVED_FLOOR = 100
YOUNG_ACCOUNT_FLOOR = 10

_INVOKE_CONFIG = re.compile(r"/2019-09-25/functions/([^/]+)/event-invoke-config$")
# What AWS says of a stream's mapping where nobody said otherwise.
_STREAM_DEFAULTS: dict[str, Any] = {
    "MaximumBatchingWindowInSeconds": 0,
    "MaximumRetryAttempts": -1,
    "MaximumRecordAgeInSeconds": -1,
    "BisectBatchOnFunctionError": False,
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
    "DestinationConfig": {"OnFailure": {}},
}
# A function that a path names by its ARN.
_FUNCTION_ARN = re.compile(r"/functions/(arn:[^:/]*:lambda:([^:/]*):([^:/]*):function:[^/]+)")
_PROVISIONED = re.compile(r"/functions/([^/]+)/provisioned-concurrency$")
_Call = Callable[..., Any]
_Answer = tuple[int, dict[str, str], bytes]


def refusal(status: int, code: str, message: str, **extra: str) -> _Answer:
    """Return an error in Lambda's REST protocol."""
    headers = {"Content-Type": "application/json", "x-amzn-errortype": code}
    return (
        status,
        headers,
        json.dumps({"Type": "User", "Message": message, "message": message, **extra}).encode(),
    )


def allocated(scope: Scope) -> int:
    """Return the concurrency that reservations and provisioning set aside; with both, the reservation."""
    total = 0
    for (account, region, _), record in list(_ministack.get("services.lambda_svc._functions")._data.items()):
        if (account, region) == (scope.account, scope.region):
            reserved = record.get("concurrency")
            total += provisioned(record) if reserved is None else int(reserved)
    return total


def pool_is_full(scope: Scope, record: dict[str, Any], config: dict[str, Any]) -> bool:
    """Return whether the account has no concurrency left for a function without a reservation.

    ministack compares the account's limit with all that runs. On AWS reservations and provisioned
    environments are set aside, used or not: the rest is what everybody else shares.
    """
    running: dict[str, int] = _ministack.get("services.lambda_svc._inflight")
    key = _ministack.get("services.lambda_svc._inflight_key")
    if record.get("concurrency") is not None or running.get(key(config), 0) < provisioned(record):
        return False
    shared = 0
    for (account, region, _), other in list(_ministack.get("services.lambda_svc._functions")._data.items()):
        if (account, region) == (scope.account, scope.region) and other.get("concurrency") is None:
            shared += max(0, running.get(key(other.get("config") or {}), 0) - provisioned(other))
    limit: int = _ministack.get("services.lambda_svc._ACCOUNT_CONCURRENCY_CAP")
    return shared >= limit - allocated(scope)


def is_set_aside(record: dict[str, Any], config: dict[str, Any]) -> bool:
    """Return whether an execution that was just admitted runs on reserved or provisioned concurrency."""
    if record.get("concurrency") is not None:
        return True
    running: dict[str, int] = _ministack.get("services.lambda_svc._inflight")
    return running.get(_ministack.get("services.lambda_svc._inflight_key")(config), 0) <= provisioned(record)


def provisioned(record: dict[str, Any]) -> int:
    """Return a function's provisioned concurrency over all of its versions and aliases."""
    configs = (record.get("provisioned_concurrency") or {}).values()
    return sum(int(config.get("RequestedProvisionedConcurrentExecutions", 0)) for config in configs)


def unreserved_floor(limit: int) -> int:
    """Return what reservations must leave of an account's concurrency ``limit``."""
    return UNRESERVED_FLOOR if limit > UNRESERVED_FLOOR else YOUNG_ACCOUNT_FLOOR


def install() -> None:
    """Put the wrappers in place."""
    _ministack.replace("services.lambda_svc._esm_response", _mapping_response)
    _ministack.replace("services.lambda_svc._update_esm", _update_mapping)
    _ministack.replace("services.lambda_svc._get_policy", _get_policy)
    _ministack.replace("services.lambda_svc._put_function_concurrency", _put_concurrency)
    _ministack.replace("services.lambda_svc._put_provisioned_concurrency", _put_provisioned)
    _ministack.replace("services.lambda_svc.handle_request", _list_provisioned)
    _ministack.replace("services.lambda_svc.handle_request", _merge_invoke_config)
    _ministack.replace("services.lambda_svc.handle_request", _refuse_foreign)


def _update_mapping(original: _Call) -> _Call:
    @functools.wraps(original)
    def update(uuid: str, data: dict[str, Any]) -> Any:
        mappings = _ministack.get("services.lambda_svc._esms")
        mapping = mappings.get(uuid)
        if mapping is None:
            return original(uuid, data)
        if mapping["State"] in ("Enabling", "Disabling", "Updating"):
            text = f"Cannot update the event source mapping because it is in use. State: {mapping['State']}"
            return refusal(400, "ResourceInUseException", text)
        before = mapping["State"]
        status, headers, body = original(uuid, data)
        if status >= 300:
            return status, headers, body
        if data.get("ScalingConfig") == {}:
            mapping.pop("ScalingConfig", None)
            body = json.dumps({k: v for k, v in json.loads(body).items() if k != "ScalingConfig"}).encode()
        after = mapping["State"]
        passing = "Updating" if after == before else {"Enabled": "Enabling", "Disabled": "Disabling"}[after]
        mapping.update(State=passing, StateTransitionReason="User action", LastModified=time.time())
        timer = threading.Timer(
            TRANSITION_S, contextvars.copy_context().run, (_settle, mapping, passing, after)
        )
        timer.daemon = True
        timer.start()
        return status, headers, json.dumps({**json.loads(body), **_state(mapping)}).encode()

    return update


def _mapping_response(original: _Call) -> _Call:
    """Use AWS's words for a stream's last result (AWS has none for a queue), and its defaults."""

    @functools.wraps(original)
    def respond(mapping: dict[str, Any]) -> Any:
        answer = original(mapping)
        if any(service in mapping.get("EventSourceArn", "") for service in (":kinesis:", ":dynamodb:")):
            answer = {**_STREAM_DEFAULTS, **answer}
        result = answer.pop("LastProcessingResult", None)
        if ":sqs:" not in mapping.get("EventSourceArn", "") and result is not None:
            failed = result == "FAILED"
            answer["LastProcessingResult"] = (
                "PROBLEM: Function call failed" if failed else result.partition(" - ")[0]
            )
        return answer

    return respond


def _state(mapping: dict[str, Any]) -> dict[str, Any]:
    return {name: mapping[name] for name in ("State", "StateTransitionReason", "LastModified")}


def _settle(mapping: dict[str, Any], passing: str, final: str) -> None:
    if mapping["State"] == passing:
        mapping["State"] = final


def _get_policy(original: _Call) -> _Call:
    @functools.wraps(original)
    def get_policy(*args: Any, **kwargs: Any) -> Any:
        status, headers, body = original(*args, **kwargs)
        if status == 200 and not json.loads(json.loads(body)["Policy"]).get("Statement"):
            return refusal(
                404, "ResourceNotFoundException", "No policy is associated with the given resource."
            )
        return status, headers, body

    return get_policy


def _put_concurrency(original: _Call) -> _Call:
    @functools.wraps(original)
    def put(name: str, data: dict[str, Any]) -> Any:
        functions = _ministack.get("services.lambda_svc._functions")
        record, wanted = functions.get(name), data.get("ReservedConcurrentExecutions")
        if record is None:
            return original(name, data)
        if not isinstance(wanted, int) or wanted < 0:
            text = "Value at 'reservedConcurrentExecutions' must be an integer greater than or equal to 0"
            return refusal(400, "InvalidParameterValueException", text)
        if wanted < (claimed := provisioned(record)):
            text = (
                f"ReservedConcurrentExecutions {wanted} should not be lower than function's total "
                f"provisioned concurrency [{claimed}]."
            )
            return refusal(400, "InvalidParameterValueException", text)
        limit = _ministack.get("services.lambda_svc._ACCOUNT_CONCURRENCY_CAP")
        others = sum(int(functions[n].get("concurrency") or 0) for n in functions if n != name)
        floor = unreserved_floor(limit)
        if wanted and limit - others - wanted < floor:
            text = (
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{floor}]."
            )
            return refusal(400, "InvalidParameterValueException", text)
        return original(name, data)

    return put


def _put_provisioned(original: _Call) -> _Call:
    @functools.wraps(original)
    def put(name: str, qualifier: str, data: dict[str, Any]) -> Any:
        if not qualifier or qualifier == "$LATEST":
            text = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
            return refusal(400, "InvalidParameterValueException", text)
        return original(name, qualifier, data)

    return put


def _refuse_foreign(original: _Call) -> _Call:
    """Refuse an ARN of another account or region, whatever is asked: no policy here lets anybody in."""

    @functools.wraps(original)
    async def handle(method: str, path: str, headers: Any, body: bytes, query: dict[str, Any]) -> Any:
        match = _FUNCTION_ARN.search(path)
        if match is not None:
            arn, region, account = match.groups()
            if region != (here := _ministack.get("core.responses.get_region")()):
                text = f"Functions from '{region}' are not reachable in this region ('{here}')"
                return refusal(404, "ResourceNotFoundException", text)
            if account != _ministack.get("core.responses.get_account_id")():
                text = f"not authorized on resource: {arn} because no resource-based policy allows the action"
                return refusal(403, "AccessDeniedException", text)
        return await original(method, path, headers, body, query)

    return handle


def _merge_invoke_config(original: _Call) -> _Call:
    """Answer UpdateFunctionEventInvokeConfig, which ministack lacks: what is not sent stays."""

    @functools.wraps(original)
    async def handle(method: str, path: str, headers: Any, body: bytes, query: dict[str, Any]) -> Any:
        match = _INVOKE_CONFIG.search(path)
        if method != "POST" or match is None:
            return await original(method, path, headers, body, query)
        status, answered, found = await original("GET", path, headers, b"", query)
        if status != 200:
            return status, answered, found
        settings = {k: v for k, v in json.loads(found).items() if k not in ("FunctionArn", "LastModified")}
        return await original("PUT", path, headers, json.dumps(settings | json.loads(body)).encode(), query)

    return handle


def _list_provisioned(original: _Call) -> _Call:
    """Answer ListProvisionedConcurrencyConfigs, which ministack takes for a Get without qualifier."""

    @functools.wraps(original)
    async def handle(method: str, path: str, headers: Any, body: bytes, query: dict[str, Any]) -> Any:
        match = _PROVISIONED.search(path)
        if method != "GET" or match is None or "List" not in query:
            return await original(method, path, headers, body, query)
        functions = _ministack.get("services.lambda_svc._functions")
        bare = _ministack.get("services.lambda_svc._resolve_request_scoped_name")
        record = functions.get(bare(match.group(1)))
        if record is None:
            return refusal(404, "ResourceNotFoundException", f"Function not found: {match.group(1)}")
        arn = record["config"]["FunctionArn"]
        configs = (record.get("provisioned_concurrency") or {}).items()
        listed = [{"FunctionArn": f"{arn}:{qualifier}", **config} for qualifier, config in configs]
        answer = json.dumps({"ProvisionedConcurrencyConfigs": listed}).encode()
        return 200, {"Content-Type": "application/json"}, answer

    return handle
