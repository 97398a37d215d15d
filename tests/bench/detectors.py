"""The scoreboard of the detectors: every labelled scene, replayed round by round through fold and build.

    python -m bench.detectors [--misses] [--write]

A detector is right where it states what a scene's labels demand, at the severity they ask for; wrong where it
states anything above info that is neither demanded nor an accepted consequence, or what the labels forbid.
Precision = right / (right + wrong), recall = right / demanded. The delay is the median of published minutes
from the beginning of the symptom to the round that stated it; the publishing delay of two minutes and the
minute itself are in it. `make detectors` prints it and fails below the floors that stand here.

A quiet scene demands nothing above info: whatever is stated there above info is a false alarm.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import median

from scenes import published
from scenes.scene import Label, Scene, Seen, rank, recorded, recorded_names, watch
from scenes.shaped import shaped

from lambdatop.domain.detectors.registry import REGISTRY

PAGE = Path(__file__).resolve().parents[2] / "docs/detector-quality.md"
PRECISION_FLOOR = 0.90
RECALL_FLOOR = 0.95
KNOWN_MISSES = {
    (
        "metrics-are-events",
        "traffic_burst",
    ): "a function without a past: its first minutes in a loop look like its first day",
    (
        "seven-an-hour",
        "timeouts",
    ): "small numbers are silent: seven far from each other are never two in five minutes",
    ("swallowed", "error_rate"): "the handler catches what it logs: for Lambda each run succeeds, and no "
    "detector counts logged errors",
    ("log-of-the-log", "log_storm"): "said as information, since each invocation logs what it did before; "
    "`cost_burn` warns",
}
"""What is demanded and not stated, by scene and detector, with the reason; a test holds it to the truth."""
HEAD = ("detector", "scenes", "right", "wrong", "missed", "precision", "recall", "median delay")


@dataclass(slots=True)
class Score:
    """One detector over all scenes; `notes` say what was wrong or missed."""

    scenes: set[str] = field(default_factory=set)
    right: int = 0
    wrong: int = 0
    missed: int = 0
    delays_min: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float | None:
        """Right / stated; None when nothing was stated."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def recall(self) -> float | None:
        """Right / demanded; None when nothing was demanded."""
        return self.right / (self.right + self.missed) if self.right + self.missed else None


@cache
def every_scene() -> tuple[Scene, ...]:
    """Return the recorded and the AWS-shaped scenes."""
    return (*(recorded(name) for name in recorded_names()), *shaped().values())


def score(scenes: Iterable[Scene]) -> dict[str, Score]:
    """Return the scores of all detectors that are built, in the order of the contract."""
    scores = {name: Score() for name in REGISTRY}
    for scene in scenes:
        found, rounds = watch(scene)
        for label in scene.must:
            if label.detector in scores:
                _demanded(scores[label.detector], scene, label, found, rounds)
        for (detector, target), seen in found.items():
            if why := _wrong(scene, detector, target, seen):
                scores[detector].wrong += 1
                scores[detector].scenes.add(scene.name)
                scores[detector].notes.append(f"{scene.name}: {why}: {target}: {seen.title}")
    return scores


def _demanded(
    score: Score, scene: Scene, label: Label, found: dict[tuple[str, str], Seen], rounds: int
) -> None:
    score.scenes.add(scene.name)
    fitting = [seen for (d, t), seen in found.items() if label.fits(d, t) and _met(label, seen, rounds)]
    if not fitting:
        score.missed += 1
        score.notes.append(f"{scene.name}: missed: {label.target} at {label.at_least} or above")
        return
    score.right += 1
    if label.symptom_at is not None:
        stated = min(seen.first[rank(label.at_least)] for seen in fitting)
        # A symptom that began before the scene was there from its first round on.
        delay_s = max(0.0, stated - max(label.symptom_at, scene.began_at))
        score.delays_min.append(delay_s / 60 * scene.settings.metrics.times)


def _met(label: Label, seen: Seen, rounds: int) -> bool:
    if rank(label.at_least) not in seen.first or not set(label.evidence) <= seen.evidence:
        return False
    stands = seen.rounds[-1] == rounds
    whole = len(seen.rounds) == rounds - seen.rounds[0] + 1
    return (not label.stays or (stands and whole)) and (not label.clears or not stands)


def _wrong(scene: Scene, detector: str, target: str, seen: Seen) -> str:
    """Return why a finding is wrong, "" when it is right or a consequence."""
    if any(label.fits(detector, target) for label in scene.never):
        return "forbidden"
    demanded = [label for label in scene.must if label.fits(detector, target)]
    if demanded and seen.worst > max(rank(label.at_most) for label in demanded):
        return "too severe"
    accepted = demanded or [label for label in scene.may if label.fits(detector, target)]
    return "" if accepted or seen.worst == 0 else "not demanded"


def total(scores: Iterable[Score]) -> Score:
    """Return the score of all detectors together."""
    whole = Score()
    for one in scores:
        whole.scenes |= one.scenes
        whole.right += one.right
        whole.wrong += one.wrong
        whole.missed += one.missed
        whole.delays_min += one.delays_min
    return whole


def markdown(scores: dict[str, Score], scenes: Sequence[Scene]) -> str:
    """Return the table of docs/detector-quality.md, with its totals."""
    rows = [_row(f"`{name}`", one, len(one.scenes)) for name, one in scores.items()]
    for name, some in (
        ("published incidents", [s for s in scenes if s.published]),
        ("incidents made up and recorded", [s for s in scenes if not s.published and demands(s)]),
        ("quiet days", [s for s in scenes if not demands(s)]),
        ("**all**", scenes),
    ):
        rows.append(_row(name, total(score(some).values()), len(some)))
    lines = (HEAD, ("---", *("---:" for _ in HEAD[1:])), *rows)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def demands(scene: Scene) -> bool:
    """Return whether a scene is an incident: something above info is demanded of it, or by publication."""
    return scene.published or any(label.at_least != "info" for label in scene.must)


def misses(scenes: Sequence[Scene]) -> set[tuple[str, str]]:
    """Return what is demanded and not stated, by scene and detector."""
    found = score(scenes)
    notes = ((name, note) for name, one in found.items() for note in one.notes)
    return {(note.split(":", 1)[0], name) for name, note in notes if ": missed: " in note}


def missed(scenes: Sequence[Scene]) -> str:
    """Return the list of misses, each with its reason."""
    titles = {scene.name: scene.title for scene in scenes}
    lines = []
    for scene, detector in sorted(misses(scenes)):
        why = KNOWN_MISSES.get((scene, detector), "not explained")
        lines.append(f"- `{detector}` in *{titles[scene]}*: {why}.")
    return "\n".join(lines) or "Nothing."


def incidents() -> str:
    """Return the table of published incidents: title, source, findings demanded and stated, delays."""
    lines = ["| incident | report | stated | after |", "| --- | --- | ---: | ---: |"]
    for build in published.SCENES:
        scene = shaped()[build().name]
        one = total(score([scene]).values())
        after = f"{min(one.delays_min):.1f} min" if one.delays_min else "-"
        address = published.source(build)
        place = address.removeprefix("https://").split("/", 1)[0].removeprefix("www.")
        stated = f"{one.right} of {one.right + one.missed}"
        lines.append(f"| {scene.title} | [{place}]({address}) | {stated} | {after} |")
    return "\n".join(lines)


def counts(scenes: Sequence[Scene]) -> str:
    """Return how many incidents and quiet days there are, and how many alarms are false."""
    public = sum(scene.published for scene in scenes)
    quiet = [scene for scene in scenes if not demands(scene)]
    made = len(scenes) - public - len(quiet)
    false = total(score(quiet).values()).wrong
    return (
        f"{public} published incidents, {made} made up or recorded, {len(quiet)} quiet days with "
        f"{false} false alarms."
    )


def _row(name: str, one: Score, scenes: int) -> Sequence[str]:
    delay = f"{median(one.delays_min):.1f} min" if one.delays_min else "-"
    counts = (scenes, one.right, one.wrong, one.missed)
    return (name, *map(str, counts), _share(one.precision), _share(one.recall), delay)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def between(text: str, name: str, new: str) -> str:
    """Return `text` with everything between `<!-- name -->` and `<!-- /name -->` replaced."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"the page has no {begin.strip()} … {end}")
    return f"{before}{begin}{new}\n{end}{after}"


def page(text: str, scores: dict[str, Score], scenes: Sequence[Scene]) -> str:
    """Return docs/detector-quality.md with all that is measured written anew."""
    parts = {
        "counts": counts(scenes),
        "detectors": markdown(scores, scenes),
        "missed": missed(scenes),
        "incidents": incidents(),
    }
    for name, part in parts.items():
        text = between(text, name, part)
    return text


def main() -> int:
    """Print the table; 1 below the floors."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--misses", action="store_true", help="say what was wrong or missed, and where")
    parser.add_argument("--write", action="store_true", help="write the table into docs/detector-quality.md")
    args = parser.parse_args()
    scenes = every_scene()
    scores = score(scenes)
    table = markdown(scores, scenes)
    sys.stdout.write(f"{table}\n\n{counts(scenes)} Missed:\n{missed(scenes)}\n")
    for name, one in scores.items():
        for note in one.notes if args.misses else ():
            sys.stdout.write(f"{name}: {note}\n")
    if args.write:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), scores, scenes), encoding="utf-8")
    whole = total(scores.values())
    return int((whole.precision or 0) < PRECISION_FLOOR or (whole.recall or 0) < RECALL_FLOOR)


if __name__ == "__main__":
    raise SystemExit(main())
