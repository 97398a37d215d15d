"""Log lines that attack a terminal, written by anybody, read in a real one: nothing gets through."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.terminal import Terminal
from fakes.time_limit import PATIENCE_S

from lambdatop.cli import exit_codes
from lambdatop.demo.process.launch import Demo, start

pytestmark = pytest.mark.wire

FUNCTION = "report-builder"  # seldom invoked: the hostile lines stay on the screen
GROUP = f"/aws/lambda/{FUNCTION}"
FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
LINES = (
    "\x1b]0;PWNED\x07title",
    "\x1b]52;c;UFdORUQ=\x07clipboard",
    "\x1b]8;;http://PWNED\x1b\\link\x1b]8;;\x1b\\",
    "\x1bP+q544e\x1b\\ \x1b_PWNED\x1b\\ \x1b^PWNED\x1b\\ device control",
    "\x1b[2J\x1b[1;1HPWNED \x1b[31mred \x1b[6n report",
    "\x9b31mPWNED \x85next \x90q",
    "nul \x00 bell \x07 back\x08\x08 so \x0e si \x0f del \x7f cr \rPWNED vt \x0b ff \x0c",
    "bidi \u202eDENWP\u202c \u2066isolate\u2069 \u200bzero \ufeffmark \u2028line \u2029paragraph",
    "markup [bold red]PWNED[/] [@click=app.quit]quit[/] [link=http://PWNED]x[/link]",
    "surrogate \ud83d alone, tag \U000e0041\U000e007f, combining " + "e" + "\u0301" * 500,
    f"wide \u4f60\u597d {FAMILY} end",
    "[" * 10_000 + "]" * 10_000,
    '{"a":' * 10_000 + "1" + "}" * 10_000,
    '{"level":"ERROR","message":"\\u001b]52;c;UFdORUQ=\\u0007","requestId":"\\u001b[2J"}',
    "megabyte " + "A" * 1_000_000,
    "REPORT RequestId: \x1b[31m\tDuration: 1e999 ms\tBilled Duration: -1 ms\tMemory Size: NaN MB",
    "the end of it",
)
FORBIDDEN = re.compile(
    rb"\x1b\][^\x07\x1b]*(?:PWNED|UFdORUQ)|\x1b\]52|\x1b\]8|\x1bP\+q|\x1b[_^]"  # OSC, DCS, APC, PM of theirs
    rb"|\x1b\[(?:31m|6n|1;1H)PWNED|\xc2[\x80-\x9f]|[\x00\x07\x0b\x0c\x0e\x7f]"
    rb"|\xe2\x80[\x8b\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xef\xbb\xbf|\xf3\xa0\x81"
)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with start("calm") as running:
        yield running


@pytest.fixture
def environment(demo: Demo, tmp_path: Path) -> dict[str, str]:
    foreign = ("AWS_", "LAMBDATOP_", "XDG_", "NO_COLOR", "COLUMNS", "LINES")
    keep = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    return keep | {
        "HOME": str(tmp_path),
        "TERM": "xterm-256color",
        "AWS_ACCESS_KEY_ID": demo.access_key,
        "AWS_SECRET_ACCESS_KEY": demo.secret_key,
        "AWS_SESSION_TOKEN": demo.session_token,
        "AWS_REGION": demo.region,
        "LAMBDATOP_ENDPOINT_URL": demo.endpoint_url,
    }


def _call(demo: Demo, operation: str, **body: object) -> None:
    headers = {
        "X-Amz-Target": f"Logs_20140328.{operation}",
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={demo.access_key}/20260101/{demo.region}/logs/x",
        "X-Amz-Security-Token": demo.session_token,
    }
    request = urllib.request.Request(demo.endpoint_url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        if "ResourceAlreadyExists" not in error.read().decode():
            raise


@pytest.fixture
def written(demo: Demo) -> str:
    """Write hostile lines into the function's own log group, as anybody with access may."""
    stream = f"2026/01/01/[$LATEST]{time.monotonic_ns():032x}"
    _call(demo, "CreateLogGroup", logGroupName=GROUP)
    _call(demo, "CreateLogStream", logGroupName=GROUP, logStreamName=stream)
    at = int(time.time() * 1000)
    for i, line in enumerate(LINES):
        events = [{"timestamp": at + i, "message": line}]
        _call(demo, "PutLogEvents", logGroupName=GROUP, logStreamName=stream, logEvents=events)
    return stream


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_the_command_prints_them_harmlessly(
    environment: dict[str, str], written: str, more: list[str]
) -> None:
    argv = [sys.executable, "-m", "lambdatop", "logs", FUNCTION, "--since", "5m", *more]
    with Terminal(argv, environment, 120, 40) as term:
        assert term.wait_for_exit() == exit_codes.DONE
    text = bytes(term.written).decode("utf-8")
    # Its joiners are what makes three people one family.
    odd = {c for c in text.replace(FAMILY, "") if not (c.isprintable() or c in "\r\n")}
    assert odd == set()
    assert FAMILY in text
    assert FORBIDDEN.search(term.written) is None
    assert "the end of it" in text
    assert text.count("PWNED") > 5  # nothing was hidden, it was made visible


def test_the_console_shows_them_harmlessly(environment: dict[str, str], written: str) -> None:
    argv = [sys.executable, "-m", "lambdatop", "--read-only"]
    with Terminal(argv, environment, 120, 40) as term:
        term.wait_for(FUNCTION)
        term.press(f"/{FUNCTION}\r")
        term.wait_for(lambda s: re.search(r"1 of \d+", s) is not None)
        term.press("4z")
        term.wait_for("the end of it")
        for keys in ("[", "[", "k", "v", "w", "\x15", "\x15", "fPWNED\r", "n", "n", "o", "e", "e", "o", "i"):
            term.press(keys)
            term.wait_for(lambda s: "log tail" in s)
        term.press("g")
        term.wait_for("title")
        term.press("q")
        assert term.wait_for_exit() == exit_codes.DONE
    written_out = re.sub(rb"\x1b\]22;[a-z-]+\x07", b"", term.written)  # Textual's own: the pointer's shape
    assert FORBIDDEN.search(written_out) is None
    assert b"PWNED" in term.written
