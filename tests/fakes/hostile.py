"""An endpoint that hates terminals: real HTTP, every answer from botocore's models, every string an attack.

Each place (operation and path within its answer) has a mark of its own, `zq017`, at the begin of its text:
where the mark is read, that place was reached. The first element of a list is plausible where a row would
not appear otherwise; the second one is hostile in every field.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from botocore.model import OperationModel, Shape
from fakes.time_limit import PATIENCE_S
from fakes.wire_account import ATTRIBUTES
from fakes.wire_stub import XML, Body, Fault, WireStub

S = TypeVar("S", bound=WireStub)

ACCOUNT, REGION = "123456789012", "us-east-1"
PAYLOADS = (
    "\x1b]52;c;UFdORUQ=\x07",
    "\x1b]8;;//PWNED\x1b\\l\x1b]8;;\x1b\\",
    "\x9b31mPWNED\x85\x90q",
    "\u202eDENWP\u202c\u2066\u200b\ufeff\u2028",
    "\U000e0041\U000e007f",
    "[@click=app.quit]PWNED[/] [/] [bold",
    "\x1b[2J\x1b[1;1HPWNED\x1b[6n",
    "\x00\x07\x08\r\n\x7f\ud83d",
    "`<img src=x>`|[a](//PWNED)",
    "\x1bP+q544e\x1b\\\x1b_PWNED\x1b\\",
)
FORBIDDEN = re.compile(
    rb"\x1b\][^\x07\x1b]*(?:PWNED|UFdORUQ)|\x1b\]52|\x1b\]8|\x1bP\+q|\x1b[_^]"  # OSC, DCS, APC, PM of theirs
    rb"|\x1b\[(?:31m|6n|1;1H)PWNED|\xc2[\x80-\x9f]|[\x00\x07\x0b\x0c\x0e\x7f]"
    rb"|\xe2\x80[\x8b\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xef\xbb\xbf|\xf3\xa0\x81"
)
POINTER = re.compile(rb"\x1b\]22;[a-z-]+\x07")
"""What Textual itself writes: the shape of the mouse pointer."""
MARK = re.compile(r"zq\d{3}")
MEGABYTE = ("LastProcessingResult", "StateReason")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TOKENS = ("nexttoken", "nextmarker", "marker", "nextforwardtoken", "nextbackwardtoken", "pagination")
_HUGE = "A" * 1_000_000
KINDS: dict[str, type] = {"string": str, "list": list, "map": dict, "long": int, "integer": int}

Plausible = Callable[["HostileStub", str, dict[str, Any]], Any]
FUNCTION = "ListFunctions.Functions.FunctionName"
SOURCE = "ListEventSourceMappings.EventSourceMappings.EventSourceArn"


def _arn(service: str, kind: str = "", place: str = "") -> Plausible:
    """Return an ARN that parses and ends in the hostile text: this place's own, or that of `place`."""

    def arn(stub: HostileStub, text: str, params: dict[str, Any]) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{kind}{stub.text(place) if place else text}"

    return arn


def _is(value: Any) -> Plausible:
    return lambda stub, text, params: value


def _policy(stub: HostileStub, text: str, params: dict[str, Any]) -> str:
    allow = {
        "Sid": text,
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Principal": {"Service": "events.amazonaws.com", "AWS": text},
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{text}"}},
    }
    return json.dumps({"Statement": [allow, {"Sid": text, "Effect": "Deny", "Principal": text}]})


def _trail(stub: HostileStub, text: str, params: dict[str, Any]) -> str:
    name = text.replace("/", "|")
    who = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "userName": name}
    change = {"functionName": text, "reservedConcurrentExecutions": 0}
    fields = ("userAgent", "sourceIPAddress", "errorCode", "errorMessage")
    return json.dumps(dict.fromkeys(fields, text) | {"userIdentity": who, "requestParameters": change})


def _queue(stub: HostileStub, text: str, params: dict[str, Any]) -> dict[str, str]:
    letters = {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dl{text}", "maxReceiveCount": 3}
    return {
        "QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{stub.text(SOURCE)}",
        **ATTRIBUTES,
        "ApproximateNumberOfMessages": "70",
        "ApproximateNumberOfMessagesNotVisible": "7",
        "RedrivePolicy": json.dumps(letters),
        text: text,
    }


def _metrics(stub: HostileStub, text: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    minute = int(time.time()) // 60 * 60
    times = [float(minute - 60 * i) for i in range(2, 30)]
    return [
        {"Id": q["Id"], "Label": text, "StatusCode": "Complete", "Timestamps": times, "Values": [50.0] * 28}
        for q in params.get("MetricDataQueries", ())
    ]


def _message(stub: HostileStub, text: str, params: dict[str, Any]) -> str:
    return f"[ERROR] {text} RequestId: 11111111-2222-3333-4444-555555555555"


def _now_ms(stub: HostileStub, text: str, params: dict[str, Any]) -> int:
    return int(time.time() * 1000) - 500


PLAUSIBLE: dict[str, Plausible] = {
    "GetCallerIdentity.Account": _is(ACCOUNT),
    "GetCallerIdentity.Arn": lambda stub, text, params: f"arn:aws:iam::{ACCOUNT}:user/{text}",
    "GetFunctionConfiguration.FunctionName": lambda stub, text, params: stub.text(FUNCTION),
    "FunctionArn": _arn("lambda", "function:", FUNCTION),
    "AliasArn": _arn("lambda", "function:x:"),
    "EventSourceArn": _arn("sqs"),
    "Destination": _arn("sqs", "dest"),
    "TargetArn": _arn("sqs", "target"),
    "Policy": _policy,
    "CloudTrailEvent": _trail,
    "Attributes": _queue,
    "MetricDataResults": _metrics,
    "message": _message,
    "value": _message,
    "field": _is("@message"),
    "timestamp": _now_ms,
    "ingestionTime": _now_ms,
    "lastEventTimestamp": _now_ms,
    "ReadOnly": _is("false"),
    "State": _is("Enabled"),
    "StateValue": _is("ALARM"),
    "LastModified": _is("2026-01-01T00:00:00.000+0000"),
    "QuotaCode": _is("L-B99A9384"),
    "status": _is("Complete"),
    "EvalDecision": _is("allowed"),
    "FunctionVersion": _is("7"),
    "Version": _is("$LATEST"),
}


class HostileStub(WireStub):
    """`answers` is what it answers: "strings", "faults", "bytes" (no UTF-8) or "page" (200, HTML)."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = "strings"
        self.places: dict[str, str] = {}
        self._marks: dict[str, str] = {}

    def mark(self, place: str) -> str:
        """Return the mark of a place; a new one where it has none."""
        if place not in self._marks:
            mark = self._marks[place] = f"zq{len(self._marks):03d}"
            self.places[mark] = place
        return self._marks[place]

    def text(self, place: str, *, xml: bool = False) -> str:
        """Return the hostile text of a place: every payload, a different one first, between two marks."""
        mark = self.mark(place)
        first = int(mark[2:]) % len(PAYLOADS)
        text = mark + "".join((*PAYLOADS[first:], *PAYLOADS[:first])) + mark
        if place.split(".")[-1] in MEGABYTE:
            text += _HUGE
        return _NOT_IN_XML.sub("", text) if xml else text

    def _reply(self, service: str, operation: str, params: dict[str, Any]) -> Any:
        from fakes.wire_stub import model_of

        model = model_of(service).operation_model(operation)
        xml = model.service_model.resolved_protocol in XML
        if self.answers == "faults":
            return Fault(f"{operation}Failed", self.text(f"{operation} refused", xml=xml))
        if self.answers == "bytes":
            return Body(b'{"Functions": "' + b"\xff\xfe\x1b]52;c;UFdORUQ=\x07\xc3\x28" * 10 + b'"}')
        if self.answers == "page":
            page = self.text(f"{operation} page", xml=True).encode()
            return Body(b"<html><title>" + page + b"</title>", "text/html")
        return self._built(model, params, xml)

    def _built(self, model: OperationModel, params: dict[str, Any], xml: bool) -> dict[str, Any]:
        if model.has_event_stream_output:
            return Fault("Nothing", self.text(f"{model.name} refused", xml=xml))  # type: ignore[return-value]
        if model.output_shape is None:
            return {}
        made = self._value(model.output_shape, model.name, params, xml, whole=False)
        assert isinstance(made, dict)
        return made

    def _value(self, shape: Shape, place: str, params: dict[str, Any], xml: bool, *, whole: bool) -> Any:
        """Return a value of a shape.

        `whole` is for members without a plausible value, the second elements of lists.
        """
        last = place.split(".")[-1]
        if not whole:
            plausible = PLAUSIBLE.get(place) or PLAUSIBLE.get(last)
            if plausible is not None and (shape.type_name != "structure"):
                made = plausible(self, self.text(place, xml=xml), params)
                if isinstance(made, KINDS.get(shape.type_name, object)):
                    return made
        kind = shape.type_name
        if kind == "structure":
            members = list(shape.members.items())
            if getattr(shape, "is_tagged_union", False):
                members = members[:1]
            return {
                name: self._value(member, f"{place}.{name}", params, xml, whole=whole)
                for name, member in members
                if name.lower() not in _TOKENS
            }
        if kind == "list":
            first = self._value(shape.member, place, params, xml, whole=whole)
            if whole:
                return [first]
            return [first, self._value(shape.member, f"{place}'", params, xml, whole=True)]
        if kind == "map":
            value = self._value(shape.value, f"{place}.value", params, xml, whole=whole)
            return {self.text(f"{place}.key", xml=xml): value}
        if kind == "string":
            return self.text(place, xml=xml)
        if kind == "timestamp":
            return time.time() - 90
        return {"boolean": False, "double": 7.0, "float": 7.0, "blob": ""}.get(kind, 7)


@contextmanager
def running(stub: S) -> Iterator[S]:
    """Serve while the block runs."""
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with stub:
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(PATIENCE_S)
        yield stub
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
