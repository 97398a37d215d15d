"""Take from a log's tail what it shows about requests and environments. Pure.

Lines may come late and out of order, so everything is put in the order of the lines' own stamps first:
the digest of a tail does not depend on how its lines arrived.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from lambdatop.domain.cooperative import GiveWay, no_pause, paced
from lambdatop.domain.log_analysis.requests import crashed
from lambdatop.domain.loglines.known_failures import OOM_SHARE
from lambdatop.domain.loglines.line import PREFIX, LogLine, Report
from lambdatop.domain.loglines.tail import LogTail
from lambdatop.domain.memo import once

GIVE_WAY_EVERY = 500
"""Lines that are looked at in one piece: some ms."""

NEARLY_FULL = 0.9
"""Share of the memory from which on a program that says that there is none left is believed."""
_OF_ITSELF = ("memory allocation of ", "runtime: out of memory")
"""How Rust and Go say that they have no memory, before they end."""
_TRACES = ("Traceback (", "\n    at ", "\n   at ", "\\tat ", "\\n    at ", "\\n   at ")
"""How traces begin or go on, also within JSON."""
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_CALLED = re.compile(
    r"(?<![a-z])(?:message|msg|itemidentifier)[ _-]?(?:id)?[\"']?\s{0,2}[:=#]?\s{0,2}[\"'(<\[]?$",
    re.IGNORECASE,
)
"""What stands before the id of a message: any other UUID is a key, an order, somebody's request."""
_CALLED_CHARS = 24
_ID_WITHIN = 400


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


class Environment(NamedTuple):
    """One log stream, which is one execution environment.

    `first_at` and `last_at` are its first and last line in the tail, `init_at` its first INIT_START and
    `start_at` its first START after that (s since the epoch); `init_ms` is how long the initialisation
    took, from the first line that says so. None for what the tail does not hold.
    """

    stream: str
    first_at: float
    last_at: float
    init_at: float | None = None
    init_ms: float | None = None
    start_at: float | None = None

    def idle_s(self, until: float, init_s: float) -> float | None:
        """Return seconds from the end of its initialization to its first request, or to `until` without one.

        `init_s` replaces an initialization of unknown length; None without an INIT_START.
        """
        if self.init_at is None:
            return None
        ready = self.init_at + (init_s if self.init_ms is None else self.init_ms / 1000)
        return (until if self.start_at is None else self.start_at) - ready


class Digest(Struct, frozen=True, eq=False):
    """One tail, in the order of its stamps.

    `mentions` counts, for each UUID that the application's lines call the id of a message, the failed
    executions that mentioned it: a message that comes back. `first_at` and
    `last_at` bound the tail (s since the epoch), 0 when it is empty. `environments` are in the order of
    their first lines.
    """

    first_at: float
    last_at: float
    starts: tuple[Started, ...]
    inits: tuple[Initialised, ...]
    reports: tuple[Reported, ...]
    failures: tuple[Failed, ...]
    mentions: Mapping[str, int]
    environments: tuple[Environment, ...] = ()

    def since(self, at: float) -> Digest:
        """Return a digest of what is stamped `at` (s since the epoch) or later.

        Mentions and environments unchanged.
        """
        return replace(
            self,
            starts=tuple(x for x in self.starts if x.at >= at),
            inits=tuple(x for x in self.inits if x.at >= at),
            reports=tuple(x for x in self.reports if x.at >= at),
            failures=tuple(x for x in self.failures if x.at >= at),
        )


def events(tail: LogTail) -> list[LogLine]:
    """Return the lines of a tail, each event once, in order of arrival."""
    return list({line.event_id or line.seq: line for line in tail.lines}.values())


@once
def digest(tail: LogTail, give_way: GiveWay = no_pause) -> Digest:
    """Return the digest of one tail; `give_way` is called every few ms of the 30 that a full one takes."""
    lines = _in_order(events(tail), give_way)
    failures: list[Failed] = []
    failed: set[tuple[str, int]] = set()
    mentioned: dict[str, set[tuple[str, int]]] = {}
    executions = list(_executions(lines))
    shares = _shares(lines, executions)
    for line, (request, run) in paced(zip(lines, executions, strict=True), give_way, GIVE_WAY_EVERY):
        if line.signature or line.kind in ("error", "timeout"):
            signature = _by_memory(line, shares.get((line.stream, run)))
            if signature:
                failures.append(Failed(line.at, signature, request, line.stream, line.text))
                failed.add((line.stream, run))
        if line.kind in ("app", "error"):
            for id_ in _messages(line.text, request):
                mentioned.setdefault(id_, set()).add((line.stream, run))
    give_way()
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
        MappingProxyType({id_: len(runs & failed) for id_, runs in mentioned.items() if runs & failed}),
        _environments(paced(lines, give_way, GIVE_WAY_EVERY)),
    )


def _shares(lines: list[LogLine], executions: list[tuple[str, int]]) -> dict[tuple[str, int], float]:
    """Return the share of its memory that each execution with a REPORT used at most; not before a START."""
    found: dict[tuple[str, int], float] = {}
    for line, (_, run) in zip(lines, executions, strict=True):
        report = line.report
        if run and report and report.memory_mb and report.max_memory_mb is not None:
            key, share = (line.stream, run), report.max_memory_mb / report.memory_mb
            found[key] = max(share, found.get(key, 0.0))
    return found


def _by_memory(line: LogLine, share: float | None) -> str:
    """Return the signature of a failed line, "error" without one, "" for no failure.

    What the platform and the runtime say of memory counts. What a program says may be of another process, so
    it does not where the REPORT of its execution says that `share` of the memory was enough.
    """
    signature = line.signature or line.kind
    if signature == "error" and "signal: killed" in line.text and share is not None and share >= OOM_SHARE:
        return "out_of_memory"
    if signature != "out_of_memory" or share is None or share >= NEARLY_FULL or not _may_quote(line):
        return signature
    return "error" if line.kind == "error" else ""


def _may_quote(line: LogLine) -> bool:
    """Return whether a line about memory may tell of another process: a logger's, without a trace."""
    text = line.text
    if line.kind == "app":
        return not text.startswith(_OF_ITSELF)
    if line.kind != "error" or crashed(line) or any(trace in text for trace in _TRACES):
        return False
    return text.startswith("{") or PREFIX.match(text) is not None


def _messages(text: str, request: str) -> Iterator[str]:
    """Yield the ids of messages that a line names."""
    for found in _UUID.finditer(text, 0, _ID_WITHIN):
        at = found.start()
        if found[0] != request and _CALLED.search(text, max(0, at - _CALLED_CHARS), at):
            yield found[0]


def _environments(lines: Iterable[LogLine]) -> tuple[Environment, ...]:
    """Return the environments of lines in the order of their stamps."""
    found: dict[str, Environment] = {}
    last_at: dict[str, float] = {}
    for line in lines:
        # What an application writes moves the end alone: most lines.
        if line.kind in _LIFE or line.report is not None or line.stream not in found:
            found[line.stream] = after(found.get(line.stream), line)
        last_at[line.stream] = line.at
    return tuple(seen._replace(last_at=last_at[stream]) for stream, seen in found.items())


def after(seen: Environment | None, line: LogLine) -> Environment:
    """Return what is known of an environment after one more of its lines; None before its first one."""
    if seen is None:
        seen = Environment(line.stream, line.at, line.at)
    first_at, last_at = min(seen.first_at, line.at), max(seen.last_at, line.at)
    init_at, init_ms, start_at = seen.init_at, seen.init_ms, seen.start_at
    if init_at is None and start_at is None and _begins_init(line):
        init_at = line.at
    elif start_at is None and line.kind == "start":
        start_at = line.at
    elif init_ms is None and line.report is not None:
        init_ms = line.report.init_ms
    return Environment(seen.stream, first_at, last_at, init_at, init_ms, start_at)


_LIFE = frozenset({"init", "start"})
"""Kinds of lines that change what is known of an environment, beside REPORT."""

Place = tuple[float, str, str]
"""Where a REPORT stands: stamp, stream, request id."""


def reported_twice(seen: Digest) -> frozenset[Place]:
    """Return REPORTs of one request that follow one another in its stream without a START: some are forged.

    The platform writes one for each START; a retry of the same id begins with a START of its own.
    """
    begins = [(s.at, 0, s.stream, s.request_id) for s in seen.starts]
    ends = [(r.at, 1, r.stream, r.request_id) for r in seen.reports]
    found: set[Place] = set()
    last: dict[str, Place | None] = {}
    for at, stage, stream, request in sorted(begins + ends):
        before, here = last.get(stream), (at, stream, request)
        if stage and before is not None and before[2] == request:
            found |= {before, here}
        last[stream] = here if stage else None
    return frozenset(found)


_STAGE = {"init": 0, "start": 1, "app": 2, "error": 2, "timeout": 2, "end": 3, "report": 4}


def _order(line: LogLine) -> tuple[float, str, int, str]:
    """Return the sort key of a line; within one millisecond the stages of an execution keep their order."""
    return (line.at, line.stream, _STAGE.get(line.kind, 2), line.event_id)


def _in_order(lines: list[LogLine], give_way: GiveWay) -> list[LogLine]:
    places = list(map(_order, paced(lines, give_way, GIVE_WAY_EVERY)))
    return [lines[i] for i in sorted(range(len(lines)), key=places.__getitem__)]


def _executions(lines: list[LogLine]) -> Iterator[tuple[str, int]]:
    """Yield the request that each line belongs to, and which START of the tail it follows in its environment.

    A line's own id counts only where the platform wrote it; the application may print other ids.
    """
    serving: dict[str, tuple[str, int]] = {}
    for number, line in enumerate(lines, 1):
        if line.kind == "start":
            serving[line.stream] = (line.request_id, number)
        request, run = serving.get(line.stream, ("", 0))
        own = line.kind in ("start", "end", "report") or not request
        yield (line.request_id if own else request, run)


def _begins_init(line: LogLine) -> bool:
    return line.kind == "init" and (
        line.text.startswith("INIT_START") or '"platform.initStart"' in line.text[:200]
    )
