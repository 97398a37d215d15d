"""Find out whether a process that wrote into the journal still carries out its plan in steps."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable

from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.unfinished import Halfway, halfway
from lambdatop.domain.ports.runtime import Clock

LONGEST_S = 3600.0
"""No plan in steps waits so long between two of its steps (`mitigations.skip.WATCH_S` is half of it). By then
it has ended, also on another machine, whose processes cannot be asked, and where another process has got its
process id meanwhile."""


def is_own(entry: Entry) -> bool:
    """Return whether this process wrote it."""
    return (entry.host, entry.pid) == (socket.gethostname(), os.getpid())


def ended_halfway(entries: Iterable[Entry], clock: Clock, *, own_works: bool) -> tuple[Halfway, ...]:
    """Return plans that nobody executes any more.

    `own_works`: this process may still execute one of its own.
    """
    return halfway(entries, lambda entry: own_works if is_own(entry) else _may_live(entry, clock))


def _may_live(entry: Entry, clock: Clock) -> bool:
    age_s = entry.age_s(clock.now(), clock.uptime())
    if age_s is not None and age_s >= LONGEST_S:
        return False
    return process_may_run(entry, socket.gethostname())


def process_may_run(entry: Entry, host: str) -> bool:
    """Return whether the writer of an entry may still run; one on another machine cannot be asked."""
    if entry.host != host:
        return True
    try:
        os.kill(entry.pid, 0)
    except (ProcessLookupError, OverflowError):  # no system gives numbers as large as the latter's
        return False
    except PermissionError:
        return True
    return True
