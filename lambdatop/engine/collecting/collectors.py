"""Run all collectors of one connection, and order their start."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.ports.aws import Source, Telling, Unfinished, View, Waking
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.sources import SOURCES
from lambdatop.domain.state.events import Event, SourceReported
from lambdatop.engine.collecting.collector import Collector, Setting

NEEDS: Mapping[str, frozenset[str]] = {
    name: frozenset(need.name for need in spec.needs) for name, spec in SOURCES.items()
}
"""Which sources must have answered before another one can ask anything sensible."""

UNHURRIED = frozenset(name for name, spec in SOURCES.items() if spec.start == "unhurried")
"""Sources that nobody waits for, and that leave the way free for all others when a connection begins."""

HEAD_START_S = 5.0
"""What an unhurried source leaves the others before it begins; longer when they have not reported by then."""

ROWS_FIRST = frozenset(name for name, spec in SOURCES.items() if spec.start == "rows first")
ROWS_FIRST_S = 0.1
"""How long these are alone: other services' clients take 20 ms each to load, and somebody waits for a row."""

PATIENCE_S = 10.0
"""A source begins without what it needs after this time, and asks again when it has come."""

DEFAULT_PACE_S = 60.0

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class SourceCollectors:
    """The collectors that run now.

    `complete` is set once all of them but the unhurried have answered, or have failed in a way that asking
    again does not help. `states` is how the last round of each ended, `rounds` how many have ended;
    `reported` is set by each end.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._collectors: dict[str, Collector] = {}
        self._ready: dict[str, asyncio.Event] = {}
        self._waiting: set[str] = set()
        self._sources: Sequence[Source] = ()
        self.complete = asyncio.Event()
        self.reported = asyncio.Event()
        self.states: dict[str, str] = {}
        self.rounds: Counter[str] = Counter()
        self.tasks: set[asyncio.Task[None]] = set()

    def start(self, sources: Sequence[Source], setting: Setting, spawn: Spawn) -> None:
        """Run one collector per source."""
        self._collectors = {
            s.name: Collector(s, getattr(self._settings.paces, s.name, DEFAULT_PACE_S), setting)
            for s in sources
        }
        self._sources, self.states = sources, {}
        self.rounds.clear()
        for source in sources:
            if isinstance(source, Waking):
                source.when_news_come(self._collectors[source.name].wake)
            if isinstance(source, Telling):
                source.when_parts_come(setting.post)
        self._waiting = set(self._collectors) - UNHURRIED
        self._ready = {name: asyncio.Event() for name in self._waiting}
        self.complete.clear()
        self._announce()
        for name, collector in self._collectors.items():
            hurried = name in self._ready
            ready = self._ready.get(name, self.complete)
            head_start_s = 0.0 if name in ROWS_FIRST else ROWS_FIRST_S if hurried else HEAD_START_S
            self.tasks.add(spawn(self._run(collector, setting, ready, head_start_s)))

    async def _run(
        self, collector: Collector, at: Setting, ready: asyncio.Event, head_start_s: float
    ) -> None:
        if head_start_s:
            await at.clock.sleep(head_start_s)
        await collector.run(ready, PATIENCE_S)

    async def stop(self) -> None:
        """Cancel every collector and wait for its end."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()
        self._collectors.clear()

    def refresh(self, name: str | None = None) -> None:
        """Ask everything now, or the source of this name; what is being asked is not asked again."""
        for collector in self._collectors.values():
            if name in (None, collector.name):
                collector.refresh()

    def tries_again(self, name: str) -> bool:
        """Return whether a source had no answer yet and its collector asks it again soon."""
        return (
            name in self._collectors
            and self.states.get(name) in ("throttled", "failed")
            and (self._collectors[name].hopes)
        )

    @property
    def unfinished(self) -> dict[str, Unfinished]:
        """Sources that say themselves what they have not asked yet, by name."""
        return {s.name: s for s in self._sources if isinstance(s, Unfinished)}

    def unasked(self, view: View) -> dict[str, tuple[Gap, ...]]:
        """Return what sources have not asked yet, by name; sources with nothing left are omitted."""
        found = {name: tuple(source.unasked(view)) for name, source in self.unfinished.items()}
        return {name: gaps for name, gaps in found.items() if gaps}

    @property
    def asking(self) -> dict[str, int]:
        """Sources that are waited for and being asked now, with the rounds that they will then have ended."""
        waited = (c for name, c in self._collectors.items() if name not in UNHURRIED)
        return {c.name: c.begun for c in waited if c.begun > self.rounds[c.name]}

    def wake(self, name: str) -> None:
        """Ask one source now, because what it looks at has changed."""
        if name in self._collectors:
            self._collectors[name].wake()

    def note(self, events: Sequence[Event]) -> bool:
        """Take notice of folded reports; True when with them every source has reported once."""
        was_complete = self.complete.is_set()
        ended = [e for e in events if isinstance(e, SourceReported) and e.state not in ("starting", "stale")]
        reported = {e.source for e in ended}
        self.states |= {e.source: e.state for e in ended}
        self.rounds.update(e.source for e in ended)
        for name in reported & self._waiting:
            if self.tries_again(name):
                continue  # throttled is not an answer: it is asked again soon
            self._waiting.discard(name)
            for dependent, needs in NEEDS.items():
                if name in needs and self._may_begin(dependent) and dependent in self._collectors:
                    self._collectors[dependent].wake()
        self._announce()
        if ended:
            self.reported.set()
        return bool(self._collectors) and self.complete.is_set() and not was_complete

    def _announce(self) -> None:
        for name, ready in self._ready.items():
            if self._may_begin(name):
                ready.set()
        if not self._waiting:
            self.complete.set()

    def _may_begin(self, name: str) -> bool:
        return not (NEEDS.get(name, frozenset()) & self._waiting)
