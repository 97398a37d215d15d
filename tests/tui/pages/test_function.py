"""The page of one function: its triggers, and what of them is not known."""

from __future__ import annotations

import fakes.console_scene as scene
import pytest
from msgspec.structs import replace

from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.state.snapshot import Snapshot, SourceRow
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.function import page
from lambdatop.tui.style.spans import plain

WORKER = scene.key("function", "orders-worker")


def shown(snapshot: Snapshot) -> str:
    return plain(page(Frame(snapshot, scene.NOW, None, Settings()), WORKER, 120))


def with_source(snapshot: Snapshot, name: str, state: str, action: str) -> Snapshot:
    row: SourceRow = replace(scene.sources()[1], name=name, state=state, age_s=None, action=action)
    others = tuple(s for s in snapshot.sources if s.name != name)
    return replace(snapshot, sources=(*others, row))


@pytest.mark.parametrize(
    ("state", "words"),
    [("denied", "not known (lambda:ListEventSourceMappings denied)"), ("starting", "not read yet")],
)
def test_mappings_that_were_not_read_are_not_none(state: str, words: str) -> None:
    calm = replace(scene.snapshot(), mappings=(), storms=())
    sheet = shown(with_source(calm, "mappings", state, "lambda:ListEventSourceMappings"))
    assert f"invokes it\n{words}\n" in sheet
    assert "invokes it\nnone\n" in shown(calm)


def test_callers_that_were_not_read_are_said() -> None:
    seen = scene.snapshot()
    gap = Gap("triggers", "lambda:GetPolicy", WORKER.id, "denied")
    other = Gap("triggers", "lambda:GetPolicy", "another", "failed")
    words = "who else invokes it is not known in full (lambda:GetPolicy denied)"
    assert words in shown(replace(seen, gaps=(gap, other)))
    assert words in shown(with_source(seen, "triggers", "denied", "lambda:GetPolicy"))
    assert "not known in full" not in shown(replace(seen, gaps=(other,)))


def test_a_trigger_names_the_alias_that_it_invokes() -> None:
    seen = scene.snapshot()
    first, *rest = seen.mappings
    facts = replace(first.facts, function=WORKER, function_arn=f"{scene.ARN}{WORKER.id}:live")
    sheet = shown(replace(seen, mappings=(replace(first, facts=facts), *rest)))
    assert f"{facts.source_name} → orders-worker:live  " in sheet


def test_metrics_that_failed_are_not_still_to_come() -> None:
    row = replace(scene.function(WORKER.id, 1, 1), as_of=None, burn=None)
    failed = with_source(scene.snapshot(functions=(row,)), "metrics", "failed", "cloudwatch:GetMetricData")
    sheet = shown(failed)
    assert "now  not known (cloudwatch:GetMetricData failed)" in sheet
    assert "burn\nnot known (cloudwatch:GetMetricData failed)" in sheet
    assert "no metrics yet" in shown(with_source(failed, "metrics", "starting", ""))
