"""Decide which lines continue a stack trace, by language. Pure; every pattern is linear.

Lines were cleaned, so a tab at their beginning has become four spaces. A line is judged by its own shape
and by the mode that the lines above it put the trace into.
"""

from __future__ import annotations

import re
from typing import Literal

Mode = Literal["", "python", "titled", "raised", "frames", "panic", "go", "source", "rust", "backtrace"]
"""What the lines so far are: no trace, a Python traceback, one below the headline that names its exception,
one whose exception was named at its end, frames of Node, Java, .NET or Ruby, a panic before its goroutines,
goroutines, Node's source excerpt, a Rust panic whose message comes in the next line, one with its message."""

_FRAME = re.compile(
    r" {1,16}(?:at \S|from \S{1,300}:\d{1,7}:in |--->? |\.\.\. \d{1,6} (?:more|common)|Suppressed: "
    r"|\d{1,4}: from )"
)
_CAUSE = re.compile(
    r"(?:Caused by: |Suppressed: |--- End of |--->|\.\.\. \d{1,6} more|Node\.js v\d|\}$|\}\)?,?$|\[cause\]: )"
)
_TRACEBACK = re.compile(r"[ +|]{0,16}(?:Exception Group )?Traceback \((?:most recent call last|innermost)\):")
_FILE = re.compile(r' {1,8}File "[^"\n]{1,300}", line \d')
_RAISED = re.compile(r"(?:[A-Za-z_]\w{0,80}\.)*+[A-Za-z_]\w{0,80}(?:: |:?$)|\S{1,200}\.rb:\d{1,7}:in ")
_CHAIN = ("During handling of the above exception", "The above exception was the direct cause")
_GOROUTINE = re.compile(r"goroutine \d{1,12} |runtime stack:|\[signal |goroutine running on other thread")
_PANIC = re.compile(r"(?:panic: |fatal error: |SIG[A-Z]{3,5}: |runtime: )")
_CALL = re.compile(r"[\w.*/$%~@()\[\]{}·-]{1,300}\([^()\n]{0,400}\)$|created by |exit status \d|\.\.\.")
_REGISTER = re.compile(r"r\w{1,5} {1,8}0x")
_SOURCE = re.compile(r"(?:file://)?/\S{1,300}\.[cm]?[jt]sx?:\d{1,7}$|undefined:\d{1,7}$")
_MARK = re.compile(r" {0,200}\^{1,200}$")
_NAMED = re.compile(r"(?:Uncaught )?[A-Za-z_$][\w$.]{0,80}(?: \[\w{1,60}\])?(?:: |$)")
_RUST = re.compile(r"thread '[^'\n]{1,80}'(?: \(\d{1,9}\))? panicked at ")
_RUST_MORE = re.compile(r"note: |stack backtrace:")


def begins(text: str) -> Mode:
    """Return the mode after a record's first line, which may hold a whole trace or begin amid one."""
    head = text[:400]
    if head[:1] == " ":
        return "frames" if _FRAME.match(head) else "python" if _FILE.match(head) else ""
    if _TRACEBACK.match(head):
        return "python" if "\n" not in text.rstrip("\n") else "raised"
    if "Traceback (most recent call last):" in text:
        return "raised"
    if "\n    at " in text or "\n   at " in text or "\n    from " in text:
        return "frames"
    if _GOROUTINE.match(head):
        return "go"
    if _PANIC.match(head):
        return "go" if "\ngoroutine " in text else "panic"
    if _RUST.match(head):
        return "rust" if "\n" not in text.rstrip("\n") else "backtrace"
    return "source" if _SOURCE.match(head) else ""


def goes_on(mode: Mode, text: str, length: int) -> Mode | None:
    """Return the mode after `text` when it belongs to the record above it; None when it begins its own.

    Args:
        mode: the mode of the record so far.
        text: the first line of the event.
        length: how many events the record holds so far.
    """
    if text[:1] == " ":
        return _indented(mode, text)
    if mode in ("python", "titled"):
        return _after_traceback(mode, text)
    if mode == "raised":
        return _after_raised(text)
    if mode == "frames":
        return "frames" if not text or _CAUSE.match(text) else None
    if mode in ("panic", "go"):
        return _after_panic(mode, text)
    if mode == "source":
        return _after_source(text, length)
    if mode in ("rust", "backtrace"):
        mine = mode == "rust" and not _RUST.match(text)
        return "backtrace" if mine or _RUST_MORE.match(text) else None
    return None


def _indented(mode: Mode, text: str) -> Mode | None:
    """Return the mode for an indented line.

    Within a trace any belongs to it, outside only what looks like a frame.
    """
    if mode == "raised":
        if _TRACEBACK.match(text):
            return "python"
        return "raised" if _MARK.match(text) or text.lstrip()[:1] in ("|", "+") else None
    if mode == "panic":
        return "panic"
    if mode == "source":
        return "frames" if _FRAME.match(text) else "source"
    if mode:
        return mode
    return "frames" if _FRAME.match(text) else None


def _after_traceback(mode: Mode, text: str) -> Mode | None:
    if not text:
        return mode
    if _TRACEBACK.match(text) or text.startswith(_CHAIN):
        return "python"
    return "raised" if mode == "python" and _RAISED.match(text) else None


def _after_raised(text: str) -> Mode | None:
    """Return the mode for a chained exception: an empty line, the phrase, an empty line, a traceback."""
    if not text:
        return "raised"
    return "python" if text.startswith(_CHAIN) else None


def _after_panic(mode: Mode, text: str) -> Mode | None:
    if not text:
        return mode
    if _GOROUTINE.match(text):
        return "go"
    if mode == "go" and (_CALL.match(text) or _REGISTER.match(text)):
        return "go"
    return mode if _PANIC.match(text) else None


def _after_source(text: str, length: int) -> Mode | None:
    """Return the mode for Node's form: `file:line`, the code, a caret, an empty line, the error."""
    if length == 1 or not text or _MARK.match(text):
        return "source"
    return "frames" if length <= 4 and _NAMED.match(text) else None
