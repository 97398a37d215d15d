"""Durable executions as on AWS: an invocation that fails is replayed until the execution ends or times out.

ministack keeps the records of executions, their operations and histories, and begins one only for a setting
that AWS does not have. Here an asynchronous event for a function with a DurableConfig begins one. A replay
that crashed, timed out or was throttled is repeated with growing pauses until the ExecutionTimeout (Lambda
developer guide, "Error handling and retries for durable functions"), which tells no figures: those here are
the demo's own. Synchronous calls run such a function once.
"""

from __future__ import annotations

import contextvars
import functools
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.emulator.execution import CAUSE, Cause
from lambdatop.demo.emulator.ledger import Ledger
from lambdatop.demo.emulator.metric_store import Scope

FIRST_S, LONGEST_S = 15.0, 120.0
"""Published seconds before the first replay; each pause is twice the one before, up to the longest."""
ENDS = {
    "SUCCEEDED": "DurableExecutionSucceeded",
    "FAILED": "DurableExecutionFailed",
    "TIMED_OUT": "DurableExecutionTimedOut",
    "STOPPED": "DurableExecutionStopped",
}
_Record = dict[str, Any]


class DurableRepair:
    """Runs durable executions and counts them."""

    def __init__(self, ledger: Ledger) -> None:
        """Count in ``ledger``."""
        self._ledger = ledger

    def install(self) -> None:
        """Put the wrapper in place, in front of the asynchronous queue."""
        _ministack.replace("services.lambda_svc.invoke_async_with_retry", self._accept)

    def _accept(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def accept(func: _Record, event: Any) -> None:
            config = func.get("config") or func
            if not config.get("DurableConfig"):
                original(func, event)
                return
            parts = config["FunctionArn"].split(":")
            scope, name = Scope(parts[4], parts[3]), str(config["FunctionName"])
            record = _ministack.get("services.lambda_durable.create_execution_for_invoke")(
                ":".join(parts[:7]), str(config.get("Version") or "$LATEST"), json.dumps(event)
            )
            self._ledger.async_received(scope, name)
            self._ledger.durable(scope, name, {"DurableExecutionStarted": 1.0})
            limit_s = float(config["DurableConfig"].get("ExecutionTimeout") or 0)
            until = time.time() + limit_s / self._ledger.store.timeline.compression
            context = contextvars.copy_context()
            work = (self._run, scope, name, func, record, until)
            threading.Thread(target=context.run, args=work, daemon=True, name="durable").start()

        return accept

    def _run(self, scope: Scope, name: str, func: _Record, record: _Record, until: float) -> None:
        """Replay until it has ended; an execution that a reset has forgotten counts no more."""
        pause_s, epoch = FIRST_S, self._ledger.epoch
        while epoch == self._ledger.epoch and record["Status"] == "RUNNING":
            if self._replayed(func, record):
                break
            if time.time() >= until:
                _ministack.get("services.lambda_durable._time_out_execution")(record)
                break
            time.sleep(pause_s / self._ledger.store.timeline.compression)
            pause_s = min(2 * pause_s, LONGEST_S)
        if epoch == self._ledger.epoch and record["Status"] in ENDS:
            self._ledger.durable(scope, name, {ENDS[record["Status"]]: 1.0})

    def _replayed(self, func: _Record, record: _Record) -> bool:
        """Invoke the function once; return whether that ended the execution."""
        arn, before = record["DurableExecutionArn"], len(record["Operations"])
        event = {
            "DurableExecutionArn": arn,
            "CheckpointToken": record["CheckpointToken"],
            "InitialExecutionState": {
                "Operations": _ministack.get("services.lambda_durable._serialize_operations")(
                    record["Operations"], for_event=True
                ),
                "NextMarker": "",
            },
        }
        began, token = time.time(), CAUSE.set(Cause("async"))
        try:
            result = _ministack.get("services.lambda_svc._execute_function")(func, event)
        finally:
            CAUSE.reset(token)
        body = result.get("body")
        failed = bool(result.get("error") or result.get("throttle"))
        _ministack.get("services.lambda_durable.record_invocation_completed")(
            arn, began, arn.rsplit("/", 1)[-1], _error(body) if failed else None
        )
        name = str((func.get("config") or func)["FunctionName"])
        _, _, _, region, account, *_ = arn.split(":")
        done = float(len(record["Operations"]) - before)
        self._ledger.durable(Scope(account, region), name, {"DurableExecutionOperations": done})
        if failed:
            return False
        _ministack.get("services.lambda_durable.mark_execution_completed")(arn, json.dumps(body), None)
        return True


def _error(body: Any) -> dict[str, Any]:
    """Return a failed invocation's answer as an ErrorObject of the API of durable executions."""
    told = body if isinstance(body, dict) else {}
    kind, words = str(told.get("errorType") or "Unknown"), str(told.get("errorMessage") or "")
    return {"ErrorType": kind, "ErrorMessage": words}


def sample(ledger: Ledger, now: float) -> None:
    """Publish how many executions run in each account and region that ever had one."""
    running: dict[Scope, int] = {}
    for record in list(_ministack.get("services.lambda_durable._executions")._data.values()):
        _, _, _, region, account, *_ = record["DurableExecutionArn"].split(":")
        scope = Scope(account, region)
        running[scope] = running.get(scope, 0) + (record["Status"] == "RUNNING")
    for scope, many in running.items():
        ledger.running_durable(scope, many, now)
