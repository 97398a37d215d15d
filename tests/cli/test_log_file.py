"""The log file is opened as the journal is, is bounded, and quotes no answer."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.parsers import ResponseParserError

from lambdatop.cli import log_file
from lambdatop.cli.log_file import close_log, open_log

SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYzzzz"
BODY = f"Unable to parse response, invalid XML received:\nb'<Odd>{SECRET}</Odd>'"


@pytest.fixture
def quiet() -> Iterator[None]:
    raising, level = logging.raiseExceptions, logging.getLogger().level
    yield
    logging.raiseExceptions = raising
    logging.getLogger().setLevel(level)


def written(file: Path, *tell: Callable[[], None]) -> str:
    handler = open_log(file, debug=False)
    for one in tell:
        one()
    close_log(handler)
    return file.read_text() if file.is_file() else ""


def warn() -> None:
    logging.getLogger("lambdatop.x").warning("a line")


def test_directories_and_file_are_private_whatever_the_umask(quiet: None, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        file = tmp_path / "a/b/lambdatop.log"
        assert "a line" in written(file, warn)
    finally:
        os.umask(before)
    for path, mode in ((tmp_path / "a", 0o700), (file.parent, 0o700), (file, 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize(
    "kind", ["fifo", "hard link", "symlink", "directory", "open to others", "open directory"]
)
def test_what_is_no_file_of_ours_alone_is_left_alone(
    kind: str, quiet: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, other = tmp_path / "state", tmp_path / "other"
    state.mkdir(mode=0o700)
    other.write_text("mine\n")
    other.chmod(0o644)
    file = state / "lambdatop.log"
    if kind == "fifo":
        os.mkfifo(file)
    elif kind == "hard link":
        os.link(other, file)
    elif kind == "symlink":
        file.symlink_to(other)
    elif kind == "directory":
        file.mkdir()
    elif kind == "open to others":
        file.write_text("")
        file.chmod(0o666)
    else:
        state.chmod(0o777)
    written(state / "lambdatop.log", warn) if kind != "directory" else open_log(file, debug=False)
    assert "no log is written" in capsys.readouterr().err
    assert other.read_text() == "mine\n"
    assert stat.S_IMODE(other.stat().st_mode) == 0o644


def test_it_is_bounded_and_says_when_lines_are_missing(
    quiet: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(log_file, "MAX_BYTES", 4000)
    file = tmp_path / "s/lambdatop.log"
    written(file, *([warn] * 1000))
    assert sum(f.stat().st_size for f in file.parent.iterdir()) <= 3 * 4000
    assert capsys.readouterr().err == ""
    for old in file.parent.glob("*.log.*"):
        old.unlink()
    (file.parent / "lambdatop.log.1").mkdir()
    ((file.parent / "lambdatop.log.1") / "x").touch()
    written(file, *([warn] * 1000))
    assert file.stat().st_size <= 4000
    assert "lines are missing in the log" in capsys.readouterr().err


def test_no_line_quotes_an_answer(quiet: None, tmp_path: Path) -> None:
    def chain() -> None:
        try:
            try:
                raise ResponseParserError(BODY)
            except ResponseParserError as error:
                raise RuntimeError(f"again {BODY}") from error
        except RuntimeError:
            logging.getLogger("botocore.credentials").warning(
                "Refreshing failed during %s", "x", exc_info=True
            )

    def argument() -> None:
        logging.getLogger("aiobotocore.x").warning("it failed: %s", ResponseParserError(BODY))
        logging.getLogger("asyncio").error(
            "Task failed\nfuture: <Task exception=%r>", ResponseParserError(BODY)
        )
        logging.getLogger("lambdatop.x").warning("got <SecretAccessKey>%s\x1b[31m", SECRET)

    def group() -> None:
        logging.getLogger("lambdatop.x").error("g", exc_info=ExceptionGroup("g", [ResponseParserError(BODY)]))

    text = written(tmp_path / "s/lambdatop.log", chain, argument, group)
    assert SECRET not in text
    assert "\x1b" not in text
    assert "Refreshing failed during x" in text
    assert text.count("ResponseParserError") == 4
    assert "RuntimeError" in text
    assert "test_log_file.py" in text
