"""The scoreboard of the detectors, over all labelled scenes; and the tools that record and soak."""

from __future__ import annotations

import re
from operator import ge, gt, le, lt
from pathlib import Path

import pytest
from bench import calm_soak, detectors
from bench.record_scenes import LIMIT_BYTES, Thinned
from msgspec.structs import replace
from scenes import lookalikes, lookalikes_queues, published
from scenes.scene import HERE, Label, Scene, recorded, recorded_names, watch
from scenes.shaped import shaped

from lambdatop.domain.detectors.registry import REGISTRY
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.snapshot import Snapshot

ROOT = Path(__file__).resolve().parents[2]


pytestmark = pytest.mark.timeout(400)  # all scenes through all detectors


@pytest.fixture(scope="module")
def scores() -> dict[str, detectors.Score]:
    return detectors.score(detectors.every_scene())


def test_the_detectors_are_as_good_as_promised(scores: dict[str, detectors.Score]) -> None:
    whole = detectors.total(scores.values())
    notes = [f"{name}: {note}" for name, one in scores.items() for note in one.notes]
    assert whole.precision is not None
    assert whole.recall is not None
    assert whole.precision >= detectors.PRECISION_FLOOR, notes
    assert whole.recall >= detectors.RECALL_FLOOR, notes


def test_every_detector_is_demanded_by_some_scene(scores: dict[str, detectors.Score]) -> None:
    assert [name for name, one in scores.items() if one.right + one.missed == 0] == []


def test_the_page_says_how_good_they_are(scores: dict[str, detectors.Score]) -> None:
    text = detectors.PAGE.read_text(encoding="utf-8")
    assert detectors.page(text, scores, detectors.every_scene()) == text, "make detectors-write"


def test_misses_are_known_and_explained() -> None:
    assert detectors.misses(detectors.every_scene()) == set(detectors.KNOWN_MISSES)


def test_quiet_days_raise_no_alarm() -> None:
    quiet = [scene for scene in detectors.every_scene() if not detectors.demands(scene)]
    notes = [note for one in detectors.score(quiet).values() for note in one.notes]
    assert len(quiet) >= 40
    assert notes == []


def test_scenes_are_labelled_with_what_exists() -> None:
    names = set(recorded_names())
    assert names == {file.name.removesuffix(".jsonl.gz") for file in HERE.glob("*.jsonl.gz")}
    assert not names & set(shaped())
    for scene in detectors.every_scene():
        for label in (*scene.must, *scene.may, *scene.never):
            assert label.detector in REGISTRY, scene.name
        times = [e.at for e in scene.events if isinstance(e, ev.MetricsObserved)]
        assert times, scene.name
        # Recordings hold compressed minutes; the others 30 rounds after an hour of history.
        assert scene.recorded or len(times) >= 20, scene.name
        assert not scene.recorded or (HERE / f"{scene.name}.jsonl.gz").stat().st_size <= LIMIT_BYTES


def test_a_recording_holds_nothing_that_this_version_does_not_know() -> None:
    from lambdatop.storage.recordings.recording import read_recording

    for name in recorded_names():
        found = read_recording(HERE / f"{name}.jsonl.gz", any_owner=True)
        assert not found.cut
        assert found.unknown == frozenset(), "record it again"


def test_published_incidents_name_their_sources() -> None:
    """A source counts once; what the report does not say is said to be assumed."""
    sources = [published.source(build) for build in published.SCENES]
    assert len(sources) == len(set(sources)) >= 40
    for build in published.SCENES:
        assert build().must, "a quiet day is no incident"
        words = " ".join((build.__doc__ or "").split())
        assert "The report: " in words, build.__name__
        assert "Assumed: " in words, build.__name__


def test_lookalikes_demand_nothing() -> None:
    builders = (*lookalikes.SCENES, *lookalikes_queues.SCENES)
    assert len(builders) >= 20
    assert [build.__name__ for build in builders if build().must] == []


def labels(**given: tuple[Label, ...]) -> dict[str, tuple[Label, ...]]:
    return given


def relabelled(**labels: tuple[Label, ...]) -> Scene:
    """Return the kafka-lag scene, in which only stream_lag has a finding, with other labels."""
    return replace(shaped()["kafka-lag"], **{"must": (), "may": (), "never": ()} | labels)


TARGET = "payments → settlement"


@pytest.mark.parametrize(
    ("given", "right", "wrong", "missed"),
    [
        (labels(must=(Label("stream_lag", TARGET),)), 1, 0, 0),
        (labels(must=(Label("stream_lag", TARGET, "critical"),)), 0, 0, 1),
        (labels(must=(Label("stream_lag", TARGET, "info", "info"),)), 1, 1, 0),
        (labels(must=(Label("stream_lag", "clicks → fold"),)), 0, 1, 1),
        (labels(must=(Label("stream_lag", TARGET, stays=True),)), 1, 0, 0),
        (labels(must=(Label("stream_lag", TARGET, clears=True),)), 0, 0, 1),
        (
            dict[str, tuple[Label, ...]](
                must=(Label("stream_lag", TARGET, evidence=(("offset_lag", "?"),)),)
            ),
            0,
            0,
            1,
        ),
        (labels(may=(Label("*", "*"),)), 0, 0, 0),
        (labels(never=(Label("stream_lag", "*"),)), 0, 1, 0),
        (labels(), 0, 1, 0),
    ],
)
def test_scores_count_what_the_labels_say(
    given: dict[str, tuple[Label, ...]], right: int, wrong: int, missed: int
) -> None:
    found = detectors.score([relabelled(**given)])["stream_lag"]
    assert (found.right, found.wrong, found.missed) == (right, wrong, missed)
    assert bool(found.notes) == bool(wrong or missed)


def test_the_table_names_every_detector_that_is_built(scores: dict[str, detectors.Score]) -> None:
    lines = detectors.markdown(scores, detectors.every_scene()[:7]).splitlines()
    assert len(lines) == len(REGISTRY) + 6
    assert re.match(
        r"\| \*\*all\*\* \| 7 \| \d+ \| \d+ \| \d+ \| [\d.]+ \| [\d.]+ \| [\d.]+ min \|", lines[-1]
    )


def test_a_page_without_its_place_is_refused() -> None:
    assert (
        detectors.between("a <!-- x -->\nold\n<!-- /x --> b", "x", "new")
        == "a <!-- x -->\nnew\n<!-- /x --> b"
    )
    with pytest.raises(SystemExit, match="the page has no <!-- x -->"):
        detectors.between("nothing", "x", "new")


def test_a_recording_is_thinned_without_losing_news() -> None:
    kept: list[ev.Event] = []
    events = recorded("poison-queue").events
    scope = events[0].scope
    Thinned(kept.extend, 3)(
        (*events, ev.SpendObserved(scope, 0.0, (), 0.0, 0.0, 0.0), ev.JournalRead(scope, 0.0, ()))
    )
    metrics = [e for e in events if isinstance(e, ev.MetricsObserved)]
    assert [e for e in kept if isinstance(e, ev.MetricsObserved)] == metrics[::3]
    logs = [e for e in events if isinstance(e, ev.LogsObserved)]
    assert [e for e in kept if isinstance(e, ev.LogsObserved)] == logs
    assert not [e for e in kept if isinstance(e, (ev.SpendObserved, ev.JournalRead))]
    listed = next(e for e in events if isinstance(e, ev.FunctionsListed))
    changed = replace(listed, at=listed.at + 2, functions=listed.functions[1:])
    news: list[ev.Event] = []
    Thinned(news.extend, 1)(
        (listed, replace(listed, at=listed.at + 1), changed, replace(changed, at=listed.at + 90))
    )
    assert [e.at - listed.at for e in news] == [0, 2, 90]


def test_a_soak_looks_for_anything_above_info() -> None:
    from scenes.scene import snapshots

    loud = list(snapshots(shaped()["sqs-poison"]))[-1]
    assert {f.severity for f in calm_soak.alarms(loud)} == {"warning", "critical"}
    assert calm_soak.alarms(Snapshot(findings=tuple(f for f in loud.findings if f.rank == 0))) == ()


HOLDS = {">=": ge, ">": gt, "<=": le, "<": lt}
_NUMBER = r"\$?(\d[\d,]*(?:\.\d+)?)(%|/h)?"
_COMPARISON = re.compile(
    rf"{_NUMBER}(?: (?:ms/min|MB/min|ms|s|MB|[a-z]+/min))?(?: timeouts| expected)? (>=|<=|>|<) "
    rf"{_NUMBER}(?: x {_NUMBER})?"
)


def untrue(text: str) -> list[str]:
    """Return the comparisons of a text that do not hold as they stand there."""
    wrong = []
    for found in _COMPARISON.finditer(text):
        left, unit, sign, right, other, factor, _ = found.groups()
        if factor is None and unit != other:
            continue  # a product, such as 6 x timeout
        a, b, times = (float((n or "1").replace(",", "")) for n in (left, right, factor))
        # What is multiplied was rounded before.
        slack = 0.51 * b * 10.0 ** -len((factor or "").partition(".")[2]) if factor else 0.0
        if not HOLDS[sign](a + slack, b * times):
            wrong.append(found.group())
    return wrong


def test_every_comparison_in_a_finding_of_a_scene_is_true() -> None:
    told = {
        (scene.name, name, text)
        for scene in detectors.every_scene()
        for (name, _), seen in watch(scene)[0].items()
        for text in seen.texts
        if name != "risky_config"
    }
    assert [(*one, wrong) for one in sorted(told) if (wrong := untrue(one[-1]))] == []


def test_what_is_untrue_is_found() -> None:
    assert untrue("15 / 64 reports in the log = 0.23 >= 0.25") == ["0.23 >= 0.25"]
    assert untrue("= 24.2% >= 25% over 5 min") == ["24.2% >= 25%"]
    assert untrue("= 0.50 > 0.5") == ["0.50 > 0.5"]
    assert untrue("$0.87/h >= 3 x $0.37/h") == ["$0.87/h >= 3 x $0.37/h"]
