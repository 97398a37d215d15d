"""Compute a queue's flow: received, deleted, redelivery, depth over time. For rows and detectors."""

from __future__ import annotations

from math import inf

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


def unpublished_deletions(world: World, queue: Key, over: Window) -> float:
    """Return how many messages must have been deleted in the minutes for which CloudWatch tells none.

    A minute without deletions has no point (SQS developer guide, "Available CloudWatch metrics"), nor has
    one whose point is late. What was sent, is not there any more, and is not in the dead-letter queue was
    deleted.
    """
    told = dict(points_of(world.metric(queue, "NumberOfMessagesDeleted"), over))
    sent = dict(points_of(world.metric(queue, "NumberOfMessagesSent"), over))
    untold = [at for at in sent if at not in told]
    there = [(at, depth) for at, depth in depths(world, queue, over) if untold and at >= untold[0] - MINUTE]
    if len(there) < 2:
        return 0.0
    history = world.queues.get(queue)
    dead = growth(world, history.facts.dlq, over) if history and history.facts.dlq else None
    stayed = max(0.0, there[-1][1] - there[0][1]) + max(0, dead.grown if dead else 0)
    return max(0.0, sum(sent[at] for at in untold) - stayed)


class Growth(Struct, frozen=True):
    """Change of depth: `grown` messages between the first and last point, slope per minute.

    `since` is the last moment before it began to grow (s since the epoch).
    """

    grown: int
    per_min: float
    minutes: float
    since: float


def depths(world: World, queue: Key, over: Window, *, new_flights: bool = True) -> Points:
    """Return the depth (visible + in flight) by CloudWatch's minutes; by polls where it has none.

    Without `new_flights` no more count as in flight than did in the first minute. NumberOfMessagesSent is
    never used: it does not count what a redrive policy moves.
    """
    visible = world.metric(queue, "ApproximateNumberOfMessagesVisible", "Maximum")
    hidden = world.metric(queue, "ApproximateNumberOfMessagesNotVisible", "Maximum")
    flying, seen = dict(points_of(hidden, over)), points_of(visible, over)
    most = inf if new_flights or not seen else flying.get(seen[0][0], 0.0)
    points = tuple((at, depth + min(most, flying.get(at, 0.0))) for at, depth in seen)
    if len(points) < 2:
        history = world.queues.get(queue)
        begin = over.end - over.minutes * MINUTE
        points = tuple((t, float(d)) for t, d in (history.depths if history else ()) if t >= begin)
    return points


def growth(world: World, queue: Key, over: Window) -> Growth | None:
    """Return the growth of depth over a window; None below two points.

    More in flight is no growth by itself: each message was visible before, and both maxima of a minute may
    hold the same one.
    """
    return _grown(depths(world, queue, over, new_flights=False))


def arrivals(world: World, queue: Key, over: Window) -> Growth | None:
    """Return how many messages came: growth, and what a consumer has deleted between the points.

    A consumer may take each one before the depth shows it. None below two points.
    """
    points = depths(world, queue, over, new_flights=False)
    deleted = dict(points_of(world.metric(queue, "NumberOfMessagesDeleted"), over))
    came, taken = [], 0.0
    for at, depth in points:
        came.append((at, depth + taken))
        taken += deleted.get(at, 0.0)
    return _grown(tuple(came))


def _grown(points: Points) -> Growth | None:
    slope = slope_per_min(points)
    if slope is None:
        return None
    span = (points[-1][0] - points[0][0]) / MINUTE
    lowest = min(depth for _, depth in points)
    since = max(at for at, depth in points if depth == lowest)
    return Growth(round(points[-1][1] - points[0][1]), slope, span, since)
