"""The real command line against the embedded emulator: real functions, real queues, real processes."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fakes.command_line import Process
from fakes.time_limit import PATIENCE_S

from lambdatop.cli import exit_codes
from lambdatop.demo.process.launch import Demo, start

pytestmark = pytest.mark.wire
WORKER = "orders-worker"


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with start("poison-queue") as running:
        yield running


@pytest.fixture
def at(demo: Demo) -> dict[str, str]:
    """Return the variables that point the command line at the emulator."""
    return {
        "AWS_ACCESS_KEY_ID": demo.access_key,
        "AWS_SECRET_ACCESS_KEY": demo.secret_key,
        "AWS_SESSION_TOKEN": demo.session_token,
        "AWS_REGION": demo.region,
        "LAMBDATOP_ENDPOINT_URL": demo.endpoint_url,
        "LAMBDATOP_ALLOW_ENDPOINT_CHANGES": "1",
    }


def reserved(demo: Demo) -> int | None:
    """Return the reserved concurrency by the emulator."""
    url = f"{demo.endpoint_url}/2017-10-31/functions/{WORKER}/concurrency"
    request = urllib.request.Request(url, headers={"X-Amz-Security-Token": demo.session_token})
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with straight.open(request, timeout=PATIENCE_S) as answer:
        found: Any = json.loads(answer.read() or "{}")
    value = found.get("ReservedConcurrentExecutions")
    return None if value is None else int(value)


PROBE = """
import sys
from lambdatop.cli import main
code = main(sys.argv[1:])
heavy = {"textual", "rich", "lambdatop.tui", "lambdatop.aws.mutation.mutator", "ministack", "boto3"}
bad = heavy & set(sys.modules)
sys.exit(f"{code} {bad}" if code or bad else 0)
"""


def test_a_snapshot_holds_what_runs_without_console_and_mutator(
    home: Path, at: dict[str, str], demo: Demo
) -> None:
    # The control plane gets five requests a second, which takes a slow machine longer than 15 s.
    args = [sys.executable, "-c", PROBE, "snapshot", "--json", "--wait", "45"]
    ran = subprocess.run(args, env={**os.environ, **at}, capture_output=True, text=True, timeout=PATIENCE_S)
    assert ran.returncode == 0, ran.stderr
    snapshot = json.loads(ran.stdout)
    assert snapshot["schema"] == "lambdatop.snapshot/1"
    assert list(snapshot) == [
        *("schema", "at", "version", "mode", "targets", "functions", "mappings", "queues"),
        *("findings", "quotas", "sources", "spend", "burn", "incidents", "storms", "alarms", "gaps"),
        *("callers_looked_for", "failed_sections"),
    ]
    assert snapshot["targets"][0]["account"] == demo.account
    assert snapshot["targets"][0]["endpoint"] == demo.endpoint_url
    names = {f["name"] for f in snapshot["functions"]}
    assert {WORKER, "checkout-api", "stock-sync"} <= names
    assert {q["name"] for q in snapshot["queues"]} >= {"orders", "orders-dlq"}
    states = {s["name"]: s["state"] for s in snapshot["sources"]}
    # Nobody waits for this one: on a slow machine its first round may still be under way.
    assert states.pop("permissions", "ok") in {"ok", "stale", "starting"}
    assert set(states.values()) == {"ok"}
    assert snapshot["spend"]["api_calls"]["lambda.ListFunctions"] >= 1


def test_mitigate_and_undo_change_the_emulator_and_nothing_else(
    process: Process, at: dict[str, str], demo: Demo, home: Path
) -> None:
    before = reserved(demo)
    done = process("mitigate", "throttle_to_zero", WORKER, "--confirm", WORKER, "--json", **at)
    assert done.code == exit_codes.DONE, done.err
    assert json.loads(done.out)["result"] == "applied"
    assert reserved(demo) == 0
    undone = process("undo", "--last", "--confirm", WORKER, **at)
    assert undone.code == exit_codes.DONE, undone.err
    assert reserved(demo) == before
    journal = home / ".local/state/lambdatop/journal.jsonl"
    assert journal.stat().st_mode & 0o777 == 0o600
    entries = json.loads(process("journal", "--json").out)["entries"]
    assert [e["outcome"] for e in entries] == ["undone", "applied"]


def test_read_only_leaves_no_trace(process: Process, at: dict[str, str], demo: Demo, home: Path) -> None:
    before = reserved(demo)
    args = ("mitigate", "throttle_to_zero", WORKER, "--confirm", WORKER, "--read-only")
    assert process(*args, **at).code == exit_codes.READ_ONLY
    assert process("plan", "throttle_to_zero", WORKER, "--read-only", **at).code == exit_codes.DONE
    assert reserved(demo) == before
    assert not (home / ".local/state/lambdatop/journal.jsonl").exists()


def test_logs_come_from_the_configured_group_and_can_be_searched(
    process: Process, at: dict[str, str]
) -> None:
    ran = process("logs", WORKER, "--since", "5m", "--grep", "^order ", "--json", **at)
    assert ran.code == exit_codes.DONE, ran.err
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert lines
    assert all(line["text"].startswith("order ") for line in lines)
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert process("logs", "no-such-function", **at).code == exit_codes.USAGE


def test_following_ends_with_ctrl_c_and_survives_a_reader_that_leaves(
    at: dict[str, str], home: Path, process: Process
) -> None:
    args = [sys.executable, "-m", "lambdatop", "logs", WORKER, "--follow", "--json"]
    environ = {**os.environ, **at, "LAMBDATOP_CONFIG": str(_fast(home))}
    with _interruptible(args, environ) as follower:
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["text"]
        follower.send_signal(signal.SIGINT)
        _, err = follower.communicate(timeout=PATIENCE_S)
        assert (follower.returncode, err) == (exit_codes.INTERRUPTED, b"")
    with _interruptible(args, environ) as follower:
        assert follower.stdout is not None
        follower.stdout.readline()
        follower.stdout.close()
        assert follower.wait(timeout=PATIENCE_S) == exit_codes.DONE
        assert follower.stderr is not None
        assert follower.stderr.read() == b""


def _interruptible(args: list[str], environ: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a process that heeds Ctrl-C even where the tests run in the background (where it is ignored)."""
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(
        args, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed
    )


def _fast(home: Path) -> Path:
    file = home / "fast.yaml"
    file.write_text("paces:\n  logs: 1\n")
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(
    ("typed", "code", "after"),
    [
        ("orders-worker\n", exit_codes.DONE, 0),
        ("no\n", exit_codes.FAILED, None),
        (None, exit_codes.INTERRUPTED, None),
    ],
)
def test_a_name_typed_on_a_terminal_confirms_and_nothing_else_does(
    at: dict[str, str],
    demo: Demo,
    home: Path,
    process: Process,
    typed: str | None,
    code: int,
    after: int | None,
) -> None:
    before = reserved(demo)
    ours, theirs = pty.openpty()
    args = [sys.executable, "-m", "lambdatop", "mitigate", "throttle_to_zero", WORKER, "--json"]
    with subprocess.Popen(
        args, env={**os.environ, **at}, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE
    ) as asking:
        os.close(theirs)
        shown = _until(ours, b"Type orders-worker to do it: ")
        if typed is None:
            asking.send_signal(signal.SIGINT)
        else:
            os.write(ours, typed.encode())
        out, _ = asking.communicate(timeout=PATIENCE_S)
        assert asking.returncode == code
    os.close(ours)
    assert b"PutFunctionConcurrency" in shown
    assert reserved(demo) == (before if after is None else after)
    if after is None:
        assert out == b""
    else:
        assert json.loads(out)["result"] == "applied"
        assert process("undo", "--confirm", WORKER, **at).code == exit_codes.DONE


def _until(fd: int, words: bytes) -> bytes:
    seen = b""
    while words not in seen:
        ready, _, _ = select.select([fd], [], [], 30)
        assert ready, f"{words!r} did not appear in {seen!r}"
        seen += os.read(fd, 65536)
    return seen


HOSTILE = {
    "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_PROFILE": "production",
    "AWS_REGION": "eu-central-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "LAMBDATOP_ENDPOINT_URL": "http://127.0.0.1:9",
    "LAMBDATOP_PROFILE": "production",
}


def test_the_demo_heeds_nothing_of_the_users_aws_and_leaves_nothing_behind(
    process: Process, home: Path, tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    for seconds in ("3", "9", "27"):  # on a busy machine the first answers take longer
        ran = process("demo", "--headless", seconds, "--json", TMPDIR=str(temporary), **HOSTILE)
        assert ran.code == exit_codes.DONE, ran.err
        snapshot = json.loads(ran.out)
        if snapshot["targets"] and snapshot["functions"]:
            break
    (target,) = snapshot["targets"]
    assert target["account"] == "123456789012"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", target["endpoint"])
    assert target["notice"] == "DEMO \N{MULTIPLICATION SIGN}12"
    assert snapshot["functions"]
    assert "note: DEMO" in ran.err
    assert list(temporary.iterdir()) == []
    assert not (home / ".local").exists(), "no journal and no log of the user's"
