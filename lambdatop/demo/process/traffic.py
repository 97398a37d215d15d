"""The demo's customers: a steady, light flow of events from inside the server.

Traffic never repeats itself: a refused or failed send is dropped, and the next event comes at its own time.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from lambdatop.demo.process.http_client import Wire, WireError
from lambdatop.demo.scenarios.model import Flow

_STEP_S = 0.05

_log = logging.getLogger("lambdatop.demo")


class Traffic:
    """One daemon thread per flow: they wait nearly always."""

    def __init__(self, wire: Wire, flows: tuple[Flow, ...], seed: int = 0, times: float = 1.0) -> None:
        """Prepare the flows; ``seed`` fixes payloads and jitter, ``times`` is the compression of time."""
        self._wire = wire
        self._times = times
        self._began = time.monotonic()
        self._flows = flows
        self._seed = seed
        self._stop = threading.Event()

    def start(self) -> None:
        """Let it flow."""
        for number, flow in enumerate(self._flows):
            dice = random.Random(self._seed * 1000 + number)
            thread = threading.Thread(target=self._flow, args=(flow, dice), daemon=True, name=flow.target)
            thread.start()

    def stop(self) -> None:
        """Send nothing more."""
        self._stop.set()

    def _flow(self, flow: Flow, dice: random.Random) -> None:
        send = self._sender(flow)
        for number in itertools.count(1):
            try:
                send(flow.payload(number, dice))
            except (WireError, OSError, http.client.HTTPException) as error:
                _log.warning("%s to %s: %s", flow.kind, flow.target, error)
            if self._rest(flow, dice):
                return

    def _rest(self, flow: Flow, dice: random.Random) -> bool:
        """Wait until the next event is due; say whether the traffic was stopped meanwhile."""
        wait_s = dice.uniform(0.5, 1.5) / flow.per_second
        if flow.shape is None:
            return self._stop.wait(wait_s)
        # The rate may change while we wait, so what is due is counted in small steps.
        due = 0.0
        while due < wait_s:
            if self._stop.wait(_STEP_S):
                return True
            due += _STEP_S * flow.shape((time.monotonic() - self._began) * self._times / 60)
        return False

    def _sender(self, flow: Flow) -> Callable[[dict[str, Any]], object]:
        wire, target = self._wire, flow.target

        def put_record(event: dict[str, Any]) -> object:
            data = base64.b64encode(json.dumps(event).encode()).decode()
            return wire.call("kinesis", "PutRecord", StreamName=target, PartitionKey="all", Data=data)

        def put_item(event: dict[str, Any]) -> object:
            item = {name: {"S": str(value)} for name, value in event.items()}
            return wire.call("dynamodb", "PutItem", TableName=target, Item=item)

        def send_message(event: dict[str, Any]) -> object:
            return wire.call("sqs", "SendMessage", QueueUrl=target, MessageBody=json.dumps(event))

        def start_execution(event: dict[str, Any]) -> object:
            arn = f"arn:aws:states:{wire.region}:{wire.account}:stateMachine:{target}"
            return wire.call("states", "StartExecution", stateMachineArn=arn, input=json.dumps(event))

        senders: dict[str, Callable[[dict[str, Any]], object]] = {
            "sync": lambda event: wire.invoke(target, event),
            "async": lambda event: wire.invoke(target, event, asynchronous=True),
            "sqs": send_message,
            "kinesis": put_record,
            "dynamodb": put_item,
            "execution": start_execution,
        }
        return senders[flow.kind]
