"""Group errors by kind: equal once numbers, ids, names and places are left out. Pure.

`fingerprint` is linear: the text is capped, its pattern has no nested quantifier that could give back what
it took (every inner repetition is possessive or bounded), and each alternative begins at the start of a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf

from msgspec import Struct

from lambdatop.domain.loglines.headline import headline
from lambdatop.domain.loglines.records import Record
from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.sanitize import clean_line

MOST = 2048
"""Characters of a text that are looked at."""
LENGTH = 240
"""Characters of a fingerprint."""

_TOKENS = re.compile(
    r"""
    (?P<uuid>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)
  | (?P<time>\b\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9}+)?)?(?:Z|[ ]?[+-]\d\d:?\d\d)?)?
        |\b\d\d:\d\d:\d\d(?:[.,]\d{1,9}+)?)
  | (?P<arn>\barn:aws[\w-]{0,12}:[^\s"'`<>(){}\[\],;]++)
  | (?P<addr>\b0x[0-9a-f]{1,32}+\b)
  | (?P<email>(?<![\w.+-])[\w.+-]{1,64}+@[\w-]{1,63}+(?:\.[\w-]{1,63}+)++)
  | (?P<ip>(?<![\w.])\d{1,3}+(?:\.\d{1,3}+){3}(?::\d{1,5}+|/\d{1,2}+)?(?!\w)
        |(?<![\w:.])(?=[0-9a-f:.]{0,40}\d)(?:[0-9a-f]{1,4}+)?(?::{1,2}[0-9a-f]{1,4}+){2,7}+(?!\w)
        |(?<![\w:.])::1(?!\w))
  | (?P<quoted>(?<!\w)(?:"[^"\n]*+"|'[^'\n]*+'(?!\w)|`[^`'\n]*+[`'])|“[^”\n]{0,200}+”)
  | (?P<path>(?<![\w/.])(?:[a-z]:)?(?:/[\w.@%+=~,\#$*-]++)++/?
        |(?<=[a-z]:)//[\w.@%:-]++(?:/[\w.@%+=~,\#$*-]++)*+)
  | (?P<hex>\b(?=[a-f]{0,31}\d)[0-9a-f]{8,}+\b)
  | (?P<token>\b(?=[a-z_]{0,63}\d)\w{20,}+\b)
  | (?P<number>\d++(?:[.,]\d++)*+)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NAMES = {
    "uuid": "<id>",
    "hex": "<id>",
    "token": "<id>",
    "time": "<time>",
    "arn": "<arn>",
    "addr": "<addr>",
    "email": "<email>",
    "ip": "<ip>",
    "quoted": "<str>",
    "number": "#",
}
_NUMBER = re.compile(r"\d++")
_SEGMENT_ID = re.compile(r"[0-9a-f-]{8,}+$", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_TEMPORARY = ("", "tmp")
_PLATFORM = ("report", "end")


class ErrorKind(Struct, frozen=True):
    """All errors with one fingerprint.

    `first_at` and `last_at` in s since the epoch; `sample` is the newest one's text (at most MOST
    characters) and `headline` the line of it that says what went wrong.
    """

    fingerprint: str
    count: int
    first_at: float
    last_at: float
    sample: str
    signature: str
    headline: str = ""


def fingerprint(text: str) -> str:
    """Return a text without its variable parts: one cleaned line of at most LENGTH characters.

    Replaced are stamps, ids, ARNs, addresses, e-mail, IP, what stands in quotes, numbers, and of paths what
    looks made up (below /tmp, digits, ids); secrets are masked. Only the first MOST characters count.
    """
    # Secrets first: without their digits they would no longer be found.
    plain = redact(clean_line(text[:MOST], MOST))[0].replace("\u240a", " ")
    return _SPACES.sub(" ", _TOKENS.sub(_replace, plain)).strip()[:LENGTH].rstrip()


def _replace(match: re.Match[str]) -> str:
    name = match.lastgroup or ""
    return _path(match.group()) if name == "path" else _NAMES[name]


def _path(path: str) -> str:
    segments = path.split("/")
    kept = [_segment(s) for s in segments]
    if segments[:2] == list(_TEMPORARY) and len(segments) > 2:
        kept[2] = "*"
    return "/".join(kept)


def _segment(segment: str) -> str:
    if not any(c.isdigit() for c in segment):
        return segment
    stem = segment.split(".", 1)[0]
    if stem.isdigit() or _SEGMENT_ID.match(stem) or (len(stem) >= 20 and _NUMBER.search(stem)):
        return "*" + segment[len(stem) :] if not any(c.isdigit() for c in segment[len(stem) :]) else "*"
    return _NUMBER.sub("#", segment)


def is_error(record: Record) -> bool:
    """Return whether a record shows a failure: an error, a timeout, or a known signature."""
    return record.kind in ("error", "timeout") or bool(record.signature) or record.level in ("error", "fatal")


def digest_errors(records: Iterable[Record]) -> tuple[ErrorKind, ...]:
    """Return the kinds of error among these records, the most frequent first, then the newest.

    A REPORT with a bad status counts only where no line of its request explains it: both are the same
    failure.
    """
    book = ErrorBook()
    book.take(records)
    return book.found()


_When = tuple[float, int, int]
"""When an error was: stamp, number of its line, number of its arrival."""


@dataclass(slots=True)
class _Kind:
    """What is known of one kind. Nothing here depends on the order in which its errors come."""

    print: str
    count: int = 0
    first_at: float = inf
    newest: tuple[_When, Record] | None = None
    signature: tuple[_When, str] = ((-inf, 0, 0), "")

    def add(self, when: _When, record: Record) -> None:
        self.count += 1
        self.first_at = min(self.first_at, when[0])
        if self.newest is None or when >= self.newest[0]:
            self.newest = when, record
        if record.signature and when >= self.signature[0]:
            self.signature = when, record.signature

    def made(self) -> ErrorKind:
        (last_at, _, _), newest = self.newest or ((self.first_at, 0, 0), None)
        return ErrorKind(
            self.print,
            self.count,
            self.first_at,
            last_at,
            newest.text[:MOST] if newest else "",
            self.signature[1],
            headline(newest) if newest else "",
        )


class ErrorBook:
    """Kinds of error as their records come, in any pieces and any order.

    `most` bounds the kinds (those whose last error is oldest leave, and `left_out` counts their errors),
    and how many requests are remembered.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._arrived = 0
        self._kinds: dict[str, _Kind] = {}
        self._explained: dict[str, None] = {}
        self._mute: dict[str, list[tuple[str, _When, Record]]] = {}
        self._failed_init: dict[str, None] = {}
        self.left_out = 0

    def take(self, records: Iterable[Record]) -> None:
        """Add records; those without a failure are ignored."""
        for record in records:
            if not is_error(record):
                continue
            self._arrived += 1
            when = (record.at, record.first.seq, self._arrived)
            id_ = record.request_id
            if record.signature == "init_failure" and record.first.report is None:
                self._failed_init[record.stream] = None
            elif record.signature == "init_failure" and record.stream in self._failed_init:
                continue  # why the initialisation failed is written above it, and counted
            if id_ and record.kind in _PLATFORM:
                # What becomes of it is known once nothing of its request can come any more.
                if id_ not in self._explained:
                    self._mute.setdefault(id_, []).append((fingerprint(headline(record)), when, record))
                continue
            if id_ and record.first.report is None and record.kind in ("error", "timeout"):
                self._explained[id_] = None
                self._mute.pop(id_, None)
            self._add(self._kinds, fingerprint(headline(record)), when, record)
        self._forget()

    def found(self) -> tuple[ErrorKind, ...]:
        """Return the kinds so far, the most frequent first, then the newest."""
        kinds, copied = dict(self._kinds), set[str]()
        for mute in self._mute.values():
            for print_, when, record in mute:
                if print_ in kinds and print_ not in copied:
                    kinds[print_] = replace(kinds[print_])
                copied.add(print_)
                self._add(kinds, print_, when, record)
        found = [kind.made() for kind in kinds.values()]
        return tuple(sorted(found, key=lambda k: (-k.count, -k.last_at, k.fingerprint)))

    @staticmethod
    def _add(kinds: dict[str, _Kind], print_: str, when: _When, record: Record) -> None:
        kind = kinds.get(print_)
        if kind is None:
            kind = kinds[print_] = _Kind(print_)
        kind.add(when, record)

    def _forget(self) -> None:
        if self._most is None:
            return
        while len(self._explained) > self._most:
            del self._explained[next(iter(self._explained))]
        while len(self._failed_init) > self._most:
            del self._failed_init[next(iter(self._failed_init))]
        while len(self._mute) > self._most:
            for print_, when, record in self._mute.pop(next(iter(self._mute))):
                self._add(self._kinds, print_, when, record)
        if len(self._kinds) > self._most:
            # A quarter at once, as each look for the oldest is a look at all of them.
            oldest = sorted(self._kinds.values(), key=lambda k: k.newest[0] if k.newest else (-inf, 0, 0))
            for kind in oldest[: max(len(oldest) - self._most, self._most // 4)]:
                self.left_out += self._kinds.pop(kind.print).count
