"""The metrics that the demo publishes: raw values per metric and bucket, read back as CloudWatch would."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from msgspec import Struct

from lambdatop.demo.emulator.statistic import check, compute
from lambdatop.demo.emulator.timeline import MINUTE_S, Timeline

Dimensions = tuple[tuple[str, str], ...]

# What may be asked for: three compressed hours, the longest window of 60-second data at one go.
KEPT_BUCKETS = 180


def dimensions(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Dimensions:
    """Return the canonical (sorted) form of a set of dimensions."""
    return tuple(sorted(dict(pairs).items()))


class Scope(Struct, frozen=True):
    """The account and region that a datum belongs to; the emulator keeps them apart."""

    account: str
    region: str


class MetricKey(Struct, frozen=True):
    """One metric: namespace, name and exact set of dimensions."""

    scope: Scope
    namespace: str
    name: str
    dimensions: Dimensions = ()


class MetricStore:
    """Thread-safe store of raw values. Every value was recorded by a counter or an execution."""

    def __init__(self, timeline: Timeline) -> None:
        """Start empty on the given timeline."""
        self.timeline = timeline
        self._lock = threading.Lock()
        self._values: dict[MetricKey, dict[int, list[float]]] = {}

    def record(self, key: MetricKey, value: float, at: float) -> None:
        """Add one value that belongs to the instant ``at`` (Unix seconds)."""
        with self._lock:
            self._values.setdefault(key, {}).setdefault(self.timeline.bucket(at), []).append(value)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()

    def prune(self, now: float) -> None:
        """Drop what is older than the longest window that may be asked for."""
        oldest = self.timeline.bucket(now) - KEPT_BUCKETS
        with self._lock:
            for key in list(self._values):
                buckets = self._values[key]
                for bucket in [b for b in buckets if b < oldest]:
                    del buckets[bucket]
                if not buckets:
                    del self._values[key]

    def keys(self, scope: Scope) -> list[MetricKey]:
        """Return every metric of the scope that has a value, in a stable order."""
        with self._lock:
            found = [key for key in self._values if key.scope == scope]
        return sorted(found, key=lambda key: (key.namespace, key.name, key.dimensions))

    def read(
        self, key: MetricKey, stat: str, period_s: int, start: float, end: float, now: float
    ) -> list[tuple[int, float]]:
        """Return (Unix second of the period, value), oldest first; periods without a value are absent.

        As in CloudWatch the start is inclusive and rounded down to the minute, the end exclusive.
        ``period_s`` is a multiple of 60. Raises UnknownStatistic.
        """
        check(stat)
        first = int(start // MINUTE_S) * MINUTE_S
        with self._lock:
            buckets = {b: list(v) for b, v in self._values.get(key, {}).items()}
        periods: dict[int, list[float]] = {}
        for bucket, values in buckets.items():
            minute = self.timeline.minute(bucket, now)
            if first <= minute < end:
                periods.setdefault(minute // period_s * period_s, []).extend(values)
        return [(at, compute(values, stat)) for at, values in sorted(periods.items())]
