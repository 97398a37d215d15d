"""The only door to stdout and stderr: data on one, words on the other."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterable
from typing import Any

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
    for line in clean(sentence).split("\n"):
        sys.stderr.write(f"lambdatop: {line}\n")
    sys.stderr.flush()


def words(text: str) -> None:
    """Show a longer text to the person, on stderr; foreign text in it is made harmless."""
    sys.stderr.write(clean(text) + "\n")
    sys.stderr.flush()


def ask(question: str) -> str | None:
    """Ask on the terminal; None when nobody sits there, or the input ended."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
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
    sys.stdout.flush()


def abandon_stdout() -> None:
    """Nobody reads stdout any more: send the rest, and the flush at exit, nowhere."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)


def _utf8() -> None:
    """Data is UTF-8 whatever the locale says; a terminal gets what it can show."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() != "utf-8":
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="replace")
        else:
            sys.stdout.reconfigure(encoding="utf-8")
