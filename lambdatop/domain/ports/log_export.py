"""Declare the export of all that logs held in a window, in batches as they are read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Generic, Protocol, TypeVar, runtime_checkable

from msgspec import Struct

from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.ports.aws import View

Text = tuple[int, Key, str]
"""A line that nobody has to understand: its timestamp (ms since the epoch), whose it is, its cleaned text."""

_L_co = TypeVar("_L_co", covariant=True)


class Batch(Struct, Generic[_L_co], frozen=True):
    """Some lines, oldest first, and notes about them."""

    lines: Sequence[_L_co]
    notes: tuple[str, ...] = ()


@runtime_checkable
class LogExport(Protocol):
    """Reads the logs of the functions in `view.watched` from `view.log_backfill_s` ago to now, oldest first.

    Nothing is left out without a note. Raises SourceError kinds, after the batches that could be read.
    Whoever stops half-way closes the generator, which gives up the page that is on its way.
    """

    def texts(self, view: View) -> AsyncGenerator[Batch[Text], None]:
        """Yield the lines as text."""

    def lines(self, view: View) -> AsyncGenerator[Batch[tuple[Key, LogLine]], None]:
        """Yield the lines, parsed."""
