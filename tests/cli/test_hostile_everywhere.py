"""Hostile text in every string of every answer, in a real terminal: nothing gets through, nothing runs."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from fakes.hostile import FORBIDDEN, MARK, POINTER, HostileStub, running
from fakes.terminal import environment as bare
from fakes.whole_screens import WholeScreens

from lambdatop.aws.sdk.walls.allowlist import READS
from lambdatop.cli import exit_codes

pytestmark = pytest.mark.wire

ALL_READS = frozenset(name for names in READS.values() for name in names)
MAPPING = "ListEventSourceMappings.EventSourceMappings"
CLICKS = 4
DASHBOARD = re.compile(r"(?s)1 hot functions.*2 retry storms.*3 quota.*4 log tail")
ANSWERED_S = 4.0
"""A console beside busy processes has answered an Esc by then."""
IN_FRONT = re.compile("Esc (leaves|closes|cancels|back)|Search for commands")
SHEETS = (
    ("1\r", "runtime"),
    ("1\rG", "push async"),
    ("5g\r", "read from"),
    ("5G", "ALRM"),
    ("1H", "(?s)who changed.*REFUSED"),
    ("4I", "errors by kind"),
    ("4I\r", r"(?s)errors by kind.*scanned"),
    ("$", "GetMetricData"),
    ("J", "outcome"),
    ("?", "collect everything now"),
    (":", "(?s)Search|command|theme"),
    ("1T", "This is not possible|T2: "),
    ("1D", "CAREFUL"),
)
"""Keys from the dashboard, and what the screen says when it is all there."""


class Witness(WholeScreens):
    """A terminal that remembers which marks were ever on screen."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        self.marks: set[str] = set()
        super().__init__(argv, env, 180, 50)

    def screen(self) -> str:
        shown = super().screen()
        self.marks.update(MARK.findall(shown))
        return shown

    @staticmethod
    def at_dashboard(shown: str) -> bool:
        return bool(DASHBOARD.search(shown)) and not IN_FRONT.search(shown)

    def back(self) -> None:
        """Return to the dashboard from any screen.

        Esc is pressed only where something is in front, and again only when the last one was surely answered:
        one that the console has not read yet would make the next key Alt and that key.
        """
        for _ in range(8):
            if self.at_dashboard(self.screen()):
                return
            self.press("\x1b")
            with contextlib.suppress(AssertionError):
                self.wait_for(self.at_dashboard, ANSWERED_S)
        raise AssertionError(f"no way back from:\n{self.screen()}")

    def click(self, row: int, column: int) -> None:
        """Press and release the mouse; both count from 1."""
        self.press(f"\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m")


@pytest.fixture(scope="module")
def hostile() -> Iterator[HostileStub]:
    with running(HostileStub()) as stub:
        yield stub


@pytest.fixture
def environment(hostile: HostileStub, tmp_path: Path) -> dict[str, str]:
    hostile.answers = "strings"
    keys = {"AWS_ACCESS_KEY_ID": "AKIAHOSTILE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    return bare(tmp_path, LAMBDATOP_ENDPOINT_URL=hostile.url, AWS_EC2_METADATA_DISABLED="true", **keys)


def places(stub: HostileStub, marks: Iterable[str]) -> set[str]:
    """Return where the marks stand, without the difference between first and second elements."""
    return {stub.places[mark].replace("'", "") for mark in marks}


def must_reach(reached: set[str], wanted: Iterable[str]) -> None:
    missing = set(wanted) - reached
    assert not missing, f"never shown: {sorted(missing)}; shown were {sorted(reached)}"


def harmless(data: bytes) -> None:
    found = FORBIDDEN.search(POINTER.sub(b"", data))
    assert found is None, (found, data[max(0, found.start() - 80) : found.end() + 80])


def click_on_markup(term: Witness) -> int:
    """Click on every `@click` on screen, as a curious person might; how many there were."""
    spots = [
        (row, found.start() + 2)
        for row, line in enumerate(term.screen().split("\n"), 1)
        for found in re.finditer("@click=app", line)
    ][:CLICKS]
    for row, column in spots:
        term.click(row, column)
    return len(spots)


def test_the_console_shows_everything_harmlessly(hostile: HostileStub, environment: dict[str, str]) -> None:
    argv = [sys.executable, "-m", "lambdatop"]
    with Witness(argv, environment) as term:
        term.wait_for(lambda s: re.search(r"(?s)zq\d{3}.*ALRM.*log tail +zq\d{3}", s) is not None)
        for pane in "2345":
            term.go(pane, "1 hot functions")
            term.go("z", rf"\[{pane} ")
            term.go("G", rf"\[{pane} ")
            term.go("z", "1 hot functions")
        clicks = click_on_markup(term)
        term.back()
        for keys, shows in SHEETS:
            for key in keys[:-1]:  # one by one: a key typed ahead would still go to the pane before
                term.go(key, "lambdatop")
            term.go(keys[-1], shows)
            clicks += click_on_markup(term) if "T" in keys or "D" in keys else 0
            term.back()
        hostile.answers = "faults"
        term.go("r", "refused|failed|stale")
        for answers in ("bytes", "page"):
            hostile.answers = answers
            term.go("r", "1 hot functions")
            term.go("H", "(?s)who changed.*(failed|understood|cannot)")
            term.back()
        assert term.process.poll() is None, "something in the text ended the console"
        term.press("q")
        assert term.wait_for_exit() == exit_codes.DONE
    harmless(bytes(term.written))
    assert clicks
    assert {r.operation for r in hostile.received} <= ALL_READS
    must_reach(
        places(hostile, term.marks),
        (
            "ListFunctions.Functions.FunctionName",
            "ListFunctions.Functions.Runtime",
            f"{MAPPING}.EventSourceArn",
            f"{MAPPING}.State",
            "DescribeAlarms.MetricAlarms.AlarmName",
            "FilterLogEvents.events.message",
            "GetPolicy.Policy",
            "LookupEvents.Events.CloudTrailEvent",
            "LookupEvents.Events.EventName",
            "GetQueryResults.results.value",
            "GetCallerIdentity.Arn",
        ),
    )


@pytest.mark.parametrize("form", ["--json", "--table", "--markdown"])
def test_snapshot_prints_everything_harmlessly(
    hostile: HostileStub, environment: dict[str, str], form: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lambdatop", "snapshot", form],
        env=environment,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == exit_codes.DONE
    harmless(done.stdout.replace(b"\n", b"\r\n") + done.stderr)
    wanted = ["ListFunctions.Functions.FunctionName", f"{MAPPING}.EventSourceArn", "GetCallerIdentity.Arn"]
    if form == "--json":
        wanted += [f"{MAPPING}.{name}" for name in ("LastProcessingResult", "StateTransitionReason", "UUID")]
    must_reach(places(hostile, MARK.findall(done.stdout.decode())), wanted)
    if form == "--markdown":
        # Code in which nothing but a name stands is how names, issues and pictures are kept from acting.
        text = re.sub(r"(?<!\\)`[\w@#:./+-]+`", "", done.stdout.decode())
        assert not re.search(r"(?<!\\)(?:<img|\[a\]|`)|(?<!\\)://|^[^|#\n]*PWNED", text, re.M)


UUID = "6f1c8a52-1f0e-4a55-9a39-0d5f3f1b7c01"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["logs", "x", "--since", "5m"], ["FilterLogEvents.events.message"]),
        (["plan", "throttle_to_zero", "x"], ["ListFunctions.Functions.FunctionName"]),
        (["plan", "disable_trigger", UUID, "--json"], ["GetEventSourceMapping.EventSourceArn"]),
    ],
)
def test_commands_print_everything_harmlessly(
    hostile: HostileStub, environment: dict[str, str], words: list[str], wanted: list[str]
) -> None:
    with Witness([sys.executable, "-m", "lambdatop", *words], environment) as term:
        assert term.wait_for_exit() in (exit_codes.DONE, exit_codes.FAILED)
        term.screen()
    harmless(bytes(term.written))
    odd = {c for c in term.written.decode() if not (c.isprintable() or c in "\r\n")}
    assert odd == set()
    must_reach(places(hostile, MARK.findall(term.written.decode())), wanted)


@pytest.mark.parametrize("answers", ["faults", "bytes"])
def test_answers_that_are_none_are_told_harmlessly(
    hostile: HostileStub, environment: dict[str, str], answers: str
) -> None:
    hostile.answers = answers
    with Witness([sys.executable, "-m", "lambdatop", "snapshot"], environment) as term:
        assert term.wait_for_exit() not in (exit_codes.DONE, 0)
    harmless(bytes(term.written))
    shown = term.written.decode()
    assert {c for c in shown if not (c.isprintable() or c in "\r\n")} == set()
    assert "Traceback" not in shown
    assert "GetCallerIdentity" in shown
    if answers == "faults":
        assert "GetCallerIdentity refused" in places(hostile, MARK.findall(shown))
