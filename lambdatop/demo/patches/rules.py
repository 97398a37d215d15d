"""EventBridge rules as on AWS: missing and managed rules are refused, functions run asynchronously.

ministack says yes to switching a rule that is not there, runs a function target once and synchronously
(no retries, no asynchronous metrics), knows only the state ENABLED, and keeps what PutRule left out.

Rules with a schedule and schedules of EventBridge Scheduler fire by the demo's minutes: `rate(1 minute)` is
one published minute. ministack looks every ten seconds whether one is due, which in a compressed demo is
minutes late. What has `cron()` or `at()` follows the clock, which no compression changes.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.patches.control_plane import refusal
from lambdatop.demo.patches.executions import here

EVERYTHING = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
# ministack matches rules whose state is ENABLED and no other; the third state is kept beside it.
_MARK = "lambdatop_state"
_WITH_RULE = (
    "describe_rule",
    "list_targets_by_rule",
    "put_targets",
    "remove_targets",
    "enable_rule",
    "disable_rule",
)
_CHANGES = {"put_rule", "delete_rule", "put_targets", "remove_targets", "enable_rule", "disable_rule"}
_ALL = (*_WITH_RULE, "put_rule", "delete_rule", "list_rules", "list_rule_names_by_target")
LOOK_S = 0.2
"""Real seconds between two looks: what has a rate fires so much late at most."""
_Call = Callable[..., Any]


def install(compression: int) -> None:
    """Put the wrappers in place; rates pass `compression` times faster."""
    _ministack.replace("services.scheduler._SCHEDULE_TICK_INTERVAL", lambda _: LOOK_S)
    _ministack.replace("services.eventbridge._SCHEDULER_TICK_INTERVAL", lambda _: LOOK_S)
    _ministack.replace(
        "services.eventbridge._parse_rate_seconds", functools.partial(_compressed, compression)
    )
    _ministack.replace("services.eventbridge._put_rule", _put_rule)
    _ministack.replace("services.eventbridge._rule_out", _shown)
    _ministack.replace("services.eventbridge._enable_rule", _switched)
    _ministack.replace("services.eventbridge._disable_rule", _switched)
    _ministack.replace("services.eventbridge._delete_rule", _delete_rule)
    for operation in _ALL:
        _ministack.replace(f"services.eventbridge._{operation}", functools.partial(_guarded, operation))
    _ministack.replace("services.eventbridge._dispatch_to_lambda", _dispatch)


def _compressed(compression: int, original: _Call) -> _Call:
    @functools.wraps(original)
    def seconds(expression: str) -> float | None:
        found = original(expression)
        return None if found is None else found / compression

    return seconds


def _refused(code: str, text: str) -> Any:
    return refusal(400, code, text, __type=code)


def _rule(data: dict[str, Any]) -> dict[str, Any] | None:
    name = data.get("Rule") or data.get("Name")
    key = _ministack.get("services.eventbridge._rule_key")(name, data["EventBusName"])
    found: dict[str, Any] | None = _ministack.get("services.eventbridge._rules").get(key)
    return found


def _guarded(operation: str, original: _Call) -> _Call:
    """Name the bus as ministack does, then refuse what AWS refuses."""

    @functools.wraps(original)
    def call(data: dict[str, Any]) -> Any:
        named = str(data.get("EventBusName") or "default")
        bus = named.rsplit("event-bus/", 1)[-1]
        if bus != named and f":{here().region}:{here().account}:event-bus/" not in named:
            text = f"not authorized on resource: {named} because no resource-based policy allows the action"
            return _refused("AccessDeniedException", text)
        data = {**data, "EventBusName": bus}
        rule, name = _rule(data), data.get("Rule") or data.get("Name")
        if operation in _WITH_RULE and rule is None:
            text = f"Rule {name} does not exist on EventBusName {bus}."
            return _refused("ResourceNotFoundException", text)
        if operation in _CHANGES and rule is not None and rule.get("ManagedBy") and not data.get("Force"):
            text = f"{name} is a managed rule. Set 'force' parameter to true to override."
            return _refused("ManagedRuleException", text)
        return original(data)

    return call


def _put_rule(original: _Call) -> _Call:
    """Replace a rule as a whole. No SDK can send ManagedBy: only a service of AWS makes managed rules."""

    @functools.wraps(original)
    def put(data: dict[str, Any]) -> Any:
        state = data.get("State") or "ENABLED"
        plain = "ENABLED" if state == EVERYTHING else state
        answer = original({"Description": "", "RoleArn": "", **data, "State": plain})
        rule = _rule(data)
        if answer[0] == 200 and rule is not None:
            rule[_MARK] = state
            rule["ManagedBy"] = data.get("ManagedBy", "")
        return answer

    return put


def _switched(original: _Call) -> _Call:
    @functools.wraps(original)
    def switch(data: dict[str, Any]) -> Any:
        rule = _rule(data)
        if rule is not None:
            rule.pop(_MARK, None)
        return original(data)

    return switch


def _shown(original: _Call) -> _Call:
    @functools.wraps(original)
    def show(rule: dict[str, Any]) -> Any:
        return {**original(rule), "State": rule.get(_MARK) or rule["State"]}

    return show


def _delete_rule(original: _Call) -> _Call:
    @functools.wraps(original)
    def delete(data: dict[str, Any]) -> Any:
        key = _ministack.get("services.eventbridge._rule_key")(data.get("Name"), data["EventBusName"])
        if _ministack.get("services.eventbridge._targets").get(key):
            return _refused("ValidationException", "Rule can't be deleted since it has targets.")
        return original(data)

    return delete


def _dispatch(original: _Call) -> _Call:
    """Hand an event to Lambda's asynchronous queue."""

    @functools.wraps(original)
    def dispatch(arn: str, payload: str) -> None:
        record, config, _ = _ministack.get("services.lambda_svc._get_func_record_for_ref")(arn)
        if record is None or config is None:
            return  # AWS counts a FailedInvocation and drops the event.
        executed = {**record, "config": config}
        _ministack.get("services.lambda_svc.invoke_async_with_retry")(executed, json.loads(payload))

    return dispatch
