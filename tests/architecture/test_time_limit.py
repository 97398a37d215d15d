"""A test that does not end fails alone, says where it stood, and a run always ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

MOST_S = 100
"""Until a run is called endless; below the limit of this test itself."""
PLUGINS = ("pytest_timeout", "pytest_asyncio.plugin", "xdist", "fakes.time_limit", "no:cacheprovider")
PARALLEL = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")


def run(root: Path, directory: Path, bodies: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of `bodies`, then sixty that pass, with a limit of three seconds each."""
    (directory / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n", encoding="utf-8")
    (directory / "test_first.py").write_text(IMPORTS + bodies, encoding="utf-8")
    for name in ("second", "third", "fourth"):
        text = "".join(f"def test_{name}_{i}(): pass\n" for i in range(20))
        (directory / f"test_{name}.py").write_text(text, encoding="utf-8")
    plugins = [part for name in PLUGINS for part in ("-p", name)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--timeout=3", "-o", "timeout_grace=8", *args],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(root / "tests"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=MOST_S,
    )


IMPORTS = "import asyncio, os, threading\nimport pytest\n"
WAITING = """
async def the_other_side(never):
    await never.wait()

async def test_waits():
    threading.Thread(target=threading.Event().wait, name="beside", daemon=True).start()
    await asyncio.create_task(the_other_side(asyncio.Event()), name="the other task")
"""
SWALLOWING = """
async def busy():
    while True:
        await asyncio.sleep(0)

async def test_swallows():
    task = asyncio.create_task(busy())
    await asyncio.Event().wait()
"""
FAILING_THEN_HANGING = """
@pytest.fixture
def thing():
    yield
    threading.Event().wait()

def test_teardown(thing):
    assert 1 == 2
"""
STUCK = """
def test_stuck():
    sum(range(10**15))
"""
LINELESS = """
def place():
    raise ValueError("somewhere")

nowhere = bytes([0xF8] * (len(place.__code__.co_code) // 2))  # one entry "no location" for each instruction
place.__code__ = place.__code__.replace(co_linetable=nowhere)

def test_fails_somewhere():
    place()
"""
DYING = """
def test_dies():
    os._exit(9)
"""


def test_what_waits_for_ever_fails_alone_and_says_where(root: Path, tmp_path: Path) -> None:
    done = run(root, tmp_path, WAITING + SWALLOWING + FAILING_THEN_HANGING)
    # The signal may come between two steps of the task that swallows it: then nothing can cancel that task,
    # and the teardown of its test does not end either.
    assert re.search("3 failed, 60 passed, (1 error|2 errors) in", done.stdout), done.stdout
    for words in ("Timeout (>3 s)", "thread MainThread", "thread beside", "task the other task"):
        assert words in done.stdout
    assert "in the_other_side\n" in done.stdout
    assert "in Event.wait\n" in done.stdout, "what the innermost coroutine waits in"


def test_a_failure_at_no_line_ends_no_run(root: Path, tmp_path: Path) -> None:
    done = run(root, tmp_path, LINELESS)
    assert "1 failed, 60 passed" in done.stdout, done.stdout
    assert "ValueError: somewhere" in done.stdout


def test_what_no_signal_reaches_ends_the_process_with_its_stacks(root: Path, tmp_path: Path) -> None:
    done = run(root, tmp_path, STUCK)
    assert done.returncode == 1
    assert "Timeout (0:00:11)!" in done.stdout, done.stdout
    assert "in test_stuck\n" in done.stdout


def test_a_worker_that_died_ends_the_run_as_failed(root: Path, tmp_path: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    options = project["tool"]["pytest"]["ini_options"]["addopts"]
    restarts = [option for option in options if option.startswith("--max-worker-restart")]
    done = run(root, tmp_path, WAITING + DYING, *PARALLEL, *restarts)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert "crashed while running 'test_first.py::test_dies'" in done.stdout
    assert "in the_other_side\n" in done.stdout, "a worker's stacks are told too"
