"""Declare what the program's own parts offer to collectors: clock, limiter, meter."""

from __future__ import annotations

from typing import Protocol

from lambdatop.domain.plans.journal import Uptime


class Clock(Protocol):
    """Time. Only engine/clock.py asks the operating system for it."""

    def now(self) -> float:
        """Return the seconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""

    def uptime(self) -> Uptime:
        """Return how long this machine has run, by a clock that nobody can set."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    def give_way(self) -> None:
        """Hold this thread, for some ms at most, while a key is being answered: both need the interpreter."""


class Limiter(Protocol):
    """Token buckets per API, shared by every caller in the process."""

    async def take(self, api: str) -> None:
        """Wait for one token of `api` (`lambda`, `sqs`, `logs`, `cloudwatch`, others are free)."""

    def throttled(self, api: str) -> None:
        """Slow down calls of `api` for a while: AWS refused one because of its rate."""


class Meter(Protocol):
    """Counts our own calls."""

    def count(self, service: str, operation: str, usd: float) -> None:
        """Count one call that costs `usd` at list price."""
