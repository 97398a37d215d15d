"""Describe past hours of the account as CloudWatch sums them, for comparison with the present cost."""

from __future__ import annotations

from msgspec import Struct

HOUR_S = 3600


class BurnHistory(Struct, frozen=True):
    """The account's hours: start (s since the epoch), sum of durations (ms), invocations. Oldest first."""

    at: float
    hours: tuple[tuple[int, float, float], ...]

    def running(self, at: float) -> float | None:
        """Return the average concurrent executions over the hour that holds `at`.

        None where there is no point.
        """
        start = int(at // HOUR_S) * HOUR_S
        found = next((ms for t, ms, _ in self.hours if t == start), None)
        return None if found is None else found / 1000 / HOUR_S
