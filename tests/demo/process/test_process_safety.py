"""Nothing of the demo outlives the console, and nothing of the user's environment reaches the demo."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from demo.clients import Aws, wait_for

from lambdatop.demo.process.launch import DemoUnavailable, start

pytestmark = pytest.mark.wire

# The console's part: start a demo, say where it is, and wait.
CONSOLE = """
import json, sys, time
from lambdatop.demo.process.launch import start
demo = start("poison-queue", compression=12)
print(json.dumps({"directory": demo.directory, "pid": demo.pid, "url": demo.endpoint_url}), flush=True)
time.sleep(600)
"""


PYTHON3 = Path(sys.executable).with_name("python3")


def _processes(marker: str) -> list[str]:
    """Return the command lines and environments of processes that mention the marker."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            known = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if marker.encode() in known:
            found.append(known.replace(b"\0", b" ").decode(errors="replace")[:200])
    return found


def _console() -> tuple[subprocess.Popen[bytes], dict[str, str]]:
    console = subprocess.Popen([sys.executable, "-c", CONSOLE], stdout=subprocess.PIPE)
    assert console.stdout is not None
    return console, json.loads(console.stdout.readline())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("victim", "number", "cleaned"),
    [
        ("console", signal.SIGKILL, True),
        ("console", signal.SIGTERM, True),
        ("supervisor", signal.SIGTERM, True),
        # Nobody is left to clean up then; Demo.stop does it, if the console lives.
        ("supervisor", signal.SIGKILL, False),
    ],
)
def test_after_a_kill_no_process_and_no_file_is_left(
    victim: str, number: signal.Signals, cleaned: bool
) -> None:
    console, demo = _console()
    marker = demo["directory"]
    try:
        # The server and at least a few workers carry the directory in their environment.
        wait_for(lambda: len(_processes(marker)) >= 5)
        os.kill(console.pid if victim == "console" else int(demo["pid"]), number)
        wait_for(lambda: not _processes(marker))
        if cleaned:
            wait_for(lambda: not Path(marker).exists())
    finally:
        console.kill()
        console.wait()
        assert console.stdout is not None
        console.stdout.close()
        shutil.rmtree(marker, ignore_errors=True)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_functions_own_daemon_does_not_escape() -> None:
    code = (
        "import subprocess, sys\n"
        "def handler(event, context):\n"
        "    sleep = 'import time; time.sleep(600)'\n"
        "    subprocess.Popen([sys.executable, '-c', sleep], start_new_session=True)\n"
    )
    demo = start(deploy=False)
    aws = Aws(demo)
    try:
        aws.invoke(aws.function("daemon", code))
        # The kernel lets the parent go on before it shows the command line of what was started.
        wait_for(lambda: any("time.sleep(600)" in process for process in _processes(demo.directory)))
    finally:
        aws.close()
        demo.stop()
    assert _processes(demo.directory) == []
    assert not Path(demo.directory).exists()
    demo.stop()


def test_ctrl_c_in_the_terminal_does_not_reach_the_demo(aws: Aws) -> None:
    assert os.getsid(int(aws.demo.pid)) != os.getsid(0)
    assert os.getpgid(int(aws.demo.pid)) != os.getpgid(0)


def test_the_users_environment_has_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_PROFILE": "production",
        "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL",
        "AWS_REGION": "eu-central-1",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
        "GATEWAY_PORT": "9",
        "LAMBDATOP_CANARY": "chirp",
    }
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    code = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"
    with start(deploy=False) as demo:
        assert demo.ledger()["account"] == demo.account
        for name in hostile:
            monkeypatch.delenv(name)  # The test's own client is not the subject.
        aws = Aws(demo)
        seen = json.loads(aws.invoke(aws.function("env", code))["Payload"].read())
        aws.close()
    assert not {name: seen[name] for name in hostile if seen.get(name) == hostile[name]}
    assert seen["AWS_ENDPOINT_URL"] == demo.endpoint_url
    assert seen["HOME"] == seen["TMPDIR"] == demo.directory


def test_a_python_without_the_emulator_is_one_clear_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LAMBDATOP_DEMO_PYTHON", str(tmp_path / "no-python"))
    with pytest.raises(DemoUnavailable, match="cannot be started"):
        start(deploy=False)
    monkeypatch.delenv("LAMBDATOP_DEMO_PYTHON")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DemoUnavailable, match=r"pip install 'lambdatop\[demo\]'"):
        start(deploy=False)


@pytest.mark.skipif(not PYTHON3.exists(), reason="this interpreter has no second name")
def test_the_server_may_run_in_another_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDATOP_DEMO_PYTHON", str(PYTHON3))
    # The console's own Python has no emulator.
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with start(deploy=False) as demo:
        assert demo.ledger()["functions"] == {}
        assert str(PYTHON3) in Path(f"/proc/{demo.pid}/cmdline").read_text().split("\0")


def test_a_compression_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDATOP_DEMO_COMPRESSION", "fast")
    with pytest.raises(ValueError, match="LAMBDATOP_DEMO_COMPRESSION must be a whole number"):
        start("calm")


def test_a_server_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdatop.demo.process.launch.REGION", "")
    monkeypatch.setattr("lambdatop.demo.process.launch.ACCOUNT", "--bogus")
    with pytest.raises(DemoUnavailable, match=r"failed: .*expected one argument"):
        start(deploy=False)
