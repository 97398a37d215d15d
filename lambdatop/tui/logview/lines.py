"""Make display lines of a log. Pure."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len, get_character_cell_size

from lambdatop.domain.loglines.line import Report
from lambdatop.domain.loglines.redact import redact, suspicious
from lambdatop.domain.search.patterns import Pattern
from lambdatop.report.text.numbers import moment_ms
from lambdatop.tui.logview.feed import GAP, Fresh
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import MATCH, Span, Spans, fit, spans

FULL_STAMP_FROM = 100

LEVELS = {
    "trace": ("trace", "log_debug"),
    "debug": ("debug", "log_debug"),
    "info": ("info", "log_info"),
    "warn": ("WARN", "log_warn"),
    "error": ("ERROR", "log_error"),
    "fatal": ("FATAL", "log_error"),
    GAP: ("gap", "warning"),
}
PLATFORM = ("start", "end", "report", "init")
BAD = ("error", "timeout", "fatal")

_STAMP = r"\d{4}-\d\d-\d\dT[\d:.]{8,15}Z"
_RID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_HEAD = re.compile(rf"(START|END) RequestId: ({_RID})")
_PREFIX = re.compile(
    rf"\[[A-Z]{{4,8}}\]\s+{_STAMP}\s+(?P<a>{_RID})\s+|{_STAMP}\s+(?P<b>{_RID})\s+[A-Z]{{4,5}}\s+"
)
"""What Python's (`[INFO] time id`) and Node's (`time id INFO`) runtimes put before a message."""


class Shown:
    """One display line: line `part` of the event `seq`. Secrets in `text` are hidden; `raw` has them.

    `owner` is the function that wrote it, where several are shown. Of the event only what is drawn is
    kept, because a hundred thousand of these stay in memory.
    """

    __slots__ = ("at", "bad", "kind", "level", "owner", "part", "raw", "report", "request_id", "seq", "text")

    def __init__(self, fresh: Fresh, text: str, part: int, raw: str | None) -> None:
        line, self.seq, self.owner = fresh
        self.part = part
        self.at = line.at
        self.level = line.level
        self.kind = line.kind
        # Whether the event tells of a failure.
        self.bad = line.level in BAD or line.kind in BAD or bool(line.signature)
        self.text = text
        self.raw = raw
        self.report = line.report
        self.request_id = sys.intern(line.request_id)

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in order of arrival."""
        return self.seq, self.part


def display_lines(fresh: Fresh) -> Sequence[Shown]:
    """Return the display lines of one event."""
    whole = fresh.line.text.rstrip("\n")
    hidden, found = redact(whole)
    if "\n" not in hidden:
        return (Shown(fresh, hidden, 0, whole if found else None),)
    raw = whole.split("\n") if found else []
    texts = hidden.split("\n")
    return [
        Shown(fresh, text, i, raw[i] if found and raw[i] != text else None) for i, text in enumerate(texts)
    ]


def render(
    shown: Shown, width: int, *, stamps: bool = True, revealed: bool = False, label: str = ""
) -> Spans:
    """Return one display line: time, function, level, short request id, text.

    Continuations are indented. The time and the whole request id that Lambda's runtimes put before a message
    are left out: the line begins with the event's own time, and eight digits tell requests apart.
    """
    stamp = _stamp(shown.at, width) if stamps else ""
    whose = f"{label} " if label else ""
    word, slot = LEVELS.get(shown.level, ("", "log_info"))
    platform = shown.kind in PLATFORM
    if platform and not shown.level:
        word, slot = shown.kind, "log_platform"
    text = shown.raw if revealed and shown.raw is not None else shown.text
    if shown.part:
        return spans(" " * (len(stamp) + len(whose) + 7), (text, "log_info" if shown.level else slot))
    body = "log_platform" if platform else slot
    if shown.report:
        rid, text = f"{shown.request_id[:8]} ", _report(shown.report, text)
    else:
        rid, text = _without_prefix(text)
    return spans((stamp, "faint"), (whose, "muted"), (f"{word:<6} ", slot), (rid, "faint"), (text, body))


def _stamp(at: float, width: int) -> str:
    return (fmt.clock_ms(at) if width >= FULL_STAMP_FROM else fmt.clock(at)) + " "


def _report(r: Report, text: str) -> str:
    """Return the numbers of a REPORT line in few words."""
    if r.duration_ms is None:
        return text
    words = [f"REPORT  {fmt.millis(r.duration_ms)} ms", f"billed {fmt.millis(r.billed_ms)} ms"]
    words.append(f"memory {fmt.number(r.max_memory_mb)} of {fmt.number(r.memory_mb)} MB")
    words.append(f"init {fmt.millis(r.init_ms)} ms" if r.init_ms is not None else "")
    words += [r.status, r.error_type]
    return "  ".join(w for w in words if w)


def _without_prefix(text: str) -> tuple[str, str]:
    match = _PREFIX.match(text)
    if match is not None:
        rid = match.group("a") or match.group("b")
        return f"{rid[:8]} ", text[match.end() :]
    match = _HEAD.match(text)
    if match is not None:
        return f"{match.group(2)[:8]} ", match.group(1) + text[match.end() :]
    return "", text


def indent_of(width: int, *, stamps: bool, label: str = "") -> int:
    """Return the column where texts begin: behind time, name and level."""
    return (len(_stamp(0.0, width)) if stamps else 0) + (len(label) + 1 if label else 0) + 7


def marked(pieces: Spans, pattern: Pattern) -> Spans:
    """Return the pieces with all matches of the pattern marked; time and level are not searched."""
    made: list[Span] = []
    for piece in pieces:
        found = [] if piece.slot == "faint" or not piece.text.strip() else pattern.spans(piece.text)
        at = 0
        for begin, end in found:
            made += [Span(piece.text[at:begin], piece.slot), Span(piece.text[begin:end], MATCH)]
            at = end
        made.append(Span(piece.text[at:], piece.slot))
    return tuple(p for p in made if p.text)


def wrapped(pieces: Spans, width: int, most: int, indent: int = 0) -> list[Spans]:
    """Return pieces on lines of `width` cells, at most `most` of them; the last then ends with an ellipsis.

    Lines after the first are indented, where there is room to.
    """
    if indent > width // 3:
        indent = 0
    margin = [Span(" " * indent)] if indent else []
    rows: list[Spans] = []
    row: list[Span] = []
    left = width
    for text, slot, _ in pieces:
        while text:
            took = _head(text, left, alone=left >= width - indent)
            if took:
                row.append(Span(took, slot))
                text = text[len(took) :]
                left -= cell_len(took)
            if text:
                rows.append(tuple(row))
                row, left = [*margin], width - indent
    rows.append(tuple(row))
    if len(rows) > most:
        return [*rows[: most - 1], fit((*rows[most - 1], Span("…")), width)]
    return rows


def _head(text: str, room: int, *, alone: bool) -> str:
    """Return as much of the text as `room` cells hold; on a line of its own at least one character."""
    if room <= 0:
        return ""
    if text.isascii():
        return text[:room]
    used = 0
    for i, c in enumerate(text):
        used += get_character_cell_size(c)
        if used > room:
            return text[: i or int(alone)]
    return text


def copies(lines: Sequence[Shown], revealed: Shown | None) -> tuple[tuple[str, str], ...]:
    """Return what may be copied, with a label each; more than one when somebody has to choose.

    Hidden secrets stay hidden. What is revealed, or looks like a secret, is only copied after a question.
    """
    hidden = "\n".join(s.text for s in lines)
    shown = "\n".join(s.raw if s is revealed and s.raw is not None else s.text for s in lines)
    if shown == hidden and not suspicious(hidden):
        return (("copy", hidden),)
    options = [("do not copy", "")]
    if shown != hidden:
        options.append(("copy it with its secrets hidden", hidden))
    return (*options, ("copy it as it stands on the screen", shown))


def file_lines(lines: Iterable[Shown]) -> Iterator[str]:
    """Yield lines for a file: time, function, level, text, with secrets masked.

    Continuations are indented.
    """
    for shown in lines:
        at = moment_ms(shown.at)
        whose = f"{shown.owner} " if shown.owner else ""
        yield f"{'':24}        {shown.text}" if shown.part else f"{at} {whose}{shown.level:<6} {shown.text}"
