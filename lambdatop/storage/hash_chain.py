"""Write the journal's lines: JSON objects, each with the sha256 of the line before. Pure.

A line without its line feed at the end of the file is torn: the process died while writing it, and
what it announced was never sent. Anything else that does not fit is damage, and is said so by line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from lambdatop.domain.plans.journal import Entry, fold_record

GENESIS = "0" * 64
ROTATION = "rotation"
_OUTCOMES = ("applied", "refused", "not-sent", "unknown")


class BrokenChain(ValueError):
    """A complete line differs from what was written there; `line` counts from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line} {why}")
        self.line = line


class Rotation(Struct, frozen=True):
    """The first line of a file that follows an archive.

    `number` and `name` are the archive's, `last` the hash of its last line, `first` the number of the oldest
    archive of this journal, `carried_bytes` the size of what was carried over.
    """

    number: int
    name: str
    last: str
    first: int
    carried_bytes: int


class Chain(Struct, frozen=True):
    """The verified beginning of a journal.

    `size` in bytes; `lines` is how many there are; `last` is the hash of the last line, which the next one
    carries; `last_size` is that line's length in bytes, line feed included. `before` tells of the archive
    that it goes on from, None where there is none.
    """

    by_id: Mapping[str, Entry] = field(default_factory=dict)
    size: int = 0
    lines: int = 0
    last: str = GENESIS
    last_size: int = 0
    before: Rotation | None = None

    def still_ends(self, data: bytes) -> bool:
        """Return whether `data`, read from the last line on, begins with that very line and its line feed."""
        line, feed = data[: self.last_size - 1], data[self.last_size - 1 : self.last_size]
        return not self.last_size or (feed == b"\n" and digest(line) == self.last)

    def extend(self, data: bytes) -> tuple[Chain, bytes]:
        """Return the chain with the complete lines of `data` that follow it, and the torn rest.

        Raises:
            BrokenChain: a complete line is damaged or does not follow from the line before.
        """
        complete, feed, torn = data.rpartition(b"\n")
        if not feed:
            return self, data
        entries, last, before = dict(self.by_id), self.last, self.before
        lines = complete.split(b"\n")
        for number, line in enumerate(lines, self.lines + 1):
            record = _record(line, number)
            if number == 1 and record.get("record") == ROTATION:
                before = _rotation(record, number)
                last = before.last
            if record.get("prev") != last:
                raise BrokenChain(number, "does not follow from the line before it")
            _fold(entries, record, number)
            last = digest(line)
        size = self.size + len(complete) + 1
        chain = Chain(entries, size, self.lines + len(lines), last, len(lines[-1]) + 1, before)
        return chain, torn

    def holds_intent(self, entry_id: str) -> bool:
        """Return whether this intent was written before."""
        return entry_id in self.by_id

    def entries(self) -> tuple[Entry, ...]:
        """Return the entries that the records make."""
        return tuple(self.by_id.values())


def digest(line: bytes) -> str:
    """Return hex sha256 of a line without its line feed."""
    return hashlib.sha256(line).hexdigest()


def encode(record: Mapping[str, Any], last: str) -> bytes:
    """Return one line, with its line feed.

    Raises:
        TypeError, ValueError: the record holds something that JSON cannot say exactly.
    """
    text = json.dumps({"prev": last, **record}, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii") + b"\n"


def repair(torn: bytes) -> dict[str, Any]:
    """Return the note that a torn line was cut off."""
    return {"record": "repair", "cut_bytes": len(torn), "cut_sha256": digest(torn)}


def rotation(before: Rotation) -> dict[str, Any]:
    """Return the record that begins the file after an archive."""
    return {
        "record": ROTATION,
        "archive": before.name,
        "number": before.number,
        "first": before.first,
        "carried_bytes": before.carried_bytes,
    }


def _rotation(record: Mapping[str, Any], number: int) -> Rotation:
    try:
        found = Rotation(
            int(record["number"]),
            str(record["archive"]),
            str(record["prev"]),
            int(record["first"]),
            int(record["carried_bytes"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise BrokenChain(number, "holds an incomplete record") from None
    return found


def _record(line: bytes, number: int) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise BrokenChain(number, "is not JSON") from None
    if not isinstance(record, dict):
        raise BrokenChain(number, "does not follow from the line before it")
    return record


def _fold(entries: dict[str, Entry], record: Mapping[str, Any], number: int) -> None:
    """Fold one record into the entries.

    Kinds that a later version may add stay in the chain and are skipped.
    """
    try:
        if record.get("record") == "outcome":
            complete = isinstance(record["id"], str) and record["outcome"] in _OUTCOMES
            if not complete or float(record["at"]) < 0:
                raise ValueError
        if record.get("record") == "carried" and record["outcome"] not in (*_OUTCOMES, "open", "undone"):
            raise ValueError
        fold_record(entries, record)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        raise BrokenChain(number, "holds an incomplete record") from None
