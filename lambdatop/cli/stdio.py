"""Write to stdout (data) and stderr (messages); nothing else does."""

from __future__ import annotations

import fcntl
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from lambdatop.domain.errors import LambdatopError, UsageError
from lambdatop.domain.sanitize import clean

_ONE_LINE = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


class NotPrinted(LambdatopError):
    """Stdout takes no data; what the command did apart from printing is done."""


def refuse_closed_stdout() -> None:
    """Stop before anything is done whose result could not be printed.

    Raises:
        UsageError: stdout is closed (`>&-`), or open for reading only.
    """
    if sys.stdout is None:
        raise UsageError("stdout is closed, so there is nowhere to print to; nothing was done")
    with suppress(OSError):  # a stand-in for stdout has no descriptor
        if fcntl.fcntl(sys.stdout.fileno(), fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise UsageError("stdout cannot be written to: it is open for reading only; nothing was done")


def occupy_standard_descriptors() -> None:
    """Open nothing in place of closed standard descriptors, so that no file of ours gets their numbers."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def data(text: str) -> None:
    """Write data to stdout, with one line feed at its end; a reader that has gone is not an error.

    Raises:
        NotPrinted: stdout takes no data.
    """
    with suppress(BrokenPipeError):
        _write(text if text.endswith("\n") else f"{text}\n")


def document(value: Any) -> None:
    """Write one JSON document to stdout: UTF-8, keys in the order they were made; raises NotPrinted."""
    data(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def lines(texts: Iterable[str]) -> None:
    """Write many lines of data to stdout at once.

    Raises:
        BrokenPipeError: nobody reads any more.
        NotPrinted: stdout takes no data.
    """
    _write("".join([f"{text}\n" for text in texts]))


@contextmanager
def keeping(code: int) -> Iterator[None]:
    """Keep the exit code of a command when a print within fails, unless that code means success."""
    try:
        yield
    except NotPrinted as error:
        if code == 0:
            raise
        message(str(error))


def json_line_with(value: dict[str, Any], name: str, foreign: str | None) -> str:
    """Return one JSON document on one line, with a text that was not cleaned: only ASCII stands in it."""
    return f'{_ONE_LINE(value)[:-1]}, "{name}": {json.dumps(foreign)}}}'


def message(sentence: str) -> None:
    """Print a message for the person on stderr; foreign text in it is cleaned."""
    _to_stderr("".join([f"lambdatop: {line}\n" for line in clean(sentence).split("\n")]))


def words(text: str) -> None:
    """Show a longer text to the person, on stderr; foreign text in it is made harmless."""
    _to_stderr(clean(text) + "\n")


def _to_stderr(text: str) -> None:
    """Write to stderr; ignore a closed terminal or a closed or full stderr, so that work goes on."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _abandon(sys.stderr)


def ask(question: str) -> str | None:
    """Ask on the terminal; None when nobody sits there, or the input ended."""
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        return None
    sys.stderr.write(clean(question))
    sys.stderr.flush()
    answer = sys.stdin.readline()
    return answer.rstrip("\n") if answer else None


def flush() -> None:
    """Push out what is buffered, so that trouble with stdout shows here and not at interpreter exit.

    Raises:
        NotPrinted: stdout takes no data.
    """
    if sys.stdout is not None:  # closed by `>&-`
        with suppress(BrokenPipeError):
            _write("")


def _write(text: str) -> None:
    _utf8()
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # The rest, and the flush at exit, go nowhere: at exit Python would end with 120.
        _abandon(sys.stdout)
        if isinstance(error, BrokenPipeError):
            raise
        raise NotPrinted(f"stdout cannot be written: {error.strerror or type(error).__name__}") from error


def _abandon(stream: TextIO) -> None:
    with suppress(OSError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, stream.fileno())
        os.close(devnull)


def _utf8() -> None:
    """Write data as UTF-8 whatever the locale; a terminal gets what it can show."""
    if sys.stdout is None:
        raise NotPrinted("stdout is closed, so there is nowhere to print to")
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() != "utf-8":
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="replace")
        else:
            sys.stdout.reconfigure(encoding="utf-8")
