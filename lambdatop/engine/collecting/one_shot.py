"""Read for a command that reads once: until everything worth asking was asked, or time is up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from lambdatop.domain.facts.not_read import Gap, Reason
from lambdatop.domain.ports.aws import View
from lambdatop.domain.ports.runtime import Clock
from lambdatop.engine.clock import wait_at_most
from lambdatop.engine.collecting.collectors import UNHURRIED, SourceCollectors

VAIN_MOST = {"ok": 2, "denied": 1}
"""Rounds without progress after which a source is not waited for any more, by how the last one ended.

What was denied may have been another queue than the one that is still to be asked about.
"""
FAILED_MOST, PAUSE_S = 3, 2.0
"""A source that fails after its first answer is asked again so often at most, after 2, 4 and 8 s."""

_REASON: dict[str, Reason] = {"denied": "denied", "throttled": "throttled", "failed": "failed"}


@dataclass(slots=True)
class _Progress:
    """What a source had not asked when it had reported `since` times, and when it may be asked again."""

    gaps: tuple[Gap, ...]
    since: int
    seen: int = -1
    not_before: float = 0.0


class OneShot:
    """Wakes sources while they have something to ask that they have not asked.

    `view` is what a source may look at now, `publish` brings the findings up to date: who is in trouble by
    them is looked at more closely.
    """

    def __init__(
        self,
        clock: Clock,
        collectors: SourceCollectors,
        view: Callable[[], View],
        publish: Callable[[], object],
    ) -> None:
        self._clock, self._collectors, self._view, self._publish = clock, collectors, view, publish
        self._progress: dict[str, _Progress] = {}
        self._last: dict[str, int] | None = None

    async def ask_on(self, deadline: float) -> None:
        """Ask until all have answered and nothing is left to ask, or until `deadline` (monotonic, s)."""
        published = False
        while (left_s := deadline - self._clock.monotonic()) > 0:
            self._collectors.reported.clear()
            due = self._due()
            over = self._over(idle=not due and self._collectors.complete.is_set())
            if over and published:
                return
            if over:
                self._publish()
            published = over
            for name, pause_s in due.items():
                if pause_s <= 0:
                    self._collectors.refresh(name)
            if not over:
                pauses = [pause_s for pause_s in due.values() if pause_s > 0]
                await wait_at_most(self._clock, self._collectors.reported, min((left_s, *pauses)))

    def _over(self, *, idle: bool) -> bool:
        """Return whether nothing is left to ask, and all that was being asked then has been answered.

        An answer may raise another question; the periodic rounds after it would never end.
        """
        if not idle:
            self._last = None
            return False
        if self._last is None:
            self._last = self._collectors.asking
        return all(self._collectors.rounds[name] >= number for name, number in self._last.items())

    def gaps(self, known: Sequence[Gap]) -> tuple[Gap, ...]:
        """Return all gaps: `known` are those of the World; each source adds what it did not ask."""
        own = list(self._left())
        told = {(g.source, g.action, g.reason) for g in own}
        asking = self._collectors.unfinished
        rest = (
            g
            for g in known
            if (g.reason != "not asked" or g.source not in asking)
            and (g.target is not None or (g.source, g.action, g.reason) not in told)
        )
        every = dict.fromkeys((*rest, *own))  # a failed read may be known to both
        return tuple(sorted(every, key=lambda g: (g.source, g.action, g.reason, g.target or "")))

    def _left(self) -> Iterator[Gap]:
        """Yield what was not asked, and why it was not."""
        due = self._due()
        for name, gaps in self._collectors.unasked(self._view()).items():
            late = name in due or (name not in self._collectors.states and name not in UNHURRIED)
            reason = _REASON.get(self._collectors.states.get(name, ""), "out of time" if late else "left out")
            yield from (replace(g, reason=reason) if g.reason == "not asked" else g for g in gaps)

    def _due(self) -> dict[str, float]:
        """Return the sources that may make progress, and in how many seconds they may be asked.

        Sources that nobody waits for are omitted: they share the control plane's rate with those that are
        needed.
        """
        found, now = {}, self._clock.monotonic()
        for name, gaps in self._collectors.unasked(self._view()).items():
            if self._collectors.tries_again(name):
                continue  # its first answer is still to come, and its collector asks for it
            known = name in self._collectors.states and name not in UNHURRIED
            if known and any(gap.reason == "not asked" for gap in gaps):
                pause_s = self._pause_s(name, gaps, now)
                if pause_s is not None:
                    found[name] = pause_s
        return found

    def _pause_s(self, name: str, gaps: tuple[Gap, ...], now: float) -> float | None:
        """Return the seconds until this source may be asked; None when asking it again helps nobody."""
        state, rounds = self._collectors.states[name], self._collectors.rounds[name]
        progress = self._progress.get(name)
        if progress is None or progress.gaps != gaps:
            progress = self._progress[name] = _Progress(gaps, rounds)
        vain = rounds - progress.since
        if vain >= VAIN_MOST.get(state, FAILED_MOST):
            return None
        if progress.seen != rounds:
            progress.seen = rounds
            progress.not_before = now if state in VAIN_MOST else now + PAUSE_S * 2**vain
        return progress.not_before - now
