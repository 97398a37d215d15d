"""A labelled scene: an event stream, and what the detectors must and must not say about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct
from msgspec.structs import replace

from lambdatop.domain.plans.finding import SEVERITIES, Severity
from lambdatop.domain.settings.settings import MetricSettings, Settings
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state.events import Event
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.domain.state.world import EMPTY_WORLD
from lambdatop.storage.recordings.recording import read_recording

HERE = Path(__file__).parent
ANY = "*"


class Label(Struct, frozen=True):
    """What one detector says about one target (its name; `*` is any).

    `at_least` and `at_most` bound the severity. `symptom_at` is when the symptom began (s since the epoch).
    `stays`: once stated it stands until the scene ends; `clears`: it is gone by then. `evidence` are entries
    that must stand in the finding.
    """

    detector: str
    target: str
    at_least: Severity = "warning"
    at_most: Severity = "critical"
    symptom_at: float | None = None
    stays: bool = False
    clears: bool = False
    evidence: tuple[tuple[str, object], ...] = ()

    def fits(self, detector: str, target: str) -> bool:
        return self.detector in (detector, ANY) and self.target in (target, ANY)


class Scene(Struct, frozen=True):
    """Events in the order of their arrival, with labels.

    `must` is the incident; `may` are its consequences, neither right nor wrong; everything else above info
    is wrong, and what stands in `never` is wrong even as info. A snapshot is built every `step_s` of the
    scene's clock. `published` is an incident that somebody has written about, not one that we made up.
    """

    name: str
    title: str
    settings: Settings
    events: tuple[Event, ...]
    began_at: float
    step_s: float = 60.0
    must: tuple[Label, ...] = ()
    may: tuple[Label, ...] = ()
    never: tuple[Label, ...] = ()
    recorded: bool = False
    published: bool = False


@dataclass(slots=True)
class Seen:
    """One finding over a scene: when it was first stated at which severity, and when it was there."""

    first: dict[int, float] = field(default_factory=dict)
    rounds: list[int] = field(default_factory=list)
    evidence: set[tuple[str, object]] = field(default_factory=set)
    title: str = ""
    texts: set[str] = field(default_factory=set)

    @property
    def worst(self) -> int:
        return max(self.first)


def rounds(scene: Scene) -> Iterator[tuple[float, tuple[Event, ...]]]:
    """Yield events of each round with the round's moment; late events belong to the round they arrive in."""
    now, due, batch = scene.began_at, scene.began_at + scene.step_s, list[Event]()
    for event in scene.events:
        if event.at >= due:
            yield now, tuple(batch)
            batch = []
            due += scene.step_s * max(1, (event.at - due) // scene.step_s + 1)
        batch.append(event)
        now = max(now, event.at)
    if batch:
        yield now, tuple(batch)


def snapshots(scene: Scene) -> Iterator[Snapshot]:
    """Yield the scene by the real path: fold, then build, round by round."""
    world, latest = EMPTY_WORLD, EMPTY_SNAPSHOT
    for now, events in rounds(scene):
        world = fold_all(world, events)
        latest = build_snapshot(
            world, previous=latest, at=now, version="scene", mode="operator", settings=scene.settings
        )
        yield latest


_watched: dict[tuple[int, int], tuple[Scene, tuple[dict[tuple[str, str], Seen], int]]] = {}


def watch(scene: Scene) -> tuple[dict[tuple[str, str], Seen], int]:
    """Return everything that was stated, by detector and target name, and the number of rounds.

    The labels change nothing of it, so the same events are played once.
    """
    key = (id(scene.events), id(scene.settings))
    if key not in _watched:
        _watched[key] = scene, _watch(scene)
    return _watched[key][1]


def _watch(scene: Scene) -> tuple[dict[tuple[str, str], Seen], int]:
    found: dict[tuple[str, str], Seen] = {}
    number = 0
    for number, snapshot in enumerate(snapshots(scene), 1):
        for finding in snapshot.findings:
            name = finding.target.name.replace(" -> ", " → ")
            seen = found.setdefault((finding.detector, name), Seen())
            seen.rounds.append(number)
            seen.evidence.update(finding.evidence)
            seen.title = f"{finding.title} [{finding.formula}]"
            seen.texts.update((finding.title, finding.formula))
            for rank in range(finding.rank + 1):
                seen.first.setdefault(rank, snapshot.at)
    return found, number


def rank(severity: Severity) -> int:
    return SEVERITIES.index(severity)


def recorded_names() -> tuple[str, ...]:
    """Return the scenes of labels.yaml."""
    return tuple(_labels())


def recorded(name: str) -> Scene:
    """Return one recorded scene with its labels."""
    given = _labels()[name]
    file = HERE / f"{name}.jsonl.gz"
    recording = read_recording(file, any_owner=True)
    header = recording.header
    metrics = MetricSettings(publish_delay_s=header.publish_delay_s, times=header.times)
    usual_s = given.get("symptom_s", 0)
    must = tuple(
        replace(_label(item), symptom_at=header.began_at + float(item.get("symptom_s", usual_s)))
        for item in given.get("must") or ()
    )
    return Scene(
        name,
        given["title"],
        Settings(metrics=metrics),
        recording.events,
        header.began_at,
        60.0 / header.times,
        must,
        tuple(_label(item) for item in given.get("may") or ()),
        tuple(_label(item) for item in given.get("never") or ()),
        recorded=True,
    )


def _labels() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((HERE / "labels.yaml").read_text(encoding="utf-8"))
    return found


def _label(item: dict[str, Any]) -> Label:
    return Label(**{name: value for name, value in item.items() if name != "symptom_s"})
