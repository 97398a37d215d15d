"""What the tail of a function's log says about its requests and environments. Pure.

Lines may come late and out of order, so everything is put in the order of the lines' own stamps first:
the digest of a tail does not depend on how its lines arrived.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from lambdatop.domain.logline import LogLine, Report
from lambdatop.domain.world import LogTail

_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")


class Started(NamedTuple):
    """A START line (or platform.start); `at` in s since the epoch."""

    at: float
    request_id: str
    stream: str


class Initialised(NamedTuple):
    """An INIT_START line (or platform.initStart): an environment began to initialise."""

    at: float
    stream: str


class Reported(NamedTuple):
    """A REPORT line (or platform.report)."""

    at: float
    request_id: str
    stream: str
    report: Report


class Failed(NamedTuple):
    """A line with a known signature, or an error line without one (`signature` "error")."""

    at: float
    signature: str
    request_id: str
    stream: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Digest:
    """One tail, in the order of its stamps.

    `mentions` counts, for each UUID in the application's lines that is not their request's own, the
    executions that mentioned it: a message id that comes back. `first_at` and
    `last_at` bound the tail (s since the epoch), 0 when it is empty.
    """

    first_at: float
    last_at: float
    starts: tuple[Started, ...]
    inits: tuple[Initialised, ...]
    reports: tuple[Reported, ...]
    failures: tuple[Failed, ...]
    mentions: Mapping[str, int]


@lru_cache(maxsize=128)
def digest(tail: LogTail) -> Digest:
    """The digest of one tail; a tail is immutable and compared by identity, so it is computed once."""
    lines = sorted({line.event_id or line.seq: line for line in tail.lines}.values(), key=_order)
    failures: list[Failed] = []
    mentioned: dict[str, set[tuple[str, int]]] = {}
    for line, (request, run) in zip(lines, _executions(lines), strict=True):
        if line.signature or line.kind in ("error", "timeout"):
            failures.append(Failed(line.at, line.signature or line.kind, request, line.stream, line.text))
        if line.kind in ("app", "error"):
            for id_ in set(_UUID.findall(line.text, 0, 400)) - {request}:
                mentioned.setdefault(id_, set()).add((line.stream, run))
    return Digest(
        lines[0].at if lines else 0.0,
        lines[-1].at if lines else 0.0,
        tuple(Started(n.at, n.request_id, n.stream) for n in lines if n.kind == "start"),
        tuple(Initialised(n.at, n.stream) for n in lines if _begins_init(n)),
        tuple(
            Reported(n.at, n.request_id, n.stream, n.report)
            for n in lines
            if n.kind == "report" and n.report is not None
        ),
        tuple(failures),
        MappingProxyType({id_: len(runs) for id_, runs in mentioned.items()}),
    )


_STAGE = {"init": 0, "start": 1, "app": 2, "error": 2, "timeout": 2, "end": 3, "report": 4}


def _order(line: LogLine) -> tuple[float, str, int, str]:
    """Stamps are whole milliseconds, so lines of one millisecond keep the order of an execution's stages."""
    return (line.at, line.stream, _STAGE.get(line.kind, 2), line.event_id)


def _executions(lines: list[LogLine]) -> list[tuple[str, int]]:
    """The request that each line belongs to, and which START of the tail it follows in its environment.

    A line's own id counts only where the platform wrote it; the application may print other ids.
    """
    serving: dict[str, tuple[str, int]] = {}
    found = []
    for number, line in enumerate(lines, 1):
        if line.kind == "start":
            serving[line.stream] = (line.request_id, number)
        request, run = serving.get(line.stream, ("", 0))
        own = line.kind in ("start", "end", "report") or not request
        found.append((line.request_id if own else request, run))
    return found


def _begins_init(line: LogLine) -> bool:
    return line.kind == "init" and (
        line.text.startswith("INIT_START") or '"platform.initStart"' in line.text[:200]
    )
