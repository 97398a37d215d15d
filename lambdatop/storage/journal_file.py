"""Keep the crash-safe journal on disk: intents, then outcomes.

The intent is on disk before the call goes out, so after a crash it is known what may have been sent.
Several consoles on one machine share the file: the lock is held for one line, never for a process's
life, and whoever writes first reads what the others have appended. When it has grown long it begins anew, and
the whole goes to an archive (see `archives`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lambdatop.domain.plans.journal import (
    Entry,
    Outcome,
    attempt_record,
    intent_record,
    outcome_record,
)
from lambdatop.domain.plans.plan import State
from lambdatop.storage import archives
from lambdatop.storage.errors import JournalError, from_os, why
from lambdatop.storage.hash_chain import BrokenChain, Chain, digest, encode, repair
from lambdatop.storage.secure_files import (
    append_durably,
    is_still,
    locked,
    make_directory,
    open_directory,
    open_for_appending,
    open_for_reading,
    read_from,
)

NAME = "journal.jsonl"


class JournalFile:
    """`domain.ports.storage.JournalStore` in one directory. Safe for several threads and processes.

    Reading creates nothing. Writing creates the directory (0700) and the file (0600) and returns
    after fsync. Every method raises JournalError with a sentence for a person.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / NAME
        self._mutex = threading.Lock()
        self._chain = Chain()
        self._trouble = ""
        self._entries: tuple[Entry, ...] | None = ()

    def read(self) -> tuple[Entry, ...]:
        """Return what is not in archives alone, oldest first; the same tuple while nothing was appended."""
        with self._mutex, self._sentences("read"):
            try:
                directory = open_directory(self.path.parent)
            except FileNotFoundError:
                return self._nothing()
            try:
                with self._held(directory, open_for_reading, exclusive=False) as fd:
                    self._catch_up(fd)
            except FileNotFoundError:
                return self._nothing()
            finally:
                os.close(directory)
            if self._entries is None:
                self._entries = self._chain.entries()
            return self._entries

    def _nothing(self) -> tuple[Entry, ...]:
        self._chain, self._entries = Chain(), ()
        return self._entries

    def older(self) -> Iterator[tuple[Entry, ...]]:
        """Yield the entries of each archive as they were when it was closed, the newest archive first.

        Each is read when it is asked for. Raises JournalError where one is missing or damaged.
        """
        self.read()
        return archives.older(self.path, self._chain.before)

    def gap(self) -> str:
        """Return what is missing of the journal, or keeps it from beginning a new file.

        "" when nothing does.
        """
        self.read()
        with self._mutex, self._sentences("read"):
            return archives.gap(self.path, self._chain) or self._trouble

    def intent(self, entry: Entry) -> None:
        """Write an intent, which happens once; when this returns it is on disk."""
        self._append(intent_record(entry))

    def attempt(self, entry_id: str, at: float, number: int, detail: str) -> None:
        """Write that a call is sent again (`at` in s since the epoch)."""
        self._append(attempt_record(entry_id, at, number, detail))

    def outcome(self, entry_id: str, at: float, outcome: Outcome, detail: str, seen: State | None) -> None:
        """Write an outcome (`at` in s since the epoch)."""
        self._append(outcome_record(entry_id, at, outcome, detail, seen))

    def _append(self, record: Mapping[str, Any]) -> None:
        with self._mutex, self._sentences("written"):
            make_directory(self.path.parent)
            directory = open_directory(self.path.parent)
            try:
                with self._held(directory, open_for_appending, exclusive=True) as fd:
                    self._write(fd, record)
                    if record["record"] == "outcome" and archives.is_long(self._chain):
                        self._begin_anew(directory, fd)
            finally:
                os.close(directory)

    @contextmanager
    def _held(self, directory: int, opened: Callable[[int, Path], int], *, exclusive: bool) -> Iterator[int]:
        """Yield file that has the name now, locked: another process may have begun a new one meanwhile."""
        while True:
            fd = opened(directory, self.path)
            try:
                with locked(fd, self.path, exclusive=exclusive):
                    if is_still(fd, directory, self.path):
                        yield fd
                        return
            finally:
                os.close(fd)

    def _begin_anew(self, directory: int, fd: int) -> None:
        """Begin a new file; a failure is ignored, because the record is on disk."""
        try:
            archives.begin_anew(directory, fd, self.path, self._chain)
            self._trouble = ""
        except OSError as error:
            self._trouble = (
                f"The journal {self.path} cannot begin anew, so it goes on growing: {why(error)}. "
                "Nothing is lost; make room beside it."
            )

    def _write(self, fd: int, record: Mapping[str, Any]) -> None:
        torn = self._catch_up(fd)
        if record["record"] == "intent" and self._chain.holds_intent(record["id"]):
            raise JournalError(f"Intent {record['id']} stands in the journal {self.path} already.")
        if record["record"] in ("attempt", "outcome") and not self._chain.holds_intent(record["id"]):
            raise JournalError(
                f"The journal {self.path} holds no intent {record['id']} any more: another has its name. "
                "Put back the one that does: without it this change can be neither seen nor undone"
            )
        note = encode(repair(torn), self._chain.last) if torn else b""
        last = digest(note[:-1]) if note else self._chain.last
        try:
            line = encode(record, last)
        except (TypeError, ValueError) as error:
            raise JournalError(f"The journal {self.path} cannot hold this record: {error}.") from error
        if torn:
            os.ftruncate(fd, self._chain.size)
        append_durably(fd, note + line)
        self._catch_up(fd)

    def _catch_up(self, fd: int) -> bytes:
        """Verify what was appended since the last reading; returns the torn rest."""
        # Inode numbers are used again: only the last known line tells that it is the same journal.
        data = read_from(fd, self._chain.size - self._chain.last_size)
        if self._chain.still_ends(data):
            data = data[self._chain.last_size :]
        else:
            self._chain, self._entries = Chain(), None
            data = read_from(fd, 0)
        chain, torn = self._chain.extend(data)
        if chain is not self._chain:
            self._chain, self._entries = chain, None
        return torn

    @contextmanager
    def _sentences(self, verb: str) -> Iterator[None]:
        try:
            yield
        except BrokenChain as error:
            raise JournalError(
                f"The journal {self.path} is damaged: {error}. "
                "Move the file away to begin a new one; what it says up to there is still true."
            ) from error
        except OSError as error:
            raise from_os(self.path, verb, error) from error
