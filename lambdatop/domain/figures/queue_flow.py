"""Compute a queue's flow: received, deleted, redelivery, depth over time. For rows and detectors."""

from __future__ import annotations

from msgspec import Struct

from lambdatop.domain.facts.series import MINUTE
from lambdatop.domain.figures.rates import Points, Window, points_of, slope_per_min
from lambdatop.domain.keys import Key
from lambdatop.domain.state.world import World


class Flow(Struct, frozen=True):
    """Sums over a window of final minutes; `ratio` = received / max(deleted, 1).

    `ratio` is None when nothing was received.
    """

    sent: float
    received: float
    deleted: float

    @property
    def ratio(self) -> float | None:
        """Received per deleted message; 1 is healthy."""
        return self.received / max(self.deleted, 1.0) if self.received else None


def flow(world: World, queue: Key, over: Window) -> Flow | None:
    """Return the queue's flow, None when CloudWatch returned nothing about it."""
    received = world.metric(queue, "NumberOfMessagesReceived")
    deleted = world.metric(queue, "NumberOfMessagesDeleted")
    sent = world.metric(queue, "NumberOfMessagesSent")
    if not (received.times or deleted.times or sent.times):
        return None
    return Flow(*(s.sum(over.start, over.end) for s in (sent, received, deleted)))


class Growth(Struct, frozen=True):
    """Change of depth: `grown` messages between the first and last point, slope per minute.

    `since` is the last moment before it began to grow (s since the epoch).
    """

    grown: int
    per_min: float
    minutes: float
    since: float


def depths(world: World, queue: Key, over: Window) -> Points:
    """Return the depth (visible + in flight) by CloudWatch's minutes; by polls where it has none.

    NumberOfMessagesSent is never used: it does not count what a redrive policy moves.
    """
    visible = world.metric(queue, "ApproximateNumberOfMessagesVisible", "Maximum")
    hidden = world.metric(queue, "ApproximateNumberOfMessagesNotVisible", "Maximum")
    flying = dict(points_of(hidden, over))
    points = tuple((at, depth + flying.get(at, 0.0)) for at, depth in points_of(visible, over))
    if len(points) < 2:
        history = world.queues.get(queue)
        begin = over.end - over.minutes * MINUTE
        points = tuple((t, float(d)) for t, d in (history.depths if history else ()) if t >= begin)
    return points


def growth(world: World, queue: Key, over: Window) -> Growth | None:
    """Return the growth of depth over a window; None below two points."""
    points = depths(world, queue, over)
    slope = slope_per_min(points)
    if slope is None:
        return None
    span = (points[-1][0] - points[0][0]) / MINUTE
    lowest = min(depth for _, depth in points)
    since = max(at for at, depth in points if depth == lowest)
    return Growth(round(points[-1][1] - points[0][1]), slope, span, since)
