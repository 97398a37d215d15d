"""Whether a process that wrote into the journal still carries its plan in steps out."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable

from lambdatop.domain.halfway import Halfway, halfway
from lambdatop.domain.journal import Entry

LONGEST_S = 3600.0
"""No plan in steps waits so long (`mitigations.skip.WATCH_S` is half of it): of another machine, whose
processes cannot be asked, it has ended by then."""


def is_own(entry: Entry) -> bool:
    """Whether this process wrote it."""
    return (entry.host, entry.pid) == (socket.gethostname(), os.getpid())


def ended_halfway(entries: Iterable[Entry], now: float, *, own_works: bool) -> tuple[Halfway, ...]:
    """Plans that nobody carries out any more; `own_works`: this process may still be at one of its own."""
    return halfway(entries, lambda entry: own_works if is_own(entry) else _lives(entry, now))


def _lives(entry: Entry, now: float) -> bool:
    if entry.host != socket.gethostname():
        return now - entry.at < LONGEST_S
    try:
        os.kill(entry.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
