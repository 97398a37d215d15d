"""The only door to stdout and stderr: data on one, words on the other."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterable
from typing import Any

from lambdatop.domain.errors import UsageError
from lambdatop.domain.text import clean

_ONE_LINE = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def data(text: str) -> None:
    """Write data to stdout, with one line feed at its end."""
    _utf8()
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def document(value: Any) -> None:
    """Write one JSON document to stdout: UTF-8, keys in the order they were made."""
    data(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def lines(texts: Iterable[str]) -> None:
    """Write many lines of data to stdout at once."""
    _utf8()
    sys.stdout.write("".join([f"{text}\n" for text in texts]))
    sys.stdout.flush()


def json_line(value: Any) -> str:
    """One JSON document on one line."""
    return _ONE_LINE(value)


def say(sentence: str) -> None:
    """Say something to the person, on stderr; foreign text in it is made harmless."""
    _to_stderr("".join([f"lambdatop: {line}\n" for line in clean(sentence).split("\n")]))


def words(text: str) -> None:
    """Show a longer text to the person, on stderr; foreign text in it is made harmless."""
    _to_stderr(clean(text) + "\n")


def _to_stderr(text: str) -> None:
    """A person who has left (a closed terminal, a closed stderr) cannot be told; work goes on."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        return


def ask(question: str) -> str | None:
    """Ask on the terminal; None when nobody sits there, or the input ended."""
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        return None
    sys.stderr.write(clean(question))
    sys.stderr.flush()
    answer = sys.stdin.readline()
    return answer.rstrip("\n") if answer else None


def flush() -> None:
    """Push out what is buffered, so that a broken pipe shows here and not at interpreter exit.

    Raises:
        BrokenPipeError: nobody reads any more.
    """
    if sys.stdout is not None:  # closed by `>&-`
        sys.stdout.flush()


def abandon_stdout() -> None:
    """Nobody reads stdout any more: send the rest, and the flush at exit, nowhere."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)


def _utf8() -> None:
    """Data is UTF-8 whatever the locale says; a terminal gets what it can show."""
    if sys.stdout is None:
        raise UsageError("stdout is closed, so there is nowhere to print to")
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() != "utf-8":
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="replace")
        else:
            sys.stdout.reconfigure(encoding="utf-8")
