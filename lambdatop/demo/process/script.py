"""What somebody does during a scenario: deploys, redrives a dead-letter queue, sends a few messages."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import logging
import random
import threading
import time

from lambdatop.demo.process.deploy import package
from lambdatop.demo.process.http_client import Wire, WireError
from lambdatop.demo.scenarios.model import Scenario, Step

_log = logging.getLogger("lambdatop.demo")


class Steps:
    """One daemon thread that carries out a scenario's steps, cycle after cycle."""

    def __init__(self, wire: Wire, scenario: Scenario, times: float, seed: int = 0) -> None:
        """Prepare the steps; ``times`` is the compression of time, ``seed`` fixes the payloads."""
        self._wire = wire
        self._steps = sorted(scenario.steps, key=lambda step: step.minute)
        self._cycle_s = scenario.cycle_min * 60 / times
        self._times = times
        self._dice = random.Random(seed)
        self._number = 0

    def start(self) -> None:
        """Begin; does nothing for a scenario without steps."""
        if self._steps:
            threading.Thread(target=self._run, daemon=True, name="steps").start()

    def _run(self) -> None:
        began = time.monotonic()
        for cycle in itertools.count():
            for step in self._steps:
                due = began + cycle * self._cycle_s + step.minute * 60 / self._times
                time.sleep(max(0.0, due - time.monotonic()))
                try:
                    self.take(step)
                except (WireError, OSError, http.client.HTTPException) as error:
                    _log.warning("%s %s: %s", step.kind, step.target, error)
            if not self._cycle_s:
                return

    def take(self, step: Step) -> None:
        """Carry one step out. Raises WireError when the emulator refuses it."""
        {"deploy": self._deploy, "redrive": self._redrive, "seed": self._seed}[step.kind](step)

    def _deploy(self, step: Step) -> None:
        """Upload the same code with a new remark at its end: new CodeSha256, new LastModified."""
        self._number += 1
        module = step.target.replace("-", "_")
        code = base64.b64encode(package(module, f"# Build {self._number}.\n")).decode()
        self._wire.rest("PUT", f"/2015-03-31/functions/{step.target}/code", {"ZipFile": code})

    def _redrive(self, step: Step) -> None:
        arn = f"arn:aws:sqs:{self._wire.region}:{self._wire.account}:{step.target}"
        self._wire.call("sqs", "StartMessageMoveTask", SourceArn=arn, MaxNumberOfMessagesPerSecond=2)

    def _seed(self, step: Step) -> None:
        assert step.payload is not None
        url = self._wire.call("sqs", "GetQueueUrl", QueueName=step.target)["QueueUrl"]
        for number in range(1, step.count + 1):
            body = json.dumps(step.payload(number, self._dice))
            self._wire.call("sqs", "SendMessage", QueueUrl=url, MessageBody=body)
