"""Environments that initialise without serving, which ministack never starts and Lambda often does.

Lambda prepares environments ahead of requests and replaces old ones; one author saw 50-85 % of all inits
happen that way. Nothing says when, so the demo does it at a steady pace: a second environment of the function
is really started, runs its module's code, writes INIT_START into a log stream of its own, and never serves.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from lambdatop.demo.emulator import _ministack
from lambdatop.demo.emulator.metric_store import Scope

FIRST_S = 12.0
"""Real seconds until the first: the function's own environment should serve by then."""

EVERY_S = 40.0
LIVES_S = 30.0

_log = logging.getLogger("lambdatop.demo")


class Preparation:
    """One daemon thread that starts and ends such environments of some functions."""

    def __init__(self, home: Scope, names: Sequence[str]) -> None:
        """Prepare environments of the functions ``names`` in the account and region ``home``."""
        self._home = home
        self._names = names
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin; does nothing where no function is named."""
        if self._names:
            threading.Thread(target=self._run, daemon=True, name="preparation").start()

    def stop(self) -> None:
        """Start no more."""
        self._stop.set()

    def _run(self) -> None:
        due = time.monotonic() + FIRST_S
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            prepared = [worker for name in self._names if (worker := self.prepare(name)) is not None]
            self._stop.wait(LIVES_S)
            for worker in prepared:
                worker.kill()
            due += EVERY_S

    def prepare(self, name: str) -> Any:
        """Start an environment of one function and return its worker; None where there is no such function.

        The pool does not know it, so that no request is ever routed to it.
        """
        with _ministack.get("core.responses.request_scope")(self._home.account, self._home.region):
            record = _ministack.get("services.lambda_svc._functions").get(name)
            if record is None:
                return None
            worker = _ministack.get("core.lambda_runtime.Worker")(name, record["config"], record["code_zip"])
            try:
                _ministack.get("core.lambda_runtime.ensure_spawned")(worker)
            except RuntimeError as failure:
                _log.warning("preparing an environment of %s: %s", name, failure)
            return worker
