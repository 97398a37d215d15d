"""Writes log events in AWS's shape into the emulator's log groups."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import threading
import time
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.emulator.metric_store import MetricKey, MetricStore, Scope, dimensions

NAMESPACE = "AWS/Logs"
EVENT_OVERHEAD_BYTES = 26

# A demo that is left running must not grow without end: of each environment's log so much is kept.
KEPT_EVENTS = 5000
_SLACK = 500


def group_name(config: dict[str, Any]) -> str:
    """Return the log group that a function's configuration names."""
    custom = (config.get("LoggingConfig") or {}).get("LogGroup")
    return str(custom or f"/aws/lambda/{config.get('FunctionName', '')}")


def stream_name(config: dict[str, Any]) -> str:
    """Return a new environment's stream name; a custom group's streams carry the function's name."""
    today = datetime.now(UTC).strftime("%Y/%m/%d")
    name = config.get("FunctionName", "")
    owner = "" if group_name(config) == f"/aws/lambda/{name}" else name
    return f"{today}/{owner}[{config.get('Version', '$LATEST')}]{uuid.uuid4().hex}"


class LogWriter:
    """Appends events; creates groups and streams as Lambda does."""

    def __init__(self, store: MetricStore) -> None:
        """Publish what comes in into ``store``. Live Tail is fed once ``loop`` is set."""
        self._store = store
        self.loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._numbers = itertools.count()

    def write(self, group: str, stream: str, events: Iterable[tuple[int, str]]) -> None:
        """Append (epoch ms, message) pairs to a stream of the present account and region."""
        now_ms = int(time.time() * 1000)
        stored = [
            {"timestamp": at, "message": message, "ingestionTime": now_ms, "eventId": self._event_id(at)}
            for at, message in events
        ]
        self._publish(group, stored, now_ms / 1000)
        target = self._stream(group, stream)
        _ministack.get("services.cloudwatch_logs._append_log_events")(target, stored)
        if len(target["events"]) > KEPT_EVENTS + _SLACK:
            with _ministack.get("services.cloudwatch_logs._log_events_lock"):
                # A new list: somebody may be reading the old one.
                target["events"] = target["events"][-KEPT_EVENTS:]
        _ministack.get("services.cloudwatch_logs._fanout_to_subscription_filters")(group, stream, stored)
        if self.loop is not None and _ministack.get("services.cloudwatch_logs._live_tail_sessions"):
            fan_out = _ministack.get("services.cloudwatch_logs._fanout_to_live_tail_sessions")
            # Live Tail's queues belong to the server's loop, and this runs in a function's thread.
            self.loop.call_soon_threadsafe(contextvars.copy_context().run, fan_out, group, stream, stored)

    def _publish(self, group: str, events: list[dict[str, Any]], now: float) -> None:
        """Publish what CloudWatch Logs does of a group: events, and their UTF-8 bytes plus 26 each."""
        account, region = (
            _ministack.get("core.responses.get_account_id"),
            _ministack.get("core.responses.get_region"),
        )
        scope, named = Scope(account(), region()), dimensions({"LogGroupName": group})
        size = sum(len(event["message"].encode()) + EVENT_OVERHEAD_BYTES for event in events)
        for name, value in (("IncomingBytes", size), ("IncomingLogEvents", len(events))):
            self._store.record(MetricKey(scope, NAMESPACE, name, named), float(value), now)

    def _event_id(self, at_ms: int) -> str:
        """Return 56 digits like AWS's: ordered by time, unique, stable."""
        return f"3{at_ms:014d}{next(self._numbers):041d}"

    def _stream(self, group: str, stream: str) -> dict[str, Any]:
        groups = _ministack.get("services.cloudwatch_logs._log_groups")
        with self._lock:
            if group not in groups:
                _ministack.get("services.cloudwatch_logs._create_log_group")({"logGroupName": group})
            if stream not in groups[group]["streams"]:
                names = {"logGroupName": group, "logStreamName": stream}
                _ministack.get("services.cloudwatch_logs._create_log_stream")(names)
            found: dict[str, Any] = groups[group]["streams"][stream]
        return found
