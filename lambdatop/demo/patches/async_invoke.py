"""Asynchronous invocation as on AWS: one request id for all attempts, the present configuration, true ages.

AWS waits one minute before the first retry and two before the second; the wait here is
``retry_base_s`` and twice that, which in a compressed demo is the same minute and the same two.
"""

from __future__ import annotations

import contextvars
import functools
import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.emulator.execution import CAUSE, Cause
from lambdatop.demo.emulator.ledger import Ledger
from lambdatop.demo.emulator.metric_store import Scope

_MAX_THROTTLE_WAIT_S = 300.0


@dataclass(slots=True)
class AsyncEvent:
    """One event in Lambda's asynchronous queue.

    ``runs`` counts attempts that were executed; an event of an earlier ``epoch`` was reset away.
    """

    scope: Scope
    function: str
    arn: str
    payload: Any
    request_id: str
    received: float
    epoch: int
    runs: int = 0
    throttles: int = 0


class AsyncRepair:
    """Takes the place of ministack's asynchronous retry loop."""

    def __init__(self, ledger: Ledger, retry_base_s: float) -> None:
        """Count in ``ledger``; wait ``retry_base_s`` real seconds before the first retry."""
        self._ledger = ledger
        self._retry_base_s = retry_base_s

    def install(self) -> None:
        """Put the loop in place."""
        _ministack.replace("services.lambda_svc.invoke_async_with_retry", self._accept)

    def _accept(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def accept(func: dict[str, Any], event: Any) -> None:
            config = func.get("config") or func
            arn = config.get("FunctionArn", "")
            _, _, _, region, account, *_ = arn.split(":")
            name = config.get("FunctionName", "unknown")
            scope, request_id, epoch = Scope(account, region), str(uuid.uuid4()), self._ledger.epoch
            queued = AsyncEvent(scope, name, arn, event, request_id, time.time(), epoch)
            self._ledger.async_received(queued.scope, name)
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(self._run, func, queued), daemon=True).start()

        return accept

    def _run(self, func: dict[str, Any], event: AsyncEvent) -> None:
        with _ministack.get("core.responses.request_scope")(event.scope.account, event.scope.region):
            functions = _ministack.get("services.lambda_svc._functions")
            while event.epoch == self._ledger.epoch and (live := functions.get(event.function)) is not None:
                settings = live.get("event_invoke_config") or {}
                wait_s = self._attempt(func, live, settings, event)
                if wait_s is None:
                    return
                age_s = time.time() + wait_s - event.received
                if self._ledger.store.timeline.aged(age_s) > settings.get("MaximumEventAgeInSeconds", 21600):
                    self._give_up(live, settings, event, "EventAgeExceeded", _RATE_EXCEEDED)
                    return
                time.sleep(wait_s)

    def _attempt(
        self, func: dict[str, Any], live: dict[str, Any], settings: dict[str, Any], event: AsyncEvent
    ) -> float | None:
        """Try once; return the real seconds until the next attempt, or None when the event is done with."""
        if _ministack.get("services.lambda_svc._reserved_concurrency")(live, live.get("config") or {}) == 0:
            # No attempt, no throttle: AWS hands the event over or drops it.
            self._give_up(live, settings, event, "RetriesExhausted", _RATE_EXCEEDED)
            return None
        self._ledger.async_attempt(event.scope, event.function, time.time() - event.received)
        token = CAUSE.set(Cause("async", event.request_id, event.runs + 1))
        try:
            result = _ministack.get("services.lambda_svc._execute_function")(func, event.payload)
        finally:
            CAUSE.reset(token)
        if result.get("throttle"):
            event.throttles += 1
            return (
                min(2.0 ** (event.throttles - 1), _MAX_THROTTLE_WAIT_S)
                / self._ledger.store.timeline.compression
            )
        event.runs += 1
        if not result.get("error"):
            return None
        retries = settings.get("MaximumRetryAttempts")
        if event.runs > (2 if retries is None else int(retries)):
            self._give_up(live, settings, event, "RetriesExhausted", result)
            return None
        return self._retry_base_s * event.runs

    def _give_up(
        self,
        live: dict[str, Any],
        settings: dict[str, Any],
        event: AsyncEvent,
        condition: str,
        result: dict[str, Any],
    ) -> None:
        self._ledger.async_dropped(event.scope, event.function)
        dead_letter = ((live.get("config") or {}).get("DeadLetterConfig") or {}).get("TargetArn")
        destination = ((settings.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        if dead_letter and not deliver(dead_letter, json.dumps(event.payload), _attributes(event, result)):
            self._ledger.undelivered(event.scope, event.function, dead_letter=True)
        if destination and not _hand_over(destination, event, condition, result):
            self._ledger.undelivered(event.scope, event.function, dead_letter=False)


_RATE_EXCEEDED: dict[str, Any] = {
    "body": {"errorType": "TooManyRequestsException", "errorMessage": "Rate Exceeded."},
    "throttle": True,
}


def _attributes(event: AsyncEvent, result: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that AWS puts on a dead-lettered event."""
    message = str((result.get("body") or {}).get("errorMessage") or "")
    code = "429" if result.get("throttle") else "200"
    return {
        "RequestID": {"DataType": "String", "StringValue": event.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": code},
        "ErrorMessage": {"DataType": "String", "StringValue": message[:1024] or "unknown"},
    }


def _envelope(event: AsyncEvent, condition: str, result: dict[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    envelope: dict[str, Any] = {
        "version": "1.0",
        "timestamp": now,
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": event.arn if event.arn.count(":") > 6 else f"{event.arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": event.runs,
        },
        "requestPayload": event.payload,
    }
    if event.runs:
        envelope["responseContext"] = {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        }
        envelope["responsePayload"] = result.get("body")
    return envelope


def _hand_over(target: str, event: AsyncEvent, condition: str, result: dict[str, Any]) -> bool:
    """Send a failure record to an OnFailure destination; say whether it arrived."""
    if ":sqs:" in target:
        return deliver(target, json.dumps(_envelope(event, condition, result)), {})
    # Topics and functions: ministack's own delivery, which does not say whether it succeeded.
    _ministack.get("services.lambda_svc._route_async_failure")(target, event.function, event.payload, result)
    return True


def deliver(target: str, body: str, attributes: dict[str, Any]) -> bool:
    """Send a message to a queue by ARN; say whether it arrived."""
    if _ministack.get("services.sqs._queue_by_arn")(target) is None:
        return False
    name = target.rsplit(":", 1)[-1]
    message = {"QueueUrl": name, "MessageBody": body, "MessageAttributes": attributes}
    _ministack.get("services.sqs._act_send_message")(message, name)
    return True
