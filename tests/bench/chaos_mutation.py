"""A throttle to zero and its undo in the middle of the storm, by keys; the truth is read behind the proxy."""

from __future__ import annotations

import json
import re
import urllib.request

from fakes.fault_proxy import Steering, Trouble
from fakes.whole_screens import WholeScreens

from lambdatop.demo.process.launch import Demo

FUNCTION = "orders-worker"
TRIES = 15
STORM = (
    Trouble("server error", 0.4),
    Trouble("truncated", 0.3),
    Trouble("reset", 0.3),
    Trouble("garbage", 0.3),
)
RESULT = r"APPLIED|REFUSED BY AWS|NOT SENT|OUTCOME UNKNOWN"
NO_PLAN = "This cannot be planned|This is not possible"
RESULT_S = 60.0
"""A mutation is sent once and may wait 10 s for its answer; what became of it is then read for a while."""


def reserved(demo: Demo) -> int | None:
    """Return the reserved concurrency of the emulator."""
    url = f"{demo.endpoint_url}/2019-09-30/functions/{FUNCTION}/concurrency"
    request = urllib.request.Request(url, headers={"X-Amz-Security-Token": demo.session_token})
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: int | None = json.load(answer).get("ReservedConcurrentExecutions")
        return found


def storm(term: WholeScreens, steering: Steering, demo: Demo) -> list[str]:
    """Throttle and undo until both are true; what was said that was not so."""
    wrongs: list[str] = []
    term.go("1", "1 hot functions")
    term.go(f"/{FUNCTION}\r", f"/{FUNCTION}/")
    for keys, plan, words, goal in (
        ("T", "Enter confirms", f"{FUNCTION}\r", 0),
        ("u", "press y to confirm", "y", None),
    ):
        for number in range(TRIES):
            if reserved(demo) == goal:
                break
            steering.begin(STORM[number % len(STORM)])
            wrongs += _try(term, demo, keys, plan, words, goal)
        else:
            wrongs.append(f"{keys} never came through in {TRIES} tries")
        steering.begin(None)
    _leave(term)
    term.go("\x1b", "1 hot functions")
    return wrongs


def _try(term: WholeScreens, demo: Demo, keys: str, plan: str, words: str, goal: int | None) -> list[str]:
    before = reserved(demo)
    shown = term.go(keys, f"{plan}|{NO_PLAN}|nothing to undo", RESULT_S)
    said = ""
    if re.search(plan, shown):
        found = re.search(RESULT, term.go(words, RESULT, RESULT_S))
        said = found.group() if found else ""
    _leave(term)
    now = reserved(demo)
    wrong = (said == "APPLIED" and now != goal) or (
        said in ("REFUSED BY AWS", "NOT SENT", "") and now != before
    )
    return [f"{keys}: it said {said!r}, but reserved went from {before} to {now}"] if wrong else []


def _leave(term: WholeScreens) -> None:
    """Close the dialog, if there is one."""
    for _ in range(3):
        if not re.search(f"Esc (cancels|closes|leaves|to cancel)|{RESULT}|{NO_PLAN}", term.screen()):
            return
        term.press("\x1b")
        term.read(0.5)
