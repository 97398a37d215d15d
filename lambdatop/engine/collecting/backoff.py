"""Decide how often a collector asks: its pace, jitter, back-off and slow recovery. Pure."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

JITTER = 0.1
FIRST_RETRY_S = 10.0
FIRST_ANSWER_S = 2.0
SLOWEST_FACTOR = 8.0
SLOWEST_S = 300.0
RECOVERY = 0.75


class Pace(Struct, frozen=True):
    """The pace of one source.

    `base_s` is the configured pace in s. `slow` >= 1 multiplies it while AWS throttles and shrinks by
    a quarter with each good round. `failures` counts failed rounds in a row, `denied` says that the
    last one was denied, where asking again soon helps nobody. While nothing was answered yet (`first`, after
    `tries` rounds) it is asked again after 2, 4, 8 … s: nothing can be shown without.
    """

    base_s: float
    slow: float = 1.0
    failures: int = 0
    denied: bool = False
    first: bool = False
    tries: int = 0

    def ok(self) -> Pace:
        """Return the pace after a good round."""
        return replace(
            self, slow=max(1.0, self.slow * RECOVERY), failures=0, denied=False, first=False, tries=0
        )

    def throttled(self) -> Pace:
        """Return the pace after AWS asked for a slower one."""
        slow = min(SLOWEST_FACTOR, self.slow * 2)
        return replace(self, slow=slow, failures=0, denied=False, tries=self.tries + 1)

    def failed(self, *, denied: bool = False) -> Pace:
        """Return the pace after any other failure."""
        return replace(self, failures=self.failures + 1, denied=denied, tries=self.tries + 1)

    def after(self, state: str) -> Pace:
        """Return the pace after a round that ended in `state` (ok, throttled, denied, failed)."""
        if state == "ok":
            return self.ok()
        return self.throttled() if state == "throttled" else self.failed(denied=state == "denied")

    @property
    def slowest_s(self) -> float:
        """The cap of every back-off: eight times the pace or 300 s, but never faster than the pace."""
        return max(self.base_s, min(self.base_s * SLOWEST_FACTOR, SLOWEST_S))

    def interval(self, floor: tuple[float, str] = (0.0, "")) -> tuple[float, str]:
        """Return seconds between two rounds, without jitter, and why they differ from the configured pace."""
        if self.failures:
            # A slow source (functions: 300 s) tries again soon, then less and less often.
            start = self.base_s if self.denied else min(self.base_s, FIRST_RETRY_S)
            # 2**10 passes every cap; a source that fails for days must not overflow the power.
            seconds, why = start * 2 ** min(self.failures, 10), "backing off after a failure"
        else:
            seconds, why = self.base_s * self.slow, "slowed down by throttling" if self.slow > 1 else ""
        seconds = min(seconds, self.slowest_s)
        if self.first and self.tries and not self.denied:
            seconds = min(seconds, FIRST_ANSWER_S * 2 ** min(self.tries - 1, 10))
        return floor if floor[0] > seconds else (seconds, why)

    def wait(self, floor: tuple[float, str], chance: float) -> float:
        """Return seconds to wait now: the interval ±10 % by `chance` (0..1), never less than the floor."""
        seconds = self.interval(floor)[0]
        return max(floor[0], seconds * (1 + JITTER * (2 * chance - 1)))
