"""What a soak has seen, and what of it must not be."""

from __future__ import annotations

import os
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fakes.fault_proxy import PHASES

from lambdatop.aws.sdk.walls.sent_reads import SENT

GROWTH = {"rss_kib": 16 * 1024, "threads": 3, "files": 6, "sockets": 4}
LONG = 8
"""Samples in a third of a long run."""
SERVICES = len({service for service, _ in SENT})
"""A connection to each is kept once it was needed: a short run sees them come, a long one holds all."""
TASKS = 30
"""What may come and go: connections are kept per service, log tails fill until they are full, and each widget
of the screen that happens to be open has a task."""


@dataclass
class Sample:
    """What the process holds at one moment: memory in KiB, threads, open files, sockets among them."""

    rss_kib: int
    threads: int
    files: int
    sockets: int


@dataclass
class Report:
    """What a soak has seen. `slowest_s` is the slowest answer to a key, `wrongs` what must not be."""

    keys: int = 0
    slowest_s: float = 0.0
    recoveries: dict[str, float] = field(default_factory=dict)
    met: dict[str, int] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    tasks: list[int] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)
    log: str = ""


def sample(pid: int) -> Sample:
    """Read it from /proc."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = {k: int(v) for k, v in re.findall(r"^(VmRSS|Threads):\s+(\d+)", status, re.M)}
    links = []
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            links.append(os.readlink(entry.path))
        except FileNotFoundError:
            continue  # closed meanwhile
    return Sample(found["VmRSS"], found["Threads"], len(links), sum(x.startswith("socket:") for x in links))


def judge(report: Report) -> None:
    """Compare the medians of the first and the last third: what grew by more than chance is a leak.

    In a long run memory rises until all tails and caches are full: there, what grows in the last third is.
    """
    third = len(report.samples) // 3
    for name, growth in GROWTH.items():
        values = [getattr(s, name) for s in report.samples]
        slack = max(growth, SERVICES) if name in ("files", "sockets") and third < LONG else growth
        _compare(report, name, values, third, slack)
    _compare(report, "asyncio tasks", report.tasks, third, TASKS)
    missing = {t.name for t in PHASES} - set(report.met)
    if missing:
        report.wrongs.append(f"never injected: {', '.join(sorted(missing))}")


def _compare(report: Report, name: str, values: Sequence[int], third: int, slack: float) -> None:
    if third == 0:
        return
    head, tail = values[:third], values[-third:]
    if third >= LONG:
        head, tail = tail[: third // 2], tail[third // 2 :]
    first, last = statistics.median(head), statistics.median(tail)
    if last > first + slack:
        report.wrongs.append(f"{name} grew from {first:g} to {last:g}")


def told(report: Report) -> str:
    """Return the report in lines."""
    lines = [f"{report.keys} keys, the slowest answered after {report.slowest_s:.2f} s"]
    lines += [
        f"{name:14} {report.met.get(name, 0):6} times, well again after at most {seconds:.1f} s"
        for name, seconds in report.recoveries.items()
    ]
    for when, at in (("first", 0), ("last", -1)) if report.samples else ():
        s = report.samples[at]
        held = f"{s.threads} threads, {s.files} files, {s.sockets} sockets, {report.tasks[at]} tasks"
        lines.append(f"{when}: {s.rss_kib // 1024} MiB, {held}")
    lines.append("MiB over time: " + " ".join(str(s.rss_kib // 1024) for s in report.samples))
    return "\n".join([*lines, *(f"WRONG: {wrong}" for wrong in report.wrongs)]) + "\n"
