"""Publish the World and its newest Snapshot. One writer, any number of readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.runtime import Clock
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.events import Event, SourceReported
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Mode, Snapshot, SourceRow
from lambdatop.domain.state.world import EMPTY_WORLD, World
from lambdatop.engine.collecting.deferred_free import NOBODY, DeferredFree
from lambdatop.engine.unexpected import unexpected

FoldAll = Callable[[World, Sequence[Event]], World]

ENGINE = "engine"


class Build(Protocol):
    """`domain.snapshots.builder.build_snapshot`, or a stand-in."""

    def __call__(
        self, world: World, *, previous: Snapshot, at: float, version: str, mode: Mode, settings: Settings
    ) -> Snapshot:
        """Return the snapshot after `previous`."""


class Publisher:
    """Folds events and builds snapshots; a bug in either costs one event or one round, not the engine."""

    def __init__(
        self,
        clock: Clock,
        settings: Settings,
        mode: Mode,
        version: str,
        fold_all: FoldAll | None = None,
        build: Build | None = None,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._mode = mode
        self._version = version
        self._fold_all = fold_all or _domain_fold(clock)
        self._build = build or _domain_build(clock)
        self._broken = ""
        self._deferred = DeferredFree(clock.give_way)
        self._handed_out = NOBODY
        self.world = EMPTY_WORLD
        self.latest = replace(EMPTY_SNAPSHOT, version=version, mode=mode, at=clock.now())

    def take_latest(self) -> Snapshot:
        """Return the newest snapshot, from any thread.

        The caller must not use earlier ones after another call.
        """
        newest = self.latest
        self._deferred.done_with(self._handed_out, newest.logs)
        self._handed_out = newest.seq
        return newest

    def forget(self) -> None:
        """Drop everything but the journal and our own spend: another account, or another time of day."""
        self.world = World(journal=self.world.journal, spend=self.world.spend)

    def forget_reports(self) -> None:
        """Drop how the sources are doing: their last reports seem to come from the future now."""
        self.world = replace(self.world, sources=World().sources)

    def fold(self, events: Sequence[Event]) -> None:
        """Fold events in their order; one that cannot be folded is dropped and reported."""
        try:
            self.world = self._fold_all(self.world, events)
        except Exception as error:  # one bad event must not cost the good ones
            if len(events) > 1:
                for event in events:
                    self.fold((event,))
            elif not isinstance(events[0], SourceReported):
                what = type(events[0]).__name__
                self.fold((self._failed(events[0].scope, unexpected(f"folding {what}", error)),))
            else:
                self.announce(unexpected("folding a report", error))

    def publish(self) -> Snapshot:
        """Build the next snapshot and make it the latest."""
        self._clock.give_way()
        try:
            made = self._build(
                self.world,
                previous=self.latest,
                at=self._clock.now(),
                version=self._version,
                mode=self._mode,
                settings=self._settings,
            )
            self._deferred.keep(self.latest.logs, made.logs, made.seq)
            self.latest = made
        except Exception as error:  # the screen keeps the old data and says why it stands still
            self.announce(unexpected("building the snapshot", error))
        if self._broken:
            self.latest = replace(self.latest, sources=self._with_engine(self._broken))
        self._deferred.clear()
        return self.latest

    def announce(self, sentence: str, *, lasting: bool = False) -> None:
        """Put the engine's failure into the snapshot itself, for when no event could carry it there.

        `lasting` puts it into every snapshot from now on.
        """
        self._broken = sentence if lasting else self._broken
        now, rows = self._clock.now(), self._with_engine(sentence)
        self.latest = replace(self.latest, seq=self.latest.seq + 1, at=now, sources=rows)

    def _with_engine(self, sentence: str) -> tuple[SourceRow, ...]:
        others = (s for s in self.latest.sources if s.name != ENGINE)
        return (*others, SourceRow(ENGINE, "failed", None, sentence))

    def _failed(self, scope: Scope, sentence: str) -> SourceReported:
        return SourceReported(scope, self._clock.now(), ENGINE, "failed", sentence)


def _domain_fold(clock: Clock) -> FoldAll:
    from lambdatop.domain.state.fold import fold_all

    return partial(fold_all, give_way=clock.give_way)


def _domain_build(clock: Clock) -> Build:
    from lambdatop.domain.snapshots.builder import build_snapshot

    return partial(build_snapshot, give_way=clock.give_way)
