from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.command_line import Cli, Process, Ran
from fakes.warm_start import Waited, fits

from lambdatop.cli import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a new home directory and nothing of AWS or lambdatop in the environment."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "LAMBDATOP_", "XDG_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def cli(home: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run the command line in this process."""

    def _cli(*args: str) -> Ran:
        code = main(args)
        streams = capsys.readouterr()
        return Ran(code, streams.out, streams.err)

    return _cli


@pytest.fixture
def process(home: Path) -> Process:
    """Run the real command line in a process of its own."""

    def _process(*args: str, stdin: str = "", **variables: str) -> Ran:
        environ = {**os.environ, **variables}
        if fits(environ) and "demo" not in args:  # the demo starts processes and the console's modules
            warm = Waited(args, environ, stdin=stdin)
            out, err = warm.communicate(60)
            assert warm.returncode is not None
            return Ran(warm.returncode, out, err)
        done = subprocess.run(
            [sys.executable, "-m", "lambdatop", *args],
            cwd=ROOT,
            env=environ,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return _process


@pytest.fixture
def config(home: Path) -> Callable[[str], Path]:
    """Write the user's configuration."""

    def _config(text: str) -> Path:
        file = home / ".config/lambdatop/config.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        return file

    return _config
