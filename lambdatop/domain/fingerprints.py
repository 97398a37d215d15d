"""Errors by kind: what two of them have in common once numbers, ids, names and places are left out. Pure.

`fingerprint` is linear: the text is capped, its pattern has no nested quantifier that could give back what
it took (every inner repetition is possessive or bounded), and each alternative begins at the start of a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lambdatop.domain.headlines import headline
from lambdatop.domain.records import Record
from lambdatop.domain.text import clean_line

MOST = 2048
"""Characters of a text that are looked at."""
LENGTH = 240
"""Characters of a fingerprint."""
MOST_IDS = 20
"""Request ids that one kind of error keeps: the newest."""

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


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """All errors with one fingerprint.

    `first_at` and `last_at` in s since the epoch; `sample` is the newest one's text (at most MOST
    characters), `request_ids` the newest MOST_IDS that met it, newest first.
    """

    fingerprint: str
    count: int
    first_at: float
    last_at: float
    sample: str
    signature: str
    request_ids: tuple[str, ...]


def fingerprint(text: str) -> str:
    """What is left of a text without its variable parts: one cleaned line of at most LENGTH characters.

    Replaced are stamps, ids, ARNs, addresses, e-mail, IP, what stands in quotes, numbers, and of paths what
    looks made up (below /tmp, digits, ids). Only the first MOST characters count.
    """
    plain = clean_line(text[:MOST], MOST).replace("\u240a", " ")
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
    """Whether a record tells of a failure: an error, a timeout, or a known signature."""
    return record.kind in ("error", "timeout") or bool(record.signature) or record.level in ("error", "fatal")


def digest_errors(records: Iterable[Record]) -> tuple[ErrorKind, ...]:
    """The kinds of error among these records, the most frequent first, then the newest.

    A REPORT with a bad status counts only where no line of its request says what went wrong: both tell of
    the same failure.
    """
    errors = sorted((r for r in records if is_error(r)), key=lambda r: (r.at, r.first.seq))
    explained = {r.request_id for r in errors if r.first.report is None and r.kind in ("error", "timeout")}
    kinds: dict[str, list[Record]] = {}
    for record in errors:
        platform = record.kind in ("report", "end")
        if not (platform and record.request_id and record.request_id in explained):
            kinds.setdefault(fingerprint(headline(record)), []).append(record)
    found = [_kind(print_, of) for print_, of in kinds.items()]
    return tuple(sorted(found, key=lambda k: (-k.count, -k.last_at, k.fingerprint)))


def _kind(print_: str, records: list[Record]) -> ErrorKind:
    newest = records[-1]
    ids: dict[str, None] = {}
    for record in reversed(records):
        if record.request_id and len(ids) < MOST_IDS:
            ids.setdefault(record.request_id)
    signature = next((r.signature for r in reversed(records) if r.signature), "")
    return ErrorKind(
        print_, len(records), records[0].at, newest.at, newest.text[:MOST], signature, tuple(ids)
    )
