"""Declare what is kept on disk: the journal, drained messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from lambdatop.domain.keys import Scope
from lambdatop.domain.plans.journal import Entry, Outcome
from lambdatop.domain.plans.plan import State


class Spill(Protocol):
    """A file on this machine that takes the messages of one queue."""

    @property
    def path(self) -> str:
        """Where it is, for people."""

    def keep(self, messages: Sequence[Mapping[str, Any]]) -> int:
        """Write messages as SQS returned them; returns after fsync how many were new to the file.

        Raises LambdatopError when they could not be made durable: then none of them may be deleted.
        """

    def close(self) -> None:
        """Let others take the file; waits for a write under way."""


class SpillStore(Protocol):
    """Where drained messages go."""

    def open(self, scope: Scope, queue: str) -> Spill:
        """Open the file of a queue; one that a former drain left is continued.

        Raises LambdatopError.
        """


class JournalStore(Protocol):
    """The crash-safe journal. Every method that writes returns after fsync."""

    def read(self) -> tuple[Entry, ...]:
        """Return entries that may still be needed, and the newest, oldest first; the rest is in archives."""

    def older(self) -> Iterator[tuple[Entry, ...]]:
        """Yield the entries of each archive, the newest archive first.

        Raise LambdatopError where one is missing.
        """

    def gap(self) -> str:
        """Return what is missing of the journal, "" when nothing is."""

    def intent(self, entry: Entry) -> None:
        """Write an intent; raises when it could not be made durable."""

    def attempt(self, entry_id: str, at: float, number: int, detail: str) -> None:
        """Write that a refused call is about to be sent again: the `number`-th time, and why."""

    def outcome(self, entry_id: str, at: float, outcome: Outcome, detail: str, seen: State | None) -> None:
        """Write an outcome."""
