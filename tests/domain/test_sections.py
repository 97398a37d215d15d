"""A section that cannot be made costs that section, wherever it stands."""

from __future__ import annotations

import json
import logging
from functools import partial
from typing import Any, NoReturn

import pytest
from fakes import console_scene as scene
from fuzz import fuzz_loglines
from fuzz.fuzz_loglines import Event
from msgspec.structs import replace

from lambdatop.domain.detectors import registry
from lambdatop.domain.detectors.registry import REGISTRY
from lambdatop.domain.log_analysis.reader import LogReader
from lambdatop.domain.log_analysis.study import LogStudy
from lambdatop.domain.sections import section
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT
from lambdatop.domain.state.world import EMPTY_WORLD
from lambdatop.report.audit import tables
from lambdatop.report.audit.report import Asked, report
from lambdatop.report.json import snapshot as codec
from lambdatop.report.json.snapshot import snapshot_json
from lambdatop.report.text import not_known
from lambdatop.report.text import snapshot as output
from lambdatop.report.text.snapshot import snapshot_text
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages import function
from lambdatop.tui.pages.function import page
from lambdatop.tui.style.spans import plain

KEY = scene.key("function", "orders-worker")
FORGED = tuple(
    Event(
        f"REPORT RequestId: {n:08x}-0000-4000-8000-000000000000\tBilled Duration: 1.7e308 ms\t{size}", n, 5.0
    )
    for n, size in enumerate(("Memory Size: 1e-300 MB\tMax Memory Used: 1 MB", "Memory Size: 128 MB") * 3)
)


def breaks(*args: Any, **kwargs: Any) -> NoReturn:
    raise OverflowError("intermediate overflow with SECRET")


def test_what_is_made_and_what_stands_in_its_place(caplog: pytest.LogCaptureFixture) -> None:
    assert section("a part", lambda: 7, lambda words: 0) == 7
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            words = section("a part of a test", breaks, str)
    assert "a part of a test could not be shown: internal error (OverflowError, test_sections.py:" in words
    assert len(caplog.messages) == 1
    assert "SECRET" not in words + caplog.text


def test_forged_figures_are_no_fault_anywhere() -> None:
    fuzz_loglines.one(FORGED)


def test_json(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = scene.snapshot()
    whole = snapshot_json(snapshot)
    assert whole["failed_sections"] == []
    for name in ("log_json", "burn_json", "findings_json"):
        monkeypatch.setattr(codec, name, breaks)
    broken = json.loads(json.dumps(snapshot_json(snapshot), allow_nan=False))
    assert broken["findings"] is None
    assert [f["name"] for f in broken["functions"]] == [f["name"] for f in whole["functions"]]
    assert {f["log"] for f in broken["functions"]} == {None}
    failed = [f["section"] for f in broken["failed_sections"]]
    assert "findings" in failed
    assert "log of orders-worker" in failed
    assert broken["quotas"] == json.loads(json.dumps(whole["quotas"]))


@pytest.mark.parametrize(
    "name", ["_findings", "_risks", "_functions", "_triggers", "_queues", "_quotas", "_calls"]
)
def test_the_report(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(tables, name, breaks)
    text = report(scene.snapshot(), Asked("user", "host", Settings().mode))
    assert text.count("could not be shown") == 1
    assert text.count("\n## ") >= 7


@pytest.mark.parametrize("name", ["_finding", "_storm", "_function", "_quota", "_source", "_spend"])
def test_the_tables(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(output, name, breaks)
    text = snapshot_text(scene.snapshot())
    assert text.count("could not be shown") == 1
    assert text.count("\n\n") == 8


@pytest.mark.parametrize(
    "name", ["_facts", "_numbers", "burn_section", "_findings", "log_section", "_triggers"]
)
def test_the_page_of_a_function(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(function, name, breaks)
    text = plain(page(Frame(scene.snapshot(), scene.NOW, None, Settings()), KEY, 100))
    assert " ".join(text.split()).count("could not be shown") == 1
    assert len(text.split("\n")) > 20


@pytest.mark.parametrize("where", ["feed", "figures", "errors"])
def test_a_log_that_cannot_be_learned(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setattr(LogStudy, where, breaks)
    snapshot = scene.snapshot()
    reader = LogReader()
    reader.offer(snapshot.logs[KEY])
    for _ in range(5):
        reader.step()
    facts = next(f.facts for f in snapshot.functions if f.key == KEY)
    reader.summarize(facts, scene.NOW)
    frame = Frame(snapshot, scene.NOW, None, Settings())
    text = plain(page(frame, KEY, 100, reader.learned, reader.failure))
    assert " ".join(text.split()).count("could not be shown") == 1


def test_a_detector_that_fails_costs_nothing_but_what_it_would_say_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = fuzz_loglines.snapshot_of(())
    (kept, *_) = before.findings
    others = [f for f in before.findings if f.detector != kept.detector]
    broken = replace(REGISTRY[kept.detector], detect=breaks)
    monkeypatch.setattr(registry, "REGISTRY", {**REGISTRY, kept.detector: broken})
    world = before.kept
    assert world is not None
    after = build_snapshot(
        world.world, previous=before, at=before.at, version="1", mode="operator", settings=Settings()
    )
    assert [f for f in after.findings if f.detector != kept.detector] == others
    assert kept in after.findings
    (row,) = (s for s in after.sources if s.name == "detectors")
    assert (row.state, row.age_s) == ("failed", None)
    assert f"the findings of {kept.detector} could not be shown: internal error (OverflowError" in row.error
    assert "detectors failed" in not_known.why_undecided(after, "critical")


def test_detectors_that_failed_look_at_everything_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they missed may not have changed since, and a round of a large account looks only at what has."""
    before = fuzz_loglines.snapshot_of(())
    assert before.kept is not None
    again = partial(
        build_snapshot,
        before.kept.world,
        at=before.at,
        version="1",
        mode="operator",
        settings=Settings(),
        worth_comparing=1,
    )
    with monkeypatch.context() as patched:
        patched.setattr(registry, "REGISTRY", {n: replace(d, detect=breaks) for n, d in REGISTRY.items()})
        failed = again(previous=EMPTY_SNAPSHOT)
    after = again(previous=failed)
    assert {f.identity for f in after.findings} == {f.identity for f in before.findings} != set()


def test_what_a_failed_detector_said_of_things_that_are_gone_breaks_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = scene.snapshot()
    monkeypatch.setattr(registry, "REGISTRY", {n: replace(d, detect=breaks) for n, d in REGISTRY.items()})
    after = build_snapshot(
        EMPTY_WORLD, previous=before, at=before.at, version="1", mode="operator", settings=Settings()
    )
    assert {f.identity for f in after.findings} == {f.identity for f in before.findings}
    assert snapshot_json(after)["failed_sections"] == []
