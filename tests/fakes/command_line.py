"""Types of the command line's test fixtures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Ran:
    """What one run of the command line left behind."""

    code: int
    out: str
    err: str


class Cli(Protocol):
    """Runs the command line in this process."""

    def __call__(self, *args: str) -> Ran: ...


class Process(Protocol):
    """Runs the command line in a process of its own; keywords are environment variables."""

    def __call__(self, *args: str, stdin: str = "", **variables: str) -> Ran: ...
