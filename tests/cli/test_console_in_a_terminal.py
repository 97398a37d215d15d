"""The whole mitigation flow by keys: a real terminal, the real console, real functions on the emulator."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.request
from collections.abc import Callable
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fakes.terminal import Terminal
from fakes.time_limit import PATIENCE_S

pytestmark = pytest.mark.wire


def environment(home: Path) -> dict[str, str]:
    # COLUMNS and LINES, which parallel test runners set, would outrank the terminal's real size.
    foreign = ("AWS_", "LAMBDATOP_", "XDG_", "NO_COLOR", "COLUMNS", "LINES")
    keep = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    demo = {k: v for k, v in os.environ.items() if k == "LAMBDATOP_DEMO_PYTHON"}
    return keep | demo | {"HOME": str(home), "TERM": "xterm-256color", "TMPDIR": str(home)}


@dataclass(frozen=True)
class Emulator:
    """The running demo's emulator, asked with the keys that the demo leaves to its user."""

    endpoint: str
    session_token: str

    @classmethod
    def of(cls, endpoint: str, home: Path) -> Emulator:
        [file] = home.glob("lambdatop-demo-*/credentials")
        keys = ConfigParser()
        keys.read_string(file.read_text(encoding="utf-8"))
        return cls(endpoint, keys["default"]["aws_session_token"])

    def _get(self, path: str) -> dict[str, Any]:
        headers = {"X-Amz-Security-Token": self.session_token}
        request = urllib.request.Request(self.endpoint + path, headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def started(self, function: str) -> int:
        return int(self.function(function)["started"])

    def function(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._get("/_lambdatop/ledger")["functions"][name]
        return found

    def reserved(self) -> int | None:
        answer = self._get("/2019-09-30/functions/orders-worker/concurrency")
        found: int | None = answer.get("ReservedConcurrentExecutions")
        return found


def until(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)


def test_throttle_and_undo_by_keys_and_nothing_is_left(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "lambdatop", "demo"]
    with Terminal(argv, environment(tmp_path), 100, 30) as term:
        shown = term.wait_for(lambda s: re.search(r"CRIT.*orders", s) is not None)
        match = re.search(r"http://127\.0\.0\.1:\d+", shown)
        assert match
        emulator = Emulator.of(match.group(), tmp_path)
        assert emulator.reserved() is None

        term.press("?")
        term.wait_for("stops polling a throttled queue")
        term.press("?")
        term.wait_for(lambda s: "hot functions" in s and "stops polling" not in s)

        # Wait until heat has brought it to the top, then filter so that the key means this function.
        term.press("/orders-worker\r")
        term.wait_for(lambda s: "1 of 13" in s)
        term.press("T")
        term.wait_for("Enter confirms")
        assert emulator.reserved() is None
        term.press("orders-worker")
        term.wait_for(lambda s: re.search(r"│\s+orders-worker\s+│", s) is not None)
        term.press("\r")
        term.wait_for("APPLIED")
        assert emulator.reserved() == 0
        term.press("\x1b")
        term.wait_for(lambda s: "APPLIED" not in s)

        until(lambda: emulator.function("orders-worker")["in_flight"] == 0)
        stopped = emulator.started("orders-worker")
        before = emulator.started("checkout-api")
        until(lambda: emulator.started("checkout-api") >= before + 3)
        assert emulator.started("orders-worker") == stopped

        term.press("u")
        term.wait_for("press y to confirm")
        term.press("y")
        term.wait_for("APPLIED")
        assert emulator.reserved() is None
        term.press("\x1b")
        term.wait_for(lambda s: "APPLIED" not in s)
        until(lambda: emulator.started("orders-worker") > stopped)

        term.press("q")
        assert term.wait_for_exit() == 0
    assert b"\x1b[?1049l" in term.written, "the alternate screen was not left"
    assert list(tmp_path.glob("lambdatop-demo-*")) == []
    assert not (tmp_path / ".local").exists(), "the user's own journal was touched"
