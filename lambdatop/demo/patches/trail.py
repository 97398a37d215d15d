"""cloudtrail:LookupEvents over the changes that the emulator really received: Lambda's and EventBridge's.

ministack records nothing unless told to, then everything, under names that CloudTrail does not use. Here only
calls that change something are kept, refused ones with their error, the newest few thousand of them.
CloudTrail shows a call minutes later; here it is there at once.
"""

from __future__ import annotations

import collections
import contextvars
import functools
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.emulator.metric_store import Scope
from lambdatop.demo.emulator.trail_names import RULE_EVENTS, function_name, lambda_event, parameters
from lambdatop.demo.patches.executions import here

_KEPT = 2000
_PAGE = 50
_FUNCTION, _MAPPING, _RULE = "AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping", "AWS::Events::Rule"
_Answer = tuple[int, dict[str, str], bytes]
# The answer to the present request: ministack's hook for CloudTrail sees only the question.
_ANSWER: contextvars.ContextVar[_Answer | None] = contextvars.ContextVar("lambdatop_answer", default=None)
_Call = Callable[..., Any]
_Resources = list[tuple[str, str]]


class TrailRepair:
    """Records changes and answers LookupEvents."""

    def __init__(self) -> None:
        """Start without history."""
        self._events: collections.deque[tuple[Scope, dict[str, Any]]] = collections.deque(maxlen=_KEPT)

    def install(self) -> None:
        """Put the wrappers in place. To be called last: what is refused on the way in is recorded, too."""
        for service in ("lambda_svc", "eventbridge"):
            _ministack.replace(f"services.{service}.handle_request", _answered)
        _ministack.replace("app._maybe_record_cloudtrail", self._recorded)
        _ministack.get("services.cloudtrail._DISPATCH")["LookupEvents"] = self._lookup

    def clear(self) -> None:
        """Forget every event."""
        self._events.clear()

    def _recorded(self, original: _Call) -> _Call:
        @functools.wraps(original)
        def record(
            service: str,
            method: str,
            path: str,
            headers: dict[str, str],
            body: bytes,
            query_params: dict[str, Any],
            request_id: str,
            region: str,
        ) -> None:
            answer = _ANSWER.get()
            if answer is None or service not in ("lambda", "events"):
                return
            request = _parsed(body) | {name: value[0] for name, value in query_params.items() if value}
            if service == "lambda":
                name, said = lambda_event(method, path)
                said |= parameters(request)
                resources = _lambda_resources(said, answer)
            else:
                name = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
                name, said = (name if name in RULE_EVENTS else ""), parameters(request)
                resources = [(_RULE, str(said.get("rule") or said.get("name")))]
            if name:
                call = _Recorded(name, f"{service}.amazonaws.com", said, resources, request_id, headers)
                self._events.appendleft((here(), call.event(answer)))

        return record

    def _lookup(self, request: dict[str, Any]) -> Any:
        asked = {a["AttributeKey"]: a["AttributeValue"] for a in request.get("LookupAttributes") or []}
        since, until = float(request.get("StartTime") or 0), float(request.get("EndTime") or time.time() + 1)
        found = [
            event
            for scope, event in list(self._events)
            if scope == here() and since <= event["EventTime"] <= until and _matches(event, asked)
        ]
        start, size = int(request.get("NextToken") or 0), min(int(request.get("MaxResults") or _PAGE), _PAGE)
        answer: dict[str, Any] = {"Events": found[start : start + size]}
        if start + size < len(found):
            answer["NextToken"] = str(start + size)
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()


class _Recorded:
    """One call on its way into the trail."""

    def __init__(
        self,
        name: str,
        source: str,
        said: dict[str, Any],
        resources: _Resources,
        request_id: str,
        headers: dict[str, str],
    ) -> None:
        self._name, self._source, self._said, self._resources = name, source, said, resources
        self._request_id, self._headers = request_id, headers

    def event(self, answer: _Answer) -> dict[str, Any]:
        """Return the event as LookupEvents lists it."""
        caller = _ministack.get("services.sts._caller_identity")(self._headers)
        now, event_id = int(time.time()), str(uuid.uuid4())
        detail = {
            "eventVersion": "1.11",
            "userIdentity": _identity(caller),
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            "eventSource": self._source,
            "eventName": self._name,
            "awsRegion": here().region,
            # The demo listens on the loopback interface and on nothing else.
            "sourceIPAddress": "127.0.0.1",
            "userAgent": self._headers.get("user-agent", ""),
            "requestParameters": self._said or None,
            "responseElements": None,
            "requestID": self._request_id,
            "eventID": event_id,
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": here().account,
            "eventCategory": "Management",
            **_error(*answer),
        }
        return {
            "EventId": event_id,
            "EventName": self._name,
            "ReadOnly": "false",
            "AccessKeyId": caller["accessKey"],
            "EventTime": now,
            "EventSource": self._source,
            "Username": caller["userArn"].rsplit(":", 1)[-1].rsplit("/", 1)[-1],
            "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in self._resources],
            "CloudTrailEvent": json.dumps(detail),
        }


def _answered(original: _Call) -> _Call:
    """Keep the answer for the hook, which runs in the same task right after."""

    @functools.wraps(original)
    async def handle(*args: Any, **kwargs: Any) -> Any:
        status, headers, body = await original(*args, **kwargs)
        _ANSWER.set((status, headers, body))
        return status, headers, body

    return handle


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _lambda_resources(said: dict[str, Any], answer: _Answer) -> _Resources:
    """Return the function, and the mapping; a mapping's update names no function, but its answer does."""
    named = said.get("functionName") or said.get("resource") or _parsed(answer[2]).get("FunctionArn")
    function = function_name(str(named or ""))
    found = [(_FUNCTION, function)] if function else []
    return found + ([(_MAPPING, str(said["uUID"]))] if "uUID" in said else [])


def _identity(caller: dict[str, Any]) -> dict[str, Any]:
    kind = {"User": "IAMUser"}.get(caller["principalType"], caller["principalType"])
    user = {"userName": caller["principalName"]} if caller["principalName"] else {}
    return {
        "type": kind,
        "principalId": caller["userId"],
        "arn": caller["userArn"],
        "accountId": caller["accountId"],
        "accessKeyId": caller["accessKey"],
        **user,
    }


def _error(status: int, headers: dict[str, str], body: bytes) -> dict[str, str]:
    if status < 400:
        return {}
    said = _parsed(body)
    code = str(headers.get("x-amzn-errortype") or said.get("__type") or said.get("Code") or status)
    return {"errorCode": code, "errorMessage": str(said.get("message") or said.get("Message") or "")}


def _matches(event: dict[str, Any], asked: dict[str, str]) -> bool:
    for key, value in asked.items():
        if key in ("ResourceName", "ResourceType"):
            if value not in [resource[key] for resource in event["Resources"]]:
                return False
        elif event.get(key) != value:
            return False
    return True
