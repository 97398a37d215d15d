"""A function whose memory or timeout a server leaves out has neither AWS's default nor a cost made of it."""

from __future__ import annotations

from typing import Any

from fakes.worlds import NOW, PROMPT, SCOPE, WORKER, function, mapping, metrics, points, queue
from fakes.worlds import ORDERS as QUEUE

from lambdatop.domain.facts.event_source_mapping import mapping_risks
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.mitigations.registry import plan
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.plans.situation import FunctionSituation
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.domain.state.world import EMPTY_WORLD
from lambdatop.report.json.snapshot import snapshot_json
from lambdatop.report.text.snapshot import snapshot_text

UNTOLD = NotKnown("not answered", "lambda:ListFunctions")
BARE = function(memory_mb=UNTOLD, timeout_s=UNTOLD)
WHY = "not known (the answer of lambda:ListFunctions does not say)"


def shown(**changes: Any) -> Snapshot:
    world = fold_all(
        EMPTY_WORLD,
        [
            ev.FunctionsListed(SCOPE, NOW, (function(**changes),)),
            metrics(
                points(WORKER, "Invocations", [100.0] * 10),
                points(WORKER, "Duration", [2_900.0] * 10, "Maximum"),
                points(WORKER, "Duration", [200_000.0] * 10),
            ),
        ],
    )
    return build_snapshot(
        world, previous=EMPTY_SNAPSHOT, at=NOW, version="t", mode="operator", settings=PROMPT
    )


def test_rows_costs_and_json_do_not_know_it_either() -> None:
    snapshot = shown(memory_mb=UNTOLD, timeout_s=UNTOLD)
    (row,) = snapshot.functions
    assert (row.burn, row.burn_usd_per_hour) == (None, None)
    assert (snapshot.burn.usd_per_hour, snapshot.burn.counted) == (None, 0)
    document = snapshot_json(snapshot)["functions"][0]
    assert (document["memory_mb"], document["timeout_s"], document["burn_usd_per_hour"]) == (None, None, None)
    assert "3s" not in snapshot_text(snapshot)
    gap = next(gap for gap in snapshot.gaps if gap.source == "functions")
    assert (gap.action, gap.target, gap.reason) == ("lambda:ListFunctions", "orders-worker", "not answered")
    assert not any(finding.detector == "near_timeout" for finding in snapshot.findings)


def test_the_same_function_with_both_has_costs_and_is_near_its_timeout() -> None:
    snapshot = shown(memory_mb=128, timeout_s=3)
    assert (snapshot.functions[0].burn_usd_per_hour or 0) > 0
    assert any(finding.detector == "near_timeout" for finding in snapshot.findings)
    assert not any(gap.source == "functions" for gap in snapshot.gaps)


def test_plans_and_risks_say_so() -> None:
    s = FunctionSituation(Ref(WORKER, BARE.arn, BARE.name), NOW, BARE, None)
    for name, params in (("throttle_to_zero", {}), ("cap_concurrency", {"reserved": 5})):
        made = plan(name, s, params, NOW, "p1")
        assert isinstance(made, Plan)
        assert f"at most {WHY}" in made.in_flight
    short = queue(QUEUE, dlq_arn="arn:aws:sqs:x:1:d", visibility_timeout_s=1)
    assert not any("visibility" in risk.words for risk in mapping_risks(mapping(), BARE, short, None))
    assert any("visibility" in risk.words for risk in mapping_risks(mapping(), function(), short, None))
