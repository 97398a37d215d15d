"""The journal's lines: JSON objects, each carrying the sha256 of the line before. Pure.

A line without its line feed at the end of the file is torn: the process died while writing it, and
what it announced was never sent. Anything else that does not fit is damage, and is said so by line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from lambdatop.domain.journal import Entry, replay
from lambdatop.domain.values import dataclass

GENESIS = "0" * 64
_OUTCOMES = ("applied", "refused", "not-sent", "unknown")


class BrokenChain(ValueError):
    """A complete line is not what was written there; `line` counts from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line} {why}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Chain:
    """The verified beginning of a journal.

    `size` in bytes; `last` is the hash of the last line, which the next one carries; `last_size` is
    that line's length in bytes, line feed included.
    """

    records: tuple[Mapping[str, Any], ...] = ()
    size: int = 0
    last: str = GENESIS
    last_size: int = 0

    def still_ends(self, data: bytes) -> bool:
        """Whether `data`, read from the last line on, begins with that very line."""
        return not self.last_size or digest(data[: self.last_size - 1]) == self.last

    def extend(self, data: bytes) -> tuple[Chain, bytes]:
        """The chain with the complete lines of `data` that follow it, and the torn rest.

        Raises:
            BrokenChain: a complete line is damaged or does not follow from the line before.
        """
        complete, feed, torn = data.rpartition(b"\n")
        if not feed:
            return self, data
        records, last = list(self.records), self.last
        lines = complete.split(b"\n")
        for line in lines:
            records.append(_record(line, last, len(records) + 1))
            last = digest(line)
        size = self.size + len(complete) + 1
        return Chain(tuple(records), size, last, len(lines[-1]) + 1), torn

    def holds_intent(self, entry_id: str) -> bool:
        """Whether this intent was written before."""
        return any(r.get("record") == "intent" and r["id"] == entry_id for r in self.records)

    def entries(self) -> tuple[Entry, ...]:
        """What the records mean."""
        return replay(self.records)


def digest(line: bytes) -> str:
    """Hex sha256 of a line without its line feed."""
    return hashlib.sha256(line).hexdigest()


def encode(record: Mapping[str, Any], last: str) -> bytes:
    """One line, with its line feed.

    Raises:
        TypeError, ValueError: the record holds something that JSON cannot say exactly.
    """
    text = json.dumps({"prev": last, **record}, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii") + b"\n"


def repair(torn: bytes) -> dict[str, Any]:
    """The note that a torn line was cut off."""
    return {"record": "repair", "cut_bytes": len(torn), "cut_sha256": digest(torn)}


def _record(line: bytes, last: str, number: int) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise BrokenChain(number, "is not JSON") from None
    if not isinstance(record, dict) or record.get("prev") != last:
        raise BrokenChain(number, "does not follow from the line before it")
    try:
        complete = _is_complete(record)
    except (KeyError, TypeError, ValueError, AttributeError):
        complete = False
    if not complete:
        raise BrokenChain(number, "holds an incomplete record")
    return record


def _is_complete(record: Mapping[str, Any]) -> bool:
    if record.get("record") == "outcome":
        return isinstance(record["id"], str) and record["outcome"] in _OUTCOMES and float(record["at"]) >= 0
    # Records of a kind that a later version may add are kept in the chain and skipped by replay.
    return bool(replay([record])) or record.get("record") != "intent"
