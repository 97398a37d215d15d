"""Every name inside ministack that the repair layer leans on, with the shape it must have.

Nothing else in this package names a ministack internal. ``check`` runs before the server starts and in a
test: after an upgrade that moved or reshaped one of them the demo refuses to start, instead of
publishing numbers that no longer mean what they say.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

PINNED_VERSION = "1.5.33"

# Callables, with their parameter names in order.
CALLABLES: dict[str, tuple[str, ...]] = {
    "app._maybe_record_cloudtrail": (
        "service",
        "method",
        "path",
        "headers",
        "body",
        "query_params",
        "request_id",
        "region",
    ),
    "app.app": ("scope", "receive", "send"),
    "core.iam_evaluator._validate_session_token": ("expected", "supplied"),
    "core.lambda_runtime.Worker._spawn": ("self",),
    "core.lambda_runtime.Worker._drain_stderr_bounded": (
        "self",
        "first_line_wait",
        "idle_confirm",
        "hard_cap",
    ),
    "core.lambda_runtime.Worker.kill": ("self",),
    "core.lambda_runtime.Worker.invoke": (
        "self",
        "event",
        "request_id",
        "trace_id",
        "depth",
        "durable",
        "invoked_function_arn",
    ),
    "core.lambda_runtime.ensure_spawned": ("worker",),
    "core.lambda_runtime.execution_credentials": ("config",),
    "core.responses.get_account_id": (),
    "core.responses.get_region": (),
    "core.responses.request_scope": ("account_id", "region"),
    "services.cloudwatch.handle_request": ("method", "path", "headers", "body", "query_params"),
    "services.cloudwatch_logs._append_log_events": ("stream", "events"),
    "services.cloudwatch_logs._create_log_group": ("data",),
    "services.cloudwatch_logs._create_log_stream": ("data",),
    "services.cloudwatch_logs._fanout_to_live_tail_sessions": ("group_name", "stream_name", "events"),
    "services.cloudwatch_logs._fanout_to_subscription_filters": ("group_name", "stream_name", "events"),
    "services.cloudwatch_logs._filter_log_events": ("data",),
    "services.cloudwatch_logs._live_tail_stream_allowed": (
        "stream_name",
        "stream_names",
        "stream_prefixes",
    ),
    "services.cloudwatch_logs._resolve_live_tail_group_name": ("identifier",),
    "services.cloudwatch_logs._resolve_log_group_name": ("data",),
    "services.cloudwatch_logs._start_live_tail": ("data",),
    "services.dynamodb.stream_end_position": ("table_name", "account_id", "region"),
    "services.dynamodb.stream_records_since": ("table_name", "position", "limit", "account_id", "region"),
    "services.dynamodb.stream_start_position": ("table_name", "account_id", "region"),
    "services.eventbridge._delete_rule": ("data",),
    "services.eventbridge._describe_rule": ("data",),
    "services.eventbridge._disable_rule": ("data",),
    "services.eventbridge._dispatch_to_lambda": ("arn", "payload"),
    "services.eventbridge._enable_rule": ("data",),
    "services.eventbridge._list_rule_names_by_target": ("data",),
    "services.eventbridge._list_rules": ("data",),
    "services.eventbridge._list_targets_by_rule": ("data",),
    "services.eventbridge._parse_rate_seconds": ("expr",),
    "services.eventbridge._put_rule": ("data",),
    "services.eventbridge._put_targets": ("data",),
    "services.eventbridge._remove_targets": ("data",),
    "services.eventbridge._rule_key": ("rule_name", "bus_name"),
    "services.eventbridge._rule_out": ("rule",),
    "services.eventbridge.handle_request": ("method", "path", "headers", "body", "query_params"),
    "services.iam._xml": ("status", "root_tag", "inner", "ns"),
    "services.kinesis._put_record": ("data",),
    "services.kinesis._put_records": ("data",),
    "services.kinesis._resolve_stream": ("data",),
    "services.lambda_durable._serialize_operations": ("operations", "for_event"),
    "services.lambda_durable._time_out_execution": ("rec",),
    "services.lambda_durable.create_execution_for_invoke": (
        "function_arn",
        "version",
        "input_payload",
        "name",
        "trace_id",
        "execution_timeout",
    ),
    "services.lambda_durable.mark_execution_completed": ("arn", "result_payload", "error"),
    "services.lambda_durable.record_invocation_completed": ("arn", "start_ts", "request_id", "error"),
    "services.lambda_svc._acquire_execution_slot": ("func", "config"),
    "services.lambda_svc._apply_filter_criteria": ("records", "esm"),
    "services.lambda_svc._create_alias": ("func_name", "data"),
    "services.lambda_svc._emit_lambda_logs": (
        "func",
        "request_id",
        "log_text",
        "error",
        "duration_ms",
        "log_source",
    ),
    "services.lambda_svc._emit_lambda_metrics": ("function_name", "duration_ms", "error", "throttle"),
    "services.lambda_svc._esm_response": ("esm",),
    "services.lambda_svc._execute_function": ("func", "event"),
    "services.lambda_svc._execute_function_dispatch": ("func", "config", "event", "request_id", "started"),
    "services.lambda_svc._inflight_key": ("config",),
    "services.lambda_svc._get_base_func_record_for_ref": ("function_ref",),
    "services.lambda_svc._get_func_record_for_qualifier": ("name", "qualifier"),
    "services.lambda_svc._get_func_record_for_ref": ("function_ref",),
    "services.lambda_svc._get_policy": ("func_name", "query_params", "path_qualifier"),
    "services.lambda_svc._invoke": ("name", "event", "headers", "path_qualifier", "query_params"),
    "services.lambda_svc._list_aliases": ("func_name", "query_params"),
    "services.lambda_svc._list_versions": ("name", "query_params"),
    "services.lambda_svc._poll_dynamodb_streams": (),
    "services.lambda_svc._poll_kinesis": (),
    "services.lambda_svc._put_function_concurrency": ("func_name", "data"),
    "services.lambda_svc._put_provisioned_concurrency": ("func_name", "qualifier", "data"),
    "services.lambda_svc._reserved_concurrency": ("func", "config"),
    "services.lambda_svc._recursive_loop_drop": ("name", "func", "depth"),
    "services.lambda_svc._resolve_request_scoped_name": ("name_or_arn",),
    "services.lambda_svc._route_async_failure": ("target_arn", "func_name", "event", "result"),
    "services.lambda_svc._run_sqs_batch": (
        "esm",
        "func_rec",
        "event",
        "batch",
        "queue_url",
        "queue_name",
    ),
    "services.lambda_svc._update_alias": ("func_name", "alias_name", "data"),
    "services.lambda_svc._update_esm": ("esm_id", "data"),
    "services.lambda_svc.execution_credentials": ("config",),
    "services.lambda_svc.handle_request": ("method", "path", "headers", "body", "query_params"),
    "services.lambda_svc.invoke_async_with_retry": ("func", "event"),
    "services.pipes._create_pipe": ("name", "body"),
    "services.pipes._describe_response": ("pipe",),
    "services.pipes._poll_pipe": ("_ddb", "pipe", "pipe_account_id"),
    "services.sqs._act_delete_message": ("data", "qurl"),
    "services.sqs._act_delete_message_batch": ("data", "qurl"),
    "services.sqs._act_purge_queue": ("data", "qurl"),
    "services.sqs._act_receive_message": ("data", "qurl"),
    "services.sqs._act_send_message": ("data", "qurl"),
    "services.sqs._collect_msgs": ("q", "max_n", "vis_timeout"),
    "services.sqs._delete_messages_for_esm": ("queue_url", "receipt_handles"),
    "services.sqs._dlq_sweep": ("q",),
    "services.sqs._get_q": ("url", "action"),
    "services.sqs._queue_by_arn": ("arn",),
    "services.sqs._receive_messages_for_esm": ("queue_url", "max_number"),
    "services.stepfunctions._add_event": ("execution", "event_type", "details"),
    "services.sts._caller_identity": ("headers", "query_params"),
    "services.sts._gen_session_token": (),
}

# Values, with the name of the type they must have.
VALUES: dict[str, str] = {
    "core.lambda_runtime.INVOKE_DEPTH_BOOTSTRAP": "str",
    "core.lambda_runtime.INVOKE_DEPTH_ENV": "str",
    "core.lambda_runtime.Worker": "type",
    "core.lambda_runtime._PYTHON_WORKER_SCRIPT": "str",
    "services.cloudtrail._DISPATCH": "dict",
    "services.cloudwatch_logs._live_tail_sessions": "dict",
    "services.cloudwatch_logs._log_events_lock": "lock",
    "services.cloudwatch_logs._log_groups": "AccountRegionScopedDict",
    "services.dynamodb._tables": "AccountRegionScopedDict",
    "services.eventbridge._SCHEDULER_TICK_INTERVAL": "int",
    "services.eventbridge._rules": "AccountRegionScopedDict",
    "services.eventbridge._targets": "AccountRegionScopedDict",
    "services.iam._IAM_HANDLERS": "dict",
    "services.kinesis._streams": "AccountRegionScopedDict",
    "services.lambda_durable._executions": "AccountScopedDict",
    "services.lambda_svc._ACCOUNT_CONCURRENCY_CAP": "int",
    "services.lambda_svc._dynamodb_stream_positions": "AccountRegionScopedDict",
    "services.lambda_svc._esm_backoff_until": "AccountRegionScopedDict",
    "services.lambda_svc._esms": "AccountRegionScopedDict",
    "services.lambda_svc._functions": "AccountRegionScopedDict",
    "services.lambda_svc._inflight": "dict",
    "services.pipes._pipes": "AccountRegionScopedDict",
    "services.scheduler._SCHEDULE_TICK_INTERVAL": "int",
    "services.sqs._Err": "type",
    "services.sqs._HANDLERS": "dict",
    "services.sqs._queues": "AccountRegionScopedDict",
    "services.sqs._queues_lock": "lock",
    "services.stepfunctions._executions": "AccountRegionScopedDict",
}


# What every core.lambda_runtime.Worker carries.
WORKER_ATTRIBUTES = ("config", "_stderr_queue")


class EmulatorChanged(RuntimeError):
    """ministack no longer has the form that the repair layer was written for."""


def _locate(name: str) -> tuple[Any, str]:
    """Return the object that holds the attribute, and the attribute's name."""
    package, module, *rest = name.split(".") if not name.startswith("app.") else ("", *name.split("."))
    path = ".".join(part for part in ("ministack", package, module) if part)
    owner = importlib.import_module(path)
    for part in rest[:-1]:
        owner = getattr(owner, part)
    return owner, rest[-1]


def get(name: str) -> Any:
    """Return a listed name's present value. Raises KeyError for one that is not listed above."""
    if name not in CALLABLES and name not in VALUES:
        raise KeyError(name)
    owner, attribute = _locate(name)
    return getattr(owner, attribute)


def replace(name: str, make: Callable[[Any], Any]) -> None:
    """Put ``make(original)`` in the place of a listed name."""
    original = get(name)
    owner, attribute = _locate(name)
    setattr(owner, attribute, make(original))


def mismatches() -> list[str]:
    """Return one sentence for each name that is missing or has another shape; empty when all is well."""
    found = version("ministack")
    wrong = [] if found == PINNED_VERSION else [f"ministack is {found}, not {PINNED_VERSION}"]
    for name, parameters in CALLABLES.items():
        try:
            actual = tuple(inspect.signature(get(name)).parameters)
        except (ImportError, AttributeError) as error:
            wrong.append(f"{name}: {error}")
            continue
        if actual != parameters:
            wrong.append(f"{name}: takes {actual}, not {parameters}")
    for name, kind in VALUES.items():
        try:
            actual_kind = type(get(name)).__name__
        except (ImportError, AttributeError) as error:
            wrong.append(f"{name}: {error}")
            continue
        if actual_kind != kind:
            wrong.append(f"{name}: is a {actual_kind}, not a {kind}")
    worker_class, _ = _locate("core.lambda_runtime.Worker.invoke")
    instance = worker_class("name", {}, b"")
    wrong += [f"Worker.{name}: missing" for name in WORKER_ATTRIBUTES if not hasattr(instance, name)]
    return wrong


def check() -> None:
    """Raise EmulatorChanged unless every listed name is there in its expected shape."""
    wrong = mismatches()
    if wrong:
        raise EmulatorChanged("; ".join(wrong))
