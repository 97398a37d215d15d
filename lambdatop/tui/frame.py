"""Define what a pane paints: one Snapshot, and the moment of painting. Compared by identity."""

from __future__ import annotations

from msgspec import Struct, field

from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot, SourceRow, Target

BAD = ("denied", "failed", "throttled", "stale")
"""States of a source in which its pane shows old data, greyed."""

STALE_AFTER_PACES = 3.0
STALE_FLOOR_S = 30.0


class Frame(Struct, frozen=True, eq=False):
    """A Snapshot at `now` (s since the epoch); `paused_at` is set while the display is paused."""

    snapshot: Snapshot = EMPTY_SNAPSHOT
    now: float = 0.0
    paused_at: float | None = None
    settings: Settings = field(default_factory=Settings)

    @property
    def lag_s(self) -> float:
        """Seconds since the snapshot was made: what every age in it has grown by."""
        return max(0.0, self.now - self.snapshot.at)

    def age(self, age_s: float | None) -> float | None:
        """Return an age from the snapshot as it is now, in s."""
        return None if age_s is None else age_s + self.lag_s

    def since(self, as_of: float | None) -> float | None:
        """Return how old what was known at a moment (s since the epoch) is now, in s."""
        return None if as_of is None else max(0.0, self.now - as_of)

    @property
    def connected(self) -> bool:
        """Whether anything has been learned from AWS yet."""
        return bool(self.snapshot.targets)

    @property
    def target(self) -> Target | None:
        """The account and region on screen, None before the connection stands."""
        return self.snapshot.targets[0] if self.snapshot.targets else None

    def source(self, name: str) -> SourceRow | None:
        """Return the state of one collector."""
        return next((s for s in self.snapshot.sources if s.name == name), None)

    def pace(self, name: str) -> float:
        """Return the seconds between two rounds of a collector: what it reports, else what is configured."""
        row = self.source(name)
        if row is not None and row.pace_s:
            return row.pace_s
        return float(getattr(self.settings.paces, name, 60.0))

    def is_stale(self, age_s: float | None, source: str) -> bool:
        """Return whether data of this age (now, s) has missed several rounds of its source."""
        return age_s is not None and age_s > max(STALE_FLOOR_S, STALE_AFTER_PACES * self.pace(source))

    @property
    def trouble(self) -> str:
        """Why there is no connection, in one sentence; empty while it is being made or stands."""
        if self.connected:
            return ""
        return next((s.error for s in self.snapshot.sources if s.error), "")


EMPTY_FRAME = Frame()
