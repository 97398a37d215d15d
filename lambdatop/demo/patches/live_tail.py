"""StartLiveTail as on AWS: one update a second, 500 events at most, 15 sessions, the Standard class only.

ministack sends an update for every write and drops what does not fit into ten of them, so that a burst of
short writes loses lines that AWS would show. What it does not end after three hours is not ended here
either.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
from collections.abc import Callable
from typing import Any

from lambdatop.demo.emulator import _ministack

UPDATE_EVENTS = 500
UPDATE_S = 1.0
SESSIONS = 15
_PENDING = "lambdatop_pending"
_Answer = tuple[int, dict[str, str], bytes]
_Session = dict[str, Any]
_Matcher = Callable[[str], Callable[[str], bool]]


def install(matcher: _Matcher) -> None:
    """Put the repaired operation in place; `matcher` compiles filter patterns, ValueError for others."""
    _ministack.replace("services.cloudwatch_logs._start_live_tail", lambda o: _start_live_tail(o, matcher))
    _ministack.replace(
        "services.cloudwatch_logs._fanout_to_live_tail_sessions", lambda o: _fan_out(o, matcher)
    )


def _start_live_tail(original: Callable[..., Any], matcher: _Matcher) -> Callable[..., Any]:
    @functools.wraps(original)
    def start_live_tail(data: dict[str, Any]) -> Any:
        if len(_sessions()) >= SESSIONS:
            return _refuse(
                "LimitExceededException", f"The account has {SESSIONS} Live Tail sessions already."
            )
        try:
            matcher(data.get("logEventFilterPattern") or "")
        except (ValueError, re.error) as error:
            return _refuse("InvalidParameterException", str(error))
        groups = _ministack.get("services.cloudwatch_logs._log_groups")
        named = _ministack.get("services.cloudwatch_logs._resolve_live_tail_group_name")
        for identifier in data.get("logGroupIdentifiers") or ():
            group = groups.get(named(identifier) or "") or {}
            kind = group.get("logGroupClass") or "STANDARD"
            if kind != "STANDARD":
                return _refuse("InvalidOperationException", f"Live Tail does not support the class {kind}.")
        return original(data)

    return start_live_tail


def _fan_out(original: Callable[..., Any], matcher: _Matcher) -> Callable[..., Any]:
    @functools.wraps(original)
    def fan_out(group_name: str, stream_name: str, events: list[dict[str, Any]]) -> None:
        for session in _sessions():
            if not _listens(session, group_name, stream_name):
                continue
            matches = matcher(session.get("filter_pattern") or "")
            results = [
                {
                    "logStreamName": stream_name,
                    "logGroupIdentifier": session["identifiers_by_name"][group_name],
                    "message": event["message"],
                    "timestamp": event["timestamp"],
                    "ingestionTime": event.get("ingestionTime"),
                }
                for event in events
                if matches(event["message"])
            ]
            _add(session, results)

    return fan_out


def _sessions() -> list[_Session]:
    """Return the open sessions of the present account and region."""
    here = (_ministack.get("core.responses.get_account_id")(), _ministack.get("core.responses.get_region")())
    sessions = _ministack.get("services.cloudwatch_logs._live_tail_sessions").values()
    return [s for s in list(sessions) if (s["account_id"], s["region"]) == here]


def _listens(session: _Session, group: str, stream: str) -> bool:
    allowed = _ministack.get("services.cloudwatch_logs._live_tail_stream_allowed")
    names, prefixes = session.get("stream_names"), session.get("stream_prefixes")
    return group in session["group_names"] and bool(allowed(stream, names, prefixes))


def _add(session: _Session, results: list[dict[str, Any]]) -> None:
    """Keep for the next update; the first of an update sets its time. Runs on the server's loop."""
    if not results:
        return
    pending = session.setdefault(_PENDING, [])
    if not pending:
        asyncio.get_running_loop().call_later(UPDATE_S, _flush, session)
    pending += results


def _flush(session: _Session) -> None:
    pending = session.pop(_PENDING, [])
    update = (pending[:UPDATE_EVENTS], len(pending) > UPDATE_EVENTS)
    queue: asyncio.Queue[Any] = session["queue"]
    if queue.full():
        queue.get_nowait()  # Nobody reads; AWS drops the oldest update, too, and says so.
        update = (update[0], True)
    queue.put_nowait(update)


def _refuse(code: str, message: str) -> _Answer:
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": code}
    return 400, headers, json.dumps({"__type": code, "message": message}).encode()
