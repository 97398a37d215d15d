"""The whole corridor by keys: a real terminal, the real console, real functions on the emulator."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.request
from collections.abc import Callable
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


def ledger(endpoint: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{endpoint}/_lambdatop/ledger", timeout=PATIENCE_S) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def reserved(endpoint: str) -> int | None:
    url = f"{endpoint}/2019-09-30/functions/orders-worker/concurrency"
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
        found: int | None = json.load(answer).get("ReservedConcurrentExecutions")
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
        endpoint = match.group()
        assert reserved(endpoint) is None

        term.press("?")
        term.wait_for("stops polling a throttled queue")
        term.press("?")
        term.wait_for(lambda s: "hot functions" in s and "stops polling" not in s)

        # Wait until heat has brought it to the top, then filter so that the key means this function.
        term.press("/orders-worker\r")
        term.wait_for(lambda s: "1 of 13" in s)
        term.press("T")
        term.wait_for("Enter confirms")
        assert reserved(endpoint) is None
        term.press("orders-worker")
        term.wait_for(lambda s: re.search(r"│\s+orders-worker\s+│", s) is not None)
        term.press("\r")
        term.wait_for("APPLIED")
        assert reserved(endpoint) == 0
        term.press("\x1b")
        term.wait_for(lambda s: "APPLIED" not in s)

        until(lambda: ledger(endpoint)["functions"]["orders-worker"]["in_flight"] == 0)
        stopped = ledger(endpoint)["functions"]["orders-worker"]["started"]
        before = ledger(endpoint)["functions"]["checkout-api"]["started"]
        until(lambda: ledger(endpoint)["functions"]["checkout-api"]["started"] >= before + 3)
        assert ledger(endpoint)["functions"]["orders-worker"]["started"] == stopped

        term.press("u")
        term.wait_for("press y to confirm")
        term.press("y")
        term.wait_for("APPLIED")
        assert reserved(endpoint) is None
        term.press("\x1b")
        term.wait_for(lambda s: "APPLIED" not in s)
        until(lambda: ledger(endpoint)["functions"]["orders-worker"]["started"] > stopped)

        term.press("q")
        assert term.wait_for_exit() == 0
    assert b"\x1b[?1049l" in term.written, "the alternate screen was not left"
    assert list(tmp_path.glob("lambdatop-demo-*")) == []
    assert not (tmp_path / ".local").exists(), "the user's own journal was touched"
