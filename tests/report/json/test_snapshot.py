from __future__ import annotations

import json
from typing import Any

import pytest
from fakes import console_scene as scene
from fakes.callers import machine, schedule
from fakes.entries import AT, SCOPE, WORKER, entry, reserve
from msgspec.structs import replace

from lambdatop.domain.facts.callers import Looked
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.function_state import CapacityProvider
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.finding import Finding, Ref
from lambdatop.domain.plans.plan import Alternative, Plan, Refusal
from lambdatop.domain.ports.console import Result
from lambdatop.domain.state.snapshot import (
    FunctionRow,
    MappingRow,
    QueueRow,
    QuotaRow,
    Snapshot,
    SourceRow,
    Target,
)
from lambdatop.domain.state.world import Spend
from lambdatop.report.json.primitives import iso
from lambdatop.report.json.snapshot import entry_json, plan_json, result_json, snapshot_json

ARN = f"arn:aws:lambda:{SCOPE.region}:{SCOPE.account}:function:orders-worker"
QUEUE = Key(SCOPE, "queue", "orders")
REF = Ref(WORKER, ARN, "orders-worker")

# Every key that `lambdatop.snapshot/1` has, in its order.
CONTRACT = {
    "": "schema at version mode targets functions mappings queues findings quotas sources spend",
    "targets": "account region alias identity endpoint",
    "functions": "arn name runtime memory_mb timeout_s reserved_concurrency log_group last_modified "
    "invocations_per_min errors_per_min error_rate throttles_per_min duration_max_ms duration_p99_ms "
    "concurrency_max iterator_age_ms async_amplification cold_start_rate burn_usd_per_hour heat age_s",
    "mappings": "uuid function source_arn source_kind state state_reason last_processing_result "
    "batch_size risks",
    "queues": "arn name visible in_flight delayed oldest_age_s redelivery_ratio dlq_of dlq_arn trend_per_min",
    "findings": "detector severity target title since evidence suggests",
    "quotas": "name code scope used limit headroom unit trend_per_min exhausted_in_s source age_s",
    "sources": "name state age_s error",
    "spend": "api_calls usd usd_per_hour budget_usd_per_hour",
}


def snapshot() -> Snapshot:
    mapping = MappingFacts(
        Key(SCOPE, "mapping", "u-1"),
        WORKER,
        ARN,
        "arn:aws:sqs:eu-central-1:111122223333:orders",
        "sqs",
        "Enabled",
    )
    queue = QueueFacts(QUEUE, "arn:aws:sqs:eu-central-1:111122223333:orders", "http://q", AT, 5, 2, 0)
    evidence = (("ratio", 3.25), ("received", 40), ("queue", "orders"), ("broken", float("nan")))
    return Snapshot(
        seq=4,
        at=AT + 0.25,
        version="0.1.0",
        targets=(Target(SCOPE, alias="prod", identity="arn:aws:iam::1:user/kim"),),
        functions=(
            FunctionRow(FunctionFacts(WORKER, ARN, "python3.12", last_modified=AT), 0, True, 12.5),
            FunctionRow(FunctionFacts(WORKER, ARN)),
        ),
        mappings=(MappingRow(mapping, ("no redrive policy",), AT - 1.75),),
        queues=(QueueRow(queue, ("other",), redelivery_ratio=float("inf")),),
        findings=(
            Finding("sqs_redelivery", "critical", REF, "comes back", AT, evidence, ("disable_trigger",)),
        ),
        quotas=(QuotaRow("Concurrent executions", "L-B99A9384", "region", 7, 1000, "count", "api", 993),),
        sources=(
            SourceRow("functions", "ok", 1.0),
            SourceRow("alarms", "denied", None, "no", "cloudwatch:DescribeAlarms"),
            SourceRow("queues", "starting", None),
        ),
        spend=Spend((("sqs.GetQueueAttributes", 3), ("lambda.ListFunctions", 1)), 0.01, 0.4, 0.5),
    )


def rows(document: dict[str, Any], part: str) -> list[dict[str, Any]]:
    if not part:
        return [document]
    found = document[part]
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize("part", CONTRACT)
def test_every_key_of_the_contract_is_there_in_its_order(part: str) -> None:
    document = snapshot_json(snapshot())
    wanted = CONTRACT[part].split()
    for row in rows(document, part):
        assert [key for key in row if key in wanted] == wanted


def test_the_document_is_strict_json_and_survives_a_round_trip() -> None:
    document = snapshot_json(snapshot())
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_known_and_unknown_are_told_apart() -> None:
    first, second = snapshot_json(snapshot())["functions"]
    assert (first["reserved_concurrency"], first["reserved_concurrency_known"]) == (0, True)
    assert (second["reserved_concurrency"], second["reserved_concurrency_known"]) == (None, False)
    assert first["invocations_per_min"] == 12.5
    assert second["invocations_per_min"] is None


def test_times_are_utc_and_findings_keep_their_evidence() -> None:
    document = snapshot_json(snapshot())
    assert document["at"] == "2027-01-15T08:00:00.250Z"
    (finding,) = document["findings"]
    assert finding["evidence"] == {"ratio": 3.25, "received": 40, "queue": "orders", "broken": None}
    assert finding["target"] == {"kind": "function", "arn": ARN, "name": "orders-worker"}
    assert document["queues"][0]["redelivery_ratio"] is None
    assert list(document["spend"]["api_calls"]) == ["lambda.ListFunctions", "sqs.GetQueueAttributes"]


def test_a_source_that_has_not_answered_is_stale_in_the_contracts_words() -> None:
    states = [(s["name"], s["state"], s["error"]) for s in snapshot_json(snapshot())["sources"]]
    assert states == [
        ("functions", "ok", None),
        ("alarms", "denied", "no"),
        ("queues", "stale", "no answer yet"),
    ]


@pytest.mark.parametrize("at", [None, float("nan"), float("inf"), 1e20])
def test_a_time_that_no_calendar_holds_is_null(at: float | None) -> None:
    assert iso(at) is None


def plan() -> Plan:
    return Plan(
        id="p1",
        mitigation="throttle_to_zero",
        target=REF,
        title="Throttle",
        tier="T2",
        call=reserve(0),
        before={"reserved_concurrency": None},
        after={"reserved_concurrency": 0},
        undo=reserve(7),
        way_back=WayBack(""),
        lost="async events",
        in_flight="",
        takes_effect="",
        confirm="orders-worker",
        command=("lambda", "…"),
        iam_actions=("lambda:PutFunctionConcurrency",),
        planned_at=AT,
        alternatives=(Alternative("disable_trigger", REF, "safer"),),
    )


def test_a_plan_states_the_exact_call_and_both_states() -> None:
    document = plan_json(plan())
    assert document["refused"] is False
    assert document["call"]["params"] == {"FunctionName": "orders-worker", "ReservedConcurrentExecutions": 0}
    assert document["before"] == {"reserved_concurrency": None}
    assert document["after"] == {"reserved_concurrency": 0}
    assert document["digest"] == plan().digest()
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_a_refusal_says_why() -> None:
    document = plan_json(Refusal("throttle_to_zero", REF, "provisioned concurrency", "remove it"))
    assert document["refused"] is True
    assert (document["reason"], document["hint"]) == ("provisioned concurrency", "remove it")


def test_an_entry_and_a_result_say_how_it_ended() -> None:
    done = entry(outcome="applied", outcome_at=AT + 1, seen={"reserved_concurrency": 0})
    document = entry_json(done)
    assert (document["outcome"], document["can_undo"], document["undo"]["params"]) == (
        "applied",
        True,
        {"FunctionName": "orders-worker", "ReservedConcurrentExecutions": 7},
    )
    assert entry_json(replace(done, undo=None))["can_undo"] is False
    drift = Result("drift", "changed", saw={"x": None}, now={"x": 3}, want={"x": 0})
    assert result_json(drift) == {
        "schema": "lambdatop.result/1",
        "result": "drift",
        "message": "changed",
        "saw": {"x": None},
        "now": {"x": 3},
        "want": {"x": 0},
        "entry": None,
        "steps": [],
    }
    assert result_json(Result("applied", "done", done))["entry"]["id"] == "e1"


def test_findings_name_their_incident_and_storms_their_fate() -> None:
    document = snapshot_json(scene.snapshot())
    assert [(i["detector"], i["target"], i["severity"]) for i in document["incidents"]] == [
        ("error_rate", "orders-worker", "critical"),
        ("throttled", "checkout-api", "warning"),
    ]
    assert document["incidents"][0]["symptoms"] == ["sqs_redelivery orders", "dlq_growth orders-dlq"]
    assert [(f["detector"], f["incident"], f["role"]) for f in document["findings"]] == [
        ("sqs_redelivery", 0, "symptom"),
        ("dlq_growth", 0, "symptom"),
        ("error_rate", 0, "cause"),
        ("throttled", 1, "cause"),
    ]
    assert {f["suggests_for"] for f in document["findings"]} >= {"orders", "checkout-api"}
    pushed = document["storms"][-1]
    assert (pushed["mapping"], pushed["invocation"], pushed["function"]) == (
        None,
        "push async",
        "image-resize",
    )
    assert pushed["fate"] == "2 retries (throttled: up to 6 h), then dropped"
    assert document["storms"][0]["wasted_per_min"] == 264.0


def test_a_quota_tells_its_range_and_who_takes_it() -> None:
    quota = QuotaRow(
        "concurrency", "L-B99A9384", "account", 620, 1000, "environments", "api", 380, 20.0, 1140.0,
        3.0, "", True, (720.0, float("inf")), "medium", (("hog", 500.0),), (("executing", 520.0),), "others",
    )  # fmt: skip
    (written,) = snapshot_json(Snapshot(quotas=(quota,)))["quotas"]
    assert written["exhausted_range_s"] == [720.0, None], "no latest moment"
    assert (written["assumed"], written["confidence"], written["static"]) == (True, "medium", False)
    assert written["consumers"] == [{"name": "hog", "amount": 500.0}]
    assert (written["stack"], written["first_throttled"]) == ({"executing": 520.0}, "others")


def test_the_dead_letter_queue_of_a_function_is_in_its_row() -> None:
    dead = "arn:aws:sqs:eu-west-1:123456789012:dead"
    rows = (scene.function("a", 1, 1, dlq_arn=dead), scene.function("b", 1, 1))
    found = snapshot_json(scene.snapshot(functions=rows))["functions"]
    assert [f["dlq_arn"] for f in found] == [dead, None]


def test_callers_are_written_with_what_of_them_is_not_known() -> None:
    denied = NotKnown("denied", "scheduler:GetSchedule")
    unread = schedule(when=denied, max_retries=denied, max_age_s=denied, dlq_arn=denied)
    rows = (FunctionRow(FunctionFacts(WORKER, ARN)), FunctionRow(FunctionFacts(WORKER._replace(id="x"), ARN)))
    looks = {WORKER.scope: (Looked("schedule", AT, (), ("missing pipes:ListPipes",)),)}
    found = Snapshot(functions=rows, callers={WORKER: (unread, machine())}, looks=looks)
    document = snapshot_json(found)
    first, second = document["functions"][0]["callers"]
    assert (first["kind"], first["name"], first["state"]) == ("schedule", "default/nightly", "ENABLED")
    assert (first["expression"], first["max_retry_attempts"], first["dlq_arn"]) == (None, None, None)
    assert set(first["not_known"]) == {"expression", "max_retry_attempts", "max_age_s", "dlq_arn"}
    assert first["not_known"]["dlq_arn"] == "scheduler:GetSchedule denied"
    assert (second["parts"], second["not_known"]) == (["Charge"], {})
    assert second["retry"] == [
        {
            "errors": ["States.ALL"],
            "max_attempts": 9,
            "interval_s": 1.0,
            "backoff_rate": 2.0,
            "max_interval_s": None,
            "jitter": False,
            "of": None,
        }
    ]
    assert document["functions"][1]["callers"] == []
    assert [(e["kind"], e["not_known"]) for e in document["callers_looked_for"]] == [
        ("schedule", ["missing pipes:ListPipes"])
    ]


def test_what_runs_on_instances_names_its_provider_and_null_for_what_was_not_read() -> None:
    made = FunctionFacts(WORKER, ARN, managed_instances=True, capacity_provider="shop", per_tenant=True)
    key = Key(SCOPE, "capacity provider", "shop")
    seen = Snapshot(at=AT, functions=(FunctionRow(made),))
    listed = replace(seen, capacity_providers={key: (AT - 5, CapacityProvider(key, "Active", 64, ()))})
    unread = {"name": "shop", "state": None, "max_vcpus": None, "age_s": None}
    for given, said in (
        (seen, unread),
        (listed, unread | {"state": "Active", "max_vcpus": 64, "age_s": 5.0}),
    ):
        (function,) = snapshot_json(given)["functions"]
        assert (function["capacity_provider"], function["tenant_isolation"]) == (said, True)
    (plain,) = snapshot_json(replace(seen, functions=(FunctionRow(FunctionFacts(WORKER, ARN)),)))["functions"]
    assert (plain["capacity_provider"], plain["tenant_isolation"]) == (None, False)
