"""Time compression: several real seconds of executions are published as one minute.

CloudWatch counts in minutes; a demo that shows its incident after ten of them is of no use. With
``DEMO xN`` every ``60 / N`` real seconds are one *bucket*, and a bucket is published as one minute,
back-dated from the moment of the question: the bucket that contains *now* answers for the current wall
minute, the one before it for the minute before, and so on. With N = 12 an hour of history is the last
300 real seconds. The stamps therefore slide while somebody watches; a reader that re-reads its whole
window (as the console does) sees a steady picture.

Ages that grow with the clock (IteratorAge, AsyncEventAge, ApproximateAgeOfOldestMessage) are multiplied by
N, so that their slope against the compressed minutes is the true one. Durations are not: a function that
ran 120 ms ran 120 ms. With N = 1 nothing is compressed or multiplied.
"""

from __future__ import annotations

import math

from msgspec import Struct

MINUTE_S = 60


class Timeline(Struct, frozen=True):
    """Maps real instants (Unix seconds) to buckets and buckets to published minutes."""

    compression: int = 1

    def __post_init__(self) -> None:
        """Refuse a compression that would divide a minute into nothing."""
        if self.compression < 1:
            raise ValueError(f"compression must be at least 1, not {self.compression}")

    @property
    def bucket_s(self) -> float:
        """Real seconds that are published as one minute."""
        return MINUTE_S / self.compression

    def bucket(self, at: float) -> int:
        """Return the number of the bucket that contains the instant ``at`` (Unix seconds)."""
        return math.floor(at / self.bucket_s)

    def minute(self, bucket: int, now: float) -> int:
        """Return the Unix second of the wall minute that ``bucket`` answers for at ``now``."""
        current = math.floor(now / MINUTE_S)
        return (current - (self.bucket(now) - bucket)) * MINUTE_S

    def aged(self, seconds: float) -> float:
        """Return an age in compressed seconds."""
        return max(0.0, seconds) * self.compression
