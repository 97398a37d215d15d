"""FilterLogEvents as on AWS: interleaved by time, paged, with stable event ids and text patterns."""

from __future__ import annotations

import base64
import bisect
import functools
import json
import re
from collections.abc import Callable
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.patches import live_tail

_MAX_EVENTS = 10_000
_TERM = re.compile(r'([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))')
_Answer = tuple[int, dict[str, str], bytes]


class UnsupportedPattern(ValueError):
    """A filter pattern of a kind that the demo does not evaluate."""


def matcher(pattern: str) -> Callable[[str], bool]:
    """Compile a text filter pattern: terms, "phrases", -excluded, ?any ?of ?these, %regular expression%.

    Raises UnsupportedPattern for JSON and space-delimited patterns: the demo does not pretend to match them.
    """
    text = pattern.strip()
    if text.startswith(("{", "[")):
        raise UnsupportedPattern(f"The demo does not evaluate the filter pattern {text!r}.")
    if len(text) > 2 and text.startswith("%") and text.endswith("%"):
        expression = re.compile(text[1:-1])
        return lambda message: expression.search(message) is not None
    terms: dict[str, list[str]] = {"": [], "-": [], "?": []}
    for sign, phrase, word in _TERM.findall(text):
        terms[sign].append(phrase.replace('\\"', '"') if phrase else word)

    def matches(message: str) -> bool:
        if any(term in message for term in terms["-"]) or not all(term in message for term in terms[""]):
            return False
        return not terms["?"] or bool(terms[""]) or any(term in message for term in terms["?"])

    return matches


def install() -> None:
    """Put the repaired operations in place."""
    _ministack.replace("services.cloudwatch_logs._filter_log_events", _filter_log_events)
    live_tail.install(matcher)


def _filter_log_events(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def filter_log_events(data: dict[str, Any]) -> Any:
        group = _ministack.get("services.cloudwatch_logs._resolve_log_group_name")(data)
        groups = _ministack.get("services.cloudwatch_logs._log_groups")
        if group not in groups:
            return original(data)  # Its error is AWS's.
        kind = groups[group].get("logGroupClass") or "STANDARD"
        if kind != "STANDARD":
            return _refuse(f"FilterLogEvents is not supported for log groups of class {kind}")
        limit = int(data.get("limit") or _MAX_EVENTS)
        if not 1 <= limit <= _MAX_EVENTS:
            return _refuse(f"Value {limit} at 'limit' must be between 1 and {_MAX_EVENTS}")
        try:
            matches = matcher(data.get("filterPattern") or "")
            position = _decode(data.get("nextToken"))
        except (UnsupportedPattern, re.error, ValueError) as error:
            return _refuse(str(error))
        newest_first = data.get("startFromHead") is False
        events = [e for e in _events(groups[group]["streams"], data) if matches(e["message"])]
        events.sort(key=_order, reverse=newest_first)
        if position is not None:
            events = [e for e in events if _order(e) != position and (_order(e) < position) is newest_first]
        answer: dict[str, Any] = {"events": events[:limit], "searchedLogStreams": []}
        if len(events) > limit:
            answer["nextToken"] = _encode(_order(events[limit - 1]))
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()

    return filter_log_events


def _events(streams: dict[str, Any], data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a group's events within the asked range, each with the name of its stream."""
    names, prefix = data.get("logStreamNames"), data.get("logStreamNamePrefix") or ""
    start, end = data.get("startTime"), data.get("endTime")
    found = []
    with _ministack.get("services.cloudwatch_logs._log_events_lock"):
        for name in list(streams):
            if not name.startswith(prefix) or (names and name not in names):
                continue
            history = streams[name]["events"]
            first = 0 if start is None else bisect.bisect_left(history, start, key=_timestamp)
            last = len(history) if end is None else bisect.bisect_right(history, end, key=_timestamp)
            found += [{**event, "logStreamName": name} for event in history[first:last]]
    return found


def _timestamp(event: dict[str, Any]) -> int:
    return int(event["timestamp"])


def _order(event: dict[str, Any]) -> tuple[int, str]:
    return _timestamp(event), str(event.get("eventId", ""))


def _encode(position: tuple[int, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _decode(token: str | None) -> tuple[int, str] | None:
    if not token:
        return None
    try:
        at, event_id = json.loads(base64.urlsafe_b64decode(token))
        return int(at), str(event_id)
    except (ValueError, TypeError) as error:
        raise ValueError("The specified nextToken is invalid.") from error


def _refuse(message: str) -> _Answer:
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": "InvalidParameterException"}
    return 400, headers, json.dumps({"__type": "InvalidParameterException", "message": message}).encode()
