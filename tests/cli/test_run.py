"""Whatever happens, a person gets a sentence and a program gets an exit code."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.command_line import Cli, Process

from lambdatop.cli import exit_codes, log_file
from lambdatop.cli.commands import policy
from lambdatop.domain.errors import TargetNotFound


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> str:
        raise ZeroDivisionError("secret detail of a local variable")

    monkeypatch.setattr(policy, "printed_policy", fail)


@pytest.mark.usefixtures("broken")
def test_an_unexpected_error_is_one_sentence(cli: Cli) -> None:
    ran = cli("policy", "read-only")
    assert (ran.code, ran.out) == (exit_codes.FAILED, "")
    assert (
        ran.err
        == "lambdatop: something unexpected happened (ZeroDivisionError); run with --debug to see where\n"
    )


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("how", ["flag", "variable"])
def test_debug_shows_where(cli: Cli, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "variable":
        monkeypatch.setenv("LAMBDATOP_DEBUG", "1")
    ran = cli("policy", "read-only", *(["--debug"] if how == "flag" else []))
    assert ran.code == exit_codes.FAILED
    assert "Traceback" in ran.err
    assert "ZeroDivisionError" in ran.err


def test_candidates_of_an_ambiguous_name_are_listed(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> str:
        raise TargetNotFound("Two things are called orders.", ("arn:one", "arn:\x1b]52;c;x\x07two"))

    monkeypatch.setattr(policy, "printed_policy", fail)
    ran = cli("policy", "read-only")
    assert ran.code == exit_codes.USAGE
    assert ran.err.splitlines()[:2] == ["lambdatop: Two things are called orders.", "lambdatop:   arn:one"]
    assert "\x1b" not in ran.err


def test_ctrl_c_is_130_without_a_word(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(name: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(policy, "printed_policy", interrupt)
    assert cli("policy", "read-only") == type(cli("--version"))(exit_codes.INTERRUPTED, "", "")


def test_a_broken_pipe_is_no_error(home: Path) -> None:
    for argv in (["policy", "read-only"], ["--help"], ["config", "show"]):
        read, write = os.pipe()
        os.close(read)
        ran = subprocess.run(
            [sys.executable, "-m", "lambdatop", *argv], stdout=write, stderr=subprocess.PIPE, text=True
        )
        os.close(write)
        assert ran.returncode == exit_codes.DONE, argv
        assert "BrokenPipe" not in ran.stderr
        assert "Traceback" not in ran.stderr


def test_data_is_utf8_in_any_locale(process: Process, home: Path) -> None:
    file = home / "c.yaml"
    file.write_text("profile: größe\n", encoding="utf-8")
    file.chmod(0o600)
    ran = process("config", "show", "-c", str(file), PYTHONIOENCODING="latin-1")
    assert "größe" in ran.out


@pytest.mark.parametrize(
    ("argv", "variables", "code", "words"),
    [
        (("snapshot",), {}, exit_codes.USAGE, "--region"),
        (("snapshot", "-r", "eu-central-1"), {}, exit_codes.FAILED, "credentials"),
        (("snapshot", "-p", "nobody", "-r", "eu-central-1"), {}, exit_codes.USAGE, "nobody"),
        (("plan", "throttle_to_zero", "f", "-r", "eu-central-1"), {}, exit_codes.FAILED, "credentials"),
        (
            ("snapshot", "--json", "-r", "eu-central-1", "--endpoint-url", "http://127.0.0.1:1"),
            {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"},
            exit_codes.FAILED,
            "cannot be reached",
        ),
    ],
)
def test_what_keeps_it_from_aws_is_one_sentence(
    process: Process, argv: tuple[str, ...], variables: dict[str, str], code: int, words: str
) -> None:
    ran = process(*argv, **variables)
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert len(ran.err.splitlines()) == 1
    assert "Traceback" not in ran.err


def test_the_own_log_is_private_and_quiet_about_the_sdk(tmp_path: Path) -> None:
    file = tmp_path / "state" / "lambdatop.log"
    former = os.umask(0)
    try:
        handler = log_file.open_log(file, debug=True)
    finally:
        os.umask(former)
    try:
        logging.getLogger("lambdatop.engine").info("connected")
        logging.getLogger("botocore.endpoint").debug("body with a token")
        logging.getLogger("botocore.endpoint").info("info with a token")
        logging.getLogger("botocore.endpoint").warning("slow")
    finally:
        log_file.close_log(handler)
    text = file.read_text()
    assert "connected" in text
    assert "slow" in text
    assert "token" not in text
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_log_that_cannot_be_written_is_said_once_and_costs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = tmp_path / "lambdatop.log"
    link.symlink_to(tmp_path / "elsewhere")
    log_file.close_log(log_file.open_log(link, debug=False))
    assert "no log is written" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()
