"""A very small AWS client for the demo's own deployment and traffic: loopback only, no SDK, no signature.

The SDK would cost a second of start-up and most of the traffic generator's CPU. The emulator takes the
account and region from the credential scope and (without ``AUTH``) does not verify the signature. The
gate in front of it asks for the secret of this run.
"""

from __future__ import annotations

import http.client
import json
import threading
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from lambdatop.demo.process.access import TOKEN_HEADER

_JSON = {
    "sqs": ("AmazonSQS", "1.0"),
    "kinesis": ("Kinesis_20131202", "1.1"),
    "dynamodb": ("DynamoDB_20120810", "1.0"),
    "logs": ("Logs_20140328", "1.1"),
    "states": ("AWSStepFunctions", "1.0"),
}
_TIMEOUT_S = 65.0


class WireError(RuntimeError):
    """The emulator refused a call."""


class Answer(Struct, frozen=True):
    """An HTTP answer. ``function_error`` is set when a function raised."""

    status: int
    body: Any
    function_error: str


class Wire:
    """Calls one emulator on the loopback interface. Threads may share it; each has its own connection."""

    def __init__(self, port: int, account: str, region: str, token: str) -> None:
        """Address the account and region on ``port``; ``token`` is the emulator's secret."""
        self._port = port
        self._token = token
        self.account = account
        self.region = region
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []

    def call(self, service: str, operation: str, **request: Any) -> Any:
        """Call an operation of a JSON service and return its answer. Raises WireError when refused."""
        prefix, version = _JSON[service]
        headers = {
            "Content-Type": f"application/x-amz-json-{version}",
            "X-Amz-Target": f"{prefix}.{operation}",
        }
        answer = self._send("POST", "/", service, json.dumps(request), headers)
        return _accepted(f"{service}.{operation}", answer)

    def rest(self, method: str, path: str, request: Any = None, service: str = "lambda") -> Any:
        """Call an operation of a REST service and return its answer. Raises WireError when refused."""
        body = None if request is None else json.dumps(request)
        answer = self._send(method, path, service, body, {"Content-Type": "application/json"})
        return _accepted(f"{method} {path}", answer)

    def invoke(self, function: str, event: Any, *, asynchronous: bool = False) -> Answer:
        """Invoke a function once. A throttle or a function error is an answer, not an exception."""
        kind = "Event" if asynchronous else "RequestResponse"
        path = f"/2015-03-31/functions/{quote(function)}/invocations"
        headers = {"Content-Type": "application/json", "X-Amz-Invocation-Type": kind}
        return self._send("POST", path, "lambda", json.dumps(event), headers)

    def health(self) -> None:
        """Return once the emulator answers. Raises WireError when it is not well."""
        _accepted("health", self._send("GET", "/_ministack/health", "sts", None, {}))

    def close(self) -> None:
        """Close every thread's connection; a thread that calls again gets a new one."""
        for connection in self._connections:
            connection.close()

    def _send(
        self, method: str, path: str, service: str, body: str | None, headers: dict[str, str]
    ) -> Answer:
        scope = f"{self.account}/20260101/{self.region}/{service}/aws4_request"
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        headers[TOKEN_HEADER] = self._token
        connection = self._connection()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        parsed = json.loads(raw) if raw else None
        return Answer(response.status, parsed, response.headers.get("X-Amz-Function-Error", ""))

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_S)
            self._local.connection = connection
            self._connections.append(connection)
        return connection


def _accepted(call: str, answer: Answer) -> Any:
    if answer.status >= 300:
        raise WireError(f"{call}: {answer.status} {answer.body}")
    return answer.body
