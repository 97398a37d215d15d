"""Render the report of `lambdatop doctor` as text for a terminal and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from lambdatop import __version__
from lambdatop.domain.diagnosis import Report, Verdict
from lambdatop.domain.units import plural
from lambdatop.report.text import numbers

MARKS: dict[Verdict, str] = {"ok": "ok", "warn": "warn", "fail": "FAIL", "unknown": "?"}
_COLOURS: dict[Verdict, str] = {"ok": "32", "warn": "33", "fail": "1;31", "unknown": "36"}
_INDENT = 8
WIDEST = 110


def report_text(report: Report, *, width: int, colour: bool) -> str:
    """Return groups with a title each; what to do stands below its line.

    Lines stay within `width`.
    """
    return "\n".join(_lines(report, max(40, min(width, WIDEST)), colour))


def _lines(report: Report, width: int, colour: bool) -> Iterator[str]:
    names = max((len(check.name) for check in report.checks), default=0)
    for number, (group, checks) in enumerate(report.grouped()):
        if number:
            yield ""
        yield _painted(group.upper(), "1", colour)
        for check, following in zip(checks, (*checks[1:], None), strict=True):
            mark = _painted(f"{MARKS[check.state]:<4}", _COLOURS[check.state], colour)
            column = _INDENT + names + 2
            first, *more = _folded(check.detail, width - column)
            yield f"  {mark}  {check.name:<{names}}  {first}".rstrip()
            yield from (f"{'':{column}}{line}" for line in more)
            # What is to be done about several lines is said once, below the last of them.
            if check.do and (following is None or following.do != check.do):
                yield from (f"{'':{_INDENT}}{line}" for line in _folded(f"-> {check.do}", width - _INDENT))
    yield ""
    yield _summary(report)


def _folded(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(20, width), break_on_hyphens=False) or [""]


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def _summary(report: Report) -> str:
    counts = {state: sum(c.state == state for c in report.checks) for state in MARKS}
    warnings = plural(counts["warn"], "warning")
    words: dict[Verdict, str] = {
        "fail": "failed",
        "warn": warnings.partition(" ")[2],
        "unknown": "not known",
        "ok": "ok",
    }
    return ", ".join(f"{counts[state]} {word}" for state, word in words.items() if counts[state])


def report_json(report: Report) -> dict[str, Any]:
    """Return the document `lambdatop.doctor/1`."""
    return {
        "schema": "lambdatop.doctor/1",
        "at": numbers.moment_ms(report.at),
        "version": __version__,
        "checks": [
            {"group": c.group, "name": c.name, "state": c.state, "detail": c.detail, "do": c.do}
            for _, checks in report.grouped()
            for c in checks
        ],
        "permissions": dict(report.permissions),
    }
