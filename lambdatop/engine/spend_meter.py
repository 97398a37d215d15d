"""Count API calls and what they cost."""

from __future__ import annotations

from collections import Counter, defaultdict, deque

from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.state.events import SpendObserved


class SpendMeter:
    """`domain.ports.runtime.Meter`: counts our own calls and projects their cost.

    USD per hour = what the last hour cost / its length; a younger process divides by its age plus one
    minute, because each round is paid at its beginning.
    """

    WINDOW_S = 3600.0
    STEP_S = 60.0

    def __init__(self, clock: Clock, budget_usd_per_hour: float) -> None:
        self._clock = clock
        self._budget = budget_usd_per_hour
        self._began = clock.monotonic()
        self._calls: Counter[str] = Counter()
        self._by_call: defaultdict[str, float] = defaultdict(float)
        self._usd = 0.0
        self._minutes: deque[tuple[int, float]] = deque()

    def count(self, service: str, operation: str, usd: float) -> None:
        """Count one call that costs `usd` at list price."""
        self._calls[f"{service}.{operation}"] += 1
        if usd <= 0:
            return
        self._usd += usd
        self._by_call[f"{service}.{operation}"] += usd
        minute = int(self._clock.monotonic() // self.STEP_S)
        if self._minutes and self._minutes[-1][0] == minute:
            usd += self._minutes.pop()[1]
        self._minutes.append((minute, usd))

    @property
    def total_calls(self) -> int:
        """All calls so far."""
        return self._calls.total()

    def usd_per_hour(self) -> float:
        """Return the projection (see the class)."""
        now = self._clock.monotonic()
        oldest = int((now - self.WINDOW_S) // self.STEP_S)
        while self._minutes and self._minutes[0][0] <= oldest:
            self._minutes.popleft()
        spent = sum(usd for _, usd in self._minutes)
        return spent * self.WINDOW_S / min(self.WINDOW_S, now - self._began + self.STEP_S)

    def observed(self, scope: Scope) -> SpendObserved:
        """Return what is known now, as an event."""
        return SpendObserved(
            scope,
            self._clock.now(),
            tuple(sorted(self._calls.items())),
            self._usd,
            self.usd_per_hour(),
            self._budget,
            tuple(sorted(self._by_call.items())),
        )
