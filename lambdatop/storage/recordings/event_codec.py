"""Write one event as one line of JSON, and read it. Pure.

    {"event": "FunctionsListed", "scope": [account, region], "at": …, "functions": [{…}, …]}

Every event is written by its type hints (`typed_json.py`), so a new event or field needs no code here.

Metric answers repeat the whole history window each round, so a MetricsObserved is written as what
changed against the answers before it in the same file:

    {"event": "MetricsObserved", "scope": …, "at": …, "start": …, "end": …,
     "new": [[key, metric, stat], …],  series seen for the first time; they get the next free numbers
     "series": [0, 1, 2, …],           the numbers in this answer; left out when as in the answer before
     "moved": -60,                     s by which all earlier points have moved; left out when 0
     "points": [[position, kept, [[minute, value], …]], …]}

A series' points are the first `kept` of those it had in its last answer, moved, without what lies before
`start`, followed by the points listed. A series that lost only its oldest minutes has no entry at all.
(Only the demo moves points: its published minutes outrun the clock, so it dates them back ever further.)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Scope
from lambdatop.domain.state import events as ev
from lambdatop.storage.recordings.typed_json import Mismatch, codec

EVENTS: dict[str, Any] = {
    name: kind
    for name, kind in vars(ev).items()
    if isinstance(kind, type) and issubclass(kind, ev.Event) and kind is not ev.Event
}
Points = Sequence[tuple[int, float]]
SAMPLE = 12
"""Series by which a move of the points is judged."""


class EventWriter:
    """Events to lines; remembers the last metric answers of its file. Pure."""

    def __init__(self) -> None:
        self._numbers: dict[SeriesKey, int] = {}
        self._known: dict[SeriesKey, Points] = {}
        self._last: dict[Scope, list[int]] = {}

    def line(self, event: ev.Event) -> str:
        """Return one event as one line without its line feed; raise ValueError for what JSON cannot hold."""
        name = type(event).__name__
        body = self._metrics(event) if isinstance(event, ev.MetricsObserved) else None
        body = codec(EVENTS[name]).write(event) if body is None else body
        return dumps({"event": name} | body)

    def _metrics(self, event: ev.MetricsObserved) -> dict[str, Any]:
        new, numbers, changed = [], [], []
        moved = self._moved(event)
        for position, (series, points) in enumerate(event.data):
            if series not in self._numbers:
                self._numbers[series] = len(self._numbers)
                new.append(series)
            numbers.append(self._numbers[series])
            base = _base(self._known.get(series, ()), moved, event.start)
            self._known[series] = points
            kept = _common(base, points)
            if kept < len(base) or kept < len(points):
                changed.append([position, kept, _POINTS.write(points[kept:])])
        body = codec(ev.MetricsObserved).write(
            ev.MetricsObserved(event.scope, event.at, event.start, event.end, (), event.partial)
        )
        body = {name: value for name, value in body.items() if name != "data"}
        if new:
            body["new"] = _SERIES.write(tuple(new))
        if self._last.get(event.scope) != numbers:
            body["series"] = self._last[event.scope] = numbers
        if moved:
            body["moved"] = moved
        return body | {"points": changed}

    def _moved(self, event: ev.MetricsObserved) -> int:
        """Return the shift of all points that saves most, judged by a few series."""
        pairs = ((self._known.get(series, ()), points) for series, points in event.data)
        known = [(base, points) for base, points in pairs if base and points][:SAMPLE]
        moves = {points[0][0] - base[0] for whole, points in known[:1] for base in whole}

        def kept(move: int) -> int:
            return sum(_common(_base(base, move, event.start), points) for base, points in known)

        return max(sorted(moves), key=kept) if moves and kept(0) < sum(len(p) for _, p in known) // 2 else 0


class EventReader:
    """Lines to events; the counterpart of EventWriter. `unknown` collects the fields passed over. Pure."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()
        self._names: list[SeriesKey] = []
        self._known: dict[SeriesKey, Points] = {}
        self._last: dict[Scope, list[int]] = {}

    def event(self, line: str) -> ev.Event:
        """Return the event of one line.

        Raises:
            Mismatch: the line is not an event of this schema; the text says where.
        """
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Mismatch(f"no JSON: {error}") from error
        name = data.pop("event", None) if isinstance(data, dict) else None
        kind = EVENTS.get(name) if isinstance(name, str) else None
        if kind is None:
            raise Mismatch(f"unknown event {name!r}" if name is not None else "no event")
        if kind is ev.MetricsObserved:
            return self._metrics(data)
        found: ev.Event = codec(kind).read(data, kind.__name__, self.unknown)
        return found

    def _metrics(self, data: dict[str, Any]) -> ev.MetricsObserved:
        path = "MetricsObserved"
        self._names += _SERIES.read(data.pop("new", []), f"{path}.new", self.unknown)
        rows = _CHANGED.read(data.pop("points", None), f"{path}.points", self.unknown)
        moved = codec(int).read(data.pop("moved", 0), f"{path}.moved", self.unknown)
        given = _NUMBERS.read(data.pop("series", None), f"{path}.series", self.unknown)
        bare: ev.MetricsObserved = codec(ev.MetricsObserved).read(data | {"data": []}, path, self.unknown)
        numbers = self._last.get(bare.scope, []) if given is None else list(given)
        self._last[bare.scope] = numbers
        changed = {position: (kept, points) for position, kept, points in rows}
        if not all(0 <= n < len(self._names) for n in numbers) or not set(changed) <= set(
            range(len(numbers))
        ):
            raise Mismatch(f"{path}: a number in it stands for no series")
        answered = tuple(
            self._answered(self._names[number], (moved, bare.start), changed.get(position))
            for position, number in enumerate(numbers)
        )
        return ev.MetricsObserved(bare.scope, bare.at, bare.start, bare.end, answered, bare.partial)

    def _answered(
        self, series: SeriesKey, place: tuple[int, float], change: tuple[int, Points] | None
    ) -> ev.MetricPoints:
        base = _base(self._known.get(series, ()), *place)
        kept, points = change or (len(base), ())
        if not 0 <= kept <= len(base):
            raise Mismatch(f"MetricsObserved.points: {kept} points are kept of {len(base)}")
        whole = self._known[series] = (*base[:kept], *points)
        return ev.MetricPoints(series, whole)


_POINTS = codec(Points)
_NUMBERS = codec(tuple[int, ...] | None)
_SERIES = codec(tuple[SeriesKey, ...])
_CHANGED = codec(tuple[tuple[int, int, Points], ...])


def dumps(data: Any) -> str:
    """Return strict JSON on one line; raise ValueError for what JSON cannot hold."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def _base(points: Points, moved: int, start: float) -> Points:
    """Return earlier points as a later answer may repeat them."""
    return tuple((t + moved, v) for t, v in points if t + moved >= start)


def _common(base: Points, points: Points) -> int:
    """Return the length of the common beginning."""
    for i, (a, b) in enumerate(zip(base, points, strict=False)):
        if a != b:
            return i
    return min(len(base), len(points))
