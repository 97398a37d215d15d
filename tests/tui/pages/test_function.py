"""The page of one function: its triggers, and what of them is not known."""

from __future__ import annotations

from datetime import UTC, datetime

import fakes.console_scene as scene
import pytest
from fakes.callers import NOBODY, machine, pipe, schedule
from fakes.worlds import function
from msgspec.structs import replace

from lambdatop.domain.facts.function_state import CapacityProvider
from lambdatop.domain.facts.not_read import Gap
from lambdatop.domain.keys import Key
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.settings.thresholds import (
    DetectorSettings,
    NearTimeoutSettings,
    QuotaHeadroomSettings,
    RedeliverySettings,
)
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, FunctionRow, Snapshot, SourceRow
from lambdatop.tui.frame import Frame
from lambdatop.tui.pages.cells import cap, timeout_level
from lambdatop.tui.pages.function import _facts, page
from lambdatop.tui.style.spans import plain

WORKER = scene.key("function", "orders-worker")
NOW = datetime(2026, 11, 30, tzinfo=UTC).timestamp()
B = "b lists what runs"


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


def test_a_function_at_the_edge_says_what_is_elsewhere() -> None:
    seen = scene.snapshot()
    pushed = next(s for s in seen.storms if s.mapping is None)
    mine = replace(pushed, function=WORKER, source_kind="cloudfront")
    flat = " ".join(shown(replace(seen, storms=(mine,))).split())
    assert "replicas run in other regions" in flat
    assert "/aws/lambda/us-east-1.orders-worker there" in flat
    assert "Lambda@Edge" not in shown(replace(seen, storms=(replace(mine, source_kind="sns"),)))


def test_a_replica_names_its_function() -> None:
    made = FunctionRow(function(replica_of="edge in us-east-1"))
    text = plain(_facts(made, Frame(EMPTY_SNAPSHOT, NOW), 120))
    assert "of edge in us-east-1, for Lambda@Edge: it is changed and stopped there, not here" in text
    assert "Lambda@Edge" not in plain(_facts(FunctionRow(function()), Frame(EMPTY_SNAPSHOT, NOW), 120))


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


@pytest.mark.parametrize(("runtime", "said"), [("nodejs18.x", True), ("nodejs24.x", False), ("", False)])
def test_a_deprecated_runtime_is_said(runtime: str, said: bool) -> None:
    frame = Frame(EMPTY_SNAPSHOT, NOW)
    text = plain(_facts(FunctionRow(function(runtime=runtime)), frame, 140))
    assert ("runtime deprecated on 2025-09-01: no security updates; AWS refuses" in text) is said


@pytest.mark.parametrize(
    ("durable", "limit_s", "words"),
    [
        (False, None, None),
        (True, None, f"yes; {B}"),
        (True, 604_800, f"yes, an execution takes 7 d at most; {B}"),
    ],
)
def test_a_durable_function_says_how_long_an_execution_may_take(
    durable: bool, limit_s: int | None, words: str | None
) -> None:
    made = FunctionRow(function(durable=durable, durable_timeout_s=limit_s))
    lines = plain(_facts(made, Frame(EMPTY_SNAPSHOT, NOW), 100)).splitlines()
    said = [line.split(None, 1)[1] for line in lines if line.split()[:1] == ["durable"]]
    assert said == ([] if words is None else [words])


def test_what_runs_a_function_on_instances_is_said_with_its_limit_or_why_it_is_not_known() -> None:
    made = function(managed_instances=True, capacity_provider="shop", per_tenant=True)
    key = Key(made.key.scope, "capacity provider", "shop")

    def said(snapshot: Snapshot) -> str:
        return plain(_facts(FunctionRow(made), Frame(snapshot, NOW), 120))

    listed = {key: (NOW, CapacityProvider(key, "Pending", 64, ()))}
    text = said(replace(EMPTY_SNAPSHOT, capacity_providers=listed))
    assert "capacity provider shop: Pending, at most 64 vCPUs" in text
    assert "isolated: no execution environment serves two; limits" in text
    denied = with_source(EMPTY_SNAPSHOT, "capacity_providers", "denied", "lambda:ListCapacityProviders")
    assert "shop: not known (lambda:ListCapacityProviders denied)" in said(denied)
    starting = with_source(EMPTY_SNAPSHOT, "capacity_providers", "starting", "")
    assert "shop: not read yet" in said(starting)


def test_colours_of_shares_follow_the_thresholds_that_are_set() -> None:
    strict = DetectorSettings(
        near_timeout=NearTimeoutSettings(warning_share=0.5),
        quota_headroom=QuotaHeadroomSettings(warning_share=0.5, critical_share=0.6),
        sqs_redelivery=RedeliverySettings(warning_ratio=5.0, critical_ratio=9.0),
    )
    usual, frame = Frame(), Frame(settings=Settings(detectors=strict))
    assert (timeout_level(0.6, usual), timeout_level(0.6, frame)) == ("", "warning")
    row = FunctionRow(facts=function(), reserved=10, reserved_known=True, concurrency_max=7.0)
    assert (cap(row, usual)[0].slot, cap(row, frame)[0].slot) == ("", "critical")
    snapshot = scene.snapshot()
    found = {
        span.slot
        for at in (usual, frame)
        for span in page(replace(at, snapshot=snapshot), WORKER, 120)
        if span.text.strip() == "3.4"
    }
    assert found == {"critical", ""}


def test_schedules_pipes_and_state_machines_are_shown_with_when_they_were_looked_for() -> None:
    here = {WORKER: (schedule(), pipe(state="STOPPED"), machine())}
    looks = {WORKER.scope: NOBODY}
    sheet = shown(replace(scene.snapshot(), callers=here, looks=looks))
    assert "schedule default/nightly  push async  ENABLED, rate(1 minute) UTC\n" in sheet
    assert "pipe handover  push sync  STOPPED, reads stream clicks, as target\n" in sheet
    assert "Retry States.ALL: 9 times, first after 1 s, then x 2" in sheet
    words = " ".join(sheet.split())
    assert "were looked for at 08:00 UTC: 3 found; SDK callers cannot be listed" in words
    assert "were not looked for; SDK callers" in " ".join(shown(scene.snapshot()).split())
