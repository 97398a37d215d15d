"""A journal of many changes, with its archives."""

from __future__ import annotations

import errno
from functools import reduce
from pathlib import Path
from typing import Any

from fakes.entries import AT, SCOPE, entry

from lambdatop.domain.keys import Key
from lambdatop.domain.plans.journal import Entry, joined
from lambdatop.storage.journal_file import JournalFile


def whole(home: Path) -> tuple[Entry, ...]:
    """Return every entry, of the archives too."""
    journal = JournalFile(home)
    parts = [journal.read(), *journal.older()]
    return reduce(lambda newer, older: joined(older, newer), parts)


def change(journal: JournalFile, name: str, **fields: Any) -> None:
    """Write a change that was applied."""
    journal.intent(entry(name, **fields))
    journal.outcome(name, AT, "applied", "", None)


def fill(home: Path, count: int, prefix: str = "e") -> JournalFile:
    """Write `count` changes of three functions."""
    journal = JournalFile(home)
    for i in range(count):
        change(journal, f"{prefix}{i:03d}", target=Key(SCOPE, "function", f"f{i % 3}"))
    return journal


def names(home: Path) -> list[str]:
    """Return the files, sorted."""
    return sorted(path.name for path in home.iterdir())


def full_disk() -> None:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, "No space left on device")
