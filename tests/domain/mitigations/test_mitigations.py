from __future__ import annotations

from typing import Any

import pytest
from fakes.worlds import DLQ, MAPPING, NOW, ORDERS, WORKER, function, mapping, queue
from msgspec.structs import replace

from lambdatop.domain.errors import UsageError
from lambdatop.domain.facts.function import AccountFacts
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.triggers import AsyncConfig
from lambdatop.domain.mitigations.registry import REGISTRY, plan, plan_undo, planner
from lambdatop.domain.mitigations.restore import remembered
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.journal import Entry, intent_record, outcome_record, replay
from lambdatop.domain.plans.plan import Call, Plan, Refusal
from lambdatop.domain.plans.situation import FunctionSituation, MappingSituation, QueueSituation

WORKER_ARN = function().arn
FUNCTION_REF = Ref(WORKER, WORKER_ARN, "orders-worker")
MAPPING_REF = Ref(MAPPING, MAPPING.id, "orders → orders-worker")
QUEUE_REF = Ref(ORDERS, queue(ORDERS).arn, "orders")


def situation(**changes: Any) -> FunctionSituation:
    base = FunctionSituation(FUNCTION_REF, NOW, function(), None)
    return replace(base, **changes)


def planned(name: str, s: Any, **params: Any) -> Plan:
    proposal = plan(name, s, params, NOW, "p1")
    assert isinstance(proposal, Plan), proposal
    return proposal


def refused(name: str, s: Any, **params: Any) -> Refusal:
    proposal = plan(name, s, params, NOW, "p1")
    assert isinstance(proposal, Refusal), proposal
    return proposal


@pytest.mark.parametrize(
    ("before", "undo"),
    [
        (None, Call("lambda", "DeleteFunctionConcurrency", {"FunctionName": WORKER_ARN})),
        (
            7,
            Call(
                "lambda",
                "PutFunctionConcurrency",
                {"FunctionName": WORKER_ARN, "ReservedConcurrentExecutions": 7},
            ),
        ),
    ],
)
def test_throttle_to_zero_knows_absent_from_a_number(before: int | None, undo: Call) -> None:
    p = planned("throttle_to_zero", situation(reserved=before))
    assert p.before == {"reserved_concurrency": before}
    assert p.after == {"reserved_concurrency": 0}
    assert p.undo == undo
    assert p.tier == "T2"
    assert p.confirm == "orders-worker"
    assert p.cli == (
        f"aws lambda put-function-concurrency --function-name {WORKER_ARN} "
        "--reserved-concurrent-executions 0 --region eu-central-1"
    )


def test_throttle_to_zero_refuses_zero_and_provisioned_and_managed() -> None:
    assert "already" in refused("throttle_to_zero", situation(reserved=0)).reason
    pc = refused("throttle_to_zero", situation(provisioned=(("live", 4),), mappings=(mapping(),)))
    assert "provisioned concurrency (live: 4)" in pc.reason
    first, second = pc.alternatives
    assert (first.mitigation, first.params) == ("throttle_to_zero", {"provisioned": "remove"})
    assert second.mitigation == "disable_trigger"
    managed = situation(facts=function(managed_instances=True))
    assert "no published version" in refused("throttle_to_zero", managed).reason


def test_throttle_to_zero_says_where_async_events_go() -> None:
    assert "LOST" in planned("throttle_to_zero", situation()).lost
    dlq = situation(facts=function(dlq_arn="arn:aws:sqs:x:1:dead"))
    assert "DLQ arn:aws:sqs:x:1:dead" in planned("throttle_to_zero", dlq).lost
    dest = situation(async_config=AsyncConfig(on_failure_arn="arn:aws:sns:x:1:topic"))
    assert "on-failure destination arn:aws:sns:x:1:topic" in planned("throttle_to_zero", dest).lost
    unknown = situation(async_config=NotKnown("denied", "lambda:GetFunctionEventInvokeConfig"))
    words = "which is not known (lambda:GetFunctionEventInvokeConfig denied)"
    assert (
        f"LOST unless there is an on-failure destination, {words}"
        in planned("throttle_to_zero", unknown).lost
    )


def test_throttling_a_queue_fed_function_offers_its_triggers_first() -> None:
    source = queue(ORDERS, dlq_arn=queue(DLQ).arn, max_receive_count=3)
    s = situation(
        mappings=(mapping(), mapping(key=MAPPING._replace(id="off"), state="Disabled")), queues=(source,)
    )
    p = planned("throttle_to_zero", s)
    in_order, first = p.alternatives
    assert (in_order.mitigation, in_order.params) == ("throttle_to_zero", {"triggers": "first"})
    assert first.target.key == MAPPING
    assert first.why == "otherwise AWS keeps receiving: after 3 receives good messages land in orders-dlq"
    assert "after 3 receives good messages land in orders-dlq" in p.warnings[0]
    assert p.blast_radius[-1].endswith("were not looked for; SDK callers cannot be listed")


def test_blast_radius_names_known_callers_and_the_owner() -> None:
    s = situation(policy_principals=("sns.amazonaws.com",), aliases=("live",), url="https://u/", stack="shop")
    p = planned("throttle_to_zero", s)
    assert {"resource policy allows sns.amazonaws.com", "alias live", "function URL https://u/"} <= set(
        p.blast_radius
    )
    assert "CloudFormation stack shop" in p.warnings[-1]


def test_restore_needs_a_value_and_never_guesses() -> None:
    assert "has no former" in refused("restore_concurrency", situation(reserved=0)).reason
    none = planned("restore_concurrency", situation(reserved=0), reserved="none")
    assert none.call.operation == "DeleteFunctionConcurrency"
    assert none.after == {"reserved_concurrency": None}
    assert none.undo is not None
    assert none.undo.params["ReservedConcurrentExecutions"] == 0
    five = planned("restore_concurrency", situation(reserved=0), reserved="5")
    assert five.call.params["ReservedConcurrentExecutions"] == 5
    assert "already" in refused("restore_concurrency", situation(reserved=5), reserved=5).reason
    for bad in ("many", "²", "٣", "9" * 5000):
        with pytest.raises(UsageError, match="whole number"):
            plan("restore_concurrency", situation(), {"reserved": bad}, NOW, "p")


def test_restore_checks_the_pool_by_reading_it() -> None:
    account = AccountFacts(1000, 120, 1, 1, 1)
    assert (
        "Only 25"
        in refused("restore_concurrency", situation(reserved=5, account=account), reserved=26).reason
    )
    p = planned("restore_concurrency", situation(reserved=5, account=account), reserved=25)
    assert "120 → 100" in p.blast_radius[0]


def test_disable_trigger_shows_when_waiting_events_expire() -> None:
    waiting = queue(ORDERS, visible=9, fifo=True)
    s = MappingSituation(MAPPING_REF, NOW, mapping(), waiting, 345_600, 3600.0)
    p = planned("disable_trigger", s)
    assert p.call == Call("lambda", "UpdateEventSourceMapping", {"UUID": MAPPING.id, "Enabled": False})
    assert p.undo == Call("lambda", "UpdateEventSourceMapping", {"UUID": MAPPING.id, "Enabled": True})
    assert "the oldest expires in 3 d 23 h" in p.lost
    assert p.tier == "T1"
    assert p.confirm == "key"
    assert {"state": "Disabling"} in p.transient


@pytest.mark.parametrize("state", ["Disabling", "Updating", "Creating", "Deleting", "Enabling"])
def test_a_trigger_that_is_changing_accepts_no_change(state: str) -> None:
    s = MappingSituation(MAPPING_REF, NOW, mapping(state=state))
    assert "settled" in refused("disable_trigger", s).reason
    assert "settled" in refused("enable_trigger", s).reason


def test_enabling_a_backlog_warns_of_the_stampede() -> None:
    s = MappingSituation(MAPPING_REF, NOW, mapping(state="Disabled"), queue(ORDERS, visible=4000))
    p = planned("enable_trigger", s)
    assert "about 4000 messages" in p.warnings[0]
    assert "already" in refused("enable_trigger", replace(s, facts=mapping())).reason


def test_purge_is_irreversible_typed_and_offers_to_hold() -> None:
    q = queue(ORDERS, visible=12, in_flight=3, delayed=1, fifo=True)
    s = QueueSituation(QUEUE_REF, NOW, q, (mapping(),), ("payments",), oldest_age_s=120.0)
    p = planned("purge_queue", s)
    assert p.tier == "T3"
    assert p.undo is None
    assert p.confirm == "orders"
    assert "about 12 waiting, 3 in flight, 1 delayed" in p.lost
    assert p.alternatives[0].mitigation == "disable_trigger"
    assert "empty" in refused("purge_queue", replace(s, facts=queue(ORDERS))).reason


def test_unknown_and_reserved_names_are_told_apart() -> None:
    with pytest.raises(UsageError, match="Did you mean throttle_to_zero"):
        planner("throttle_to_zer")
    assert len({spec.order for spec in REGISTRY.values()}) == len(REGISTRY)
    with pytest.raises(UsageError, match="takes none"):
        plan("stop_recursion", situation(), {"reserved": 1}, NOW, "p")


def entry(p: Plan, **changes: Any) -> Entry:
    base = Entry(
        "e1", NOW, p.mitigation, p.target.key, p.target.arn, "me", "h", 1, p.call, p.before, p.after, p.undo,
        p.undoes, p.digest(), "applied", NOW,
    )  # fmt: skip
    return replace(base, **changes)


@pytest.mark.parametrize("before", [None, 7])
def test_undo_restores_exactly_what_was_there(before: int | None) -> None:
    done = entry(planned("throttle_to_zero", situation(reserved=before)))
    p = plan_undo(done, {"reserved_concurrency": 0}, NOW, "u1")
    assert isinstance(p, Plan)
    assert p.call == done.undo
    assert p.after == {"reserved_concurrency": before}
    assert p.undoes == "e1"
    again = plan_undo(entry(p, id="e2"), {"reserved_concurrency": before}, NOW, "u2")
    assert isinstance(again, Plan)
    assert again.after == {"reserved_concurrency": 0}
    assert again.confirm == "orders-worker"


def test_undo_refuses_when_somebody_changed_it() -> None:
    done = entry(planned("throttle_to_zero", situation()))
    changed = plan_undo(done, {"reserved_concurrency": 3}, NOW, "u")
    assert isinstance(changed, Refusal)
    assert "we set reserved concurrency 0" in changed.reason
    assert "it is now reserved concurrency 3" in changed.reason
    back = plan_undo(done, {"reserved_concurrency": None}, NOW, "u")
    assert isinstance(back, Refusal)
    assert "already" in back.reason
    assert "by its id" in back.hint, "or `undo --last` would be stuck on this one"


@pytest.mark.parametrize("outcome", ["open", "unknown", "refused", "not-sent", "undone"])
def test_only_what_is_known_to_be_applied_can_be_undone(outcome: str) -> None:
    done = entry(planned("throttle_to_zero", situation()), outcome=outcome)
    assert isinstance(plan_undo(done, {"reserved_concurrency": 0}, NOW, "u"), Refusal)


def test_the_journal_round_trips_and_marks_what_an_undo_undid() -> None:
    done = entry(planned("throttle_to_zero", situation(reserved=7)), outcome="open", outcome_at=None)
    undo = plan_undo(replace(done, outcome="applied"), {"reserved_concurrency": 0}, NOW, "u1")
    assert isinstance(undo, Plan)
    back = entry(undo, id="e2", outcome="open", outcome_at=None)
    records = [
        intent_record(done),
        outcome_record("e1", NOW + 1, "applied", "", {"reserved_concurrency": 0}),
        intent_record(back),
    ]
    assert [e.outcome for e in replay(records)] == ["applied", "open"]
    assert replay(records)[1] == back
    records.append(outcome_record("e2", NOW + 2, "applied", "", {"reserved_concurrency": 7}))
    assert [e.outcome for e in replay(records)] == ["undone", "applied"]


def test_restore_remembers_the_value_before_the_throttle() -> None:
    first = entry(planned("throttle_to_zero", situation(reserved=7)))
    assert remembered([first], WORKER) == {"reserved": 7}
    absent = entry(planned("throttle_to_zero", situation()), id="e2")
    assert remembered([first, absent], WORKER) == {"reserved": "none"}
    assert remembered([first], ORDERS) == {}


def test_the_digest_of_a_call_covers_every_parameter() -> None:
    a = Call("lambda", "PutFunctionConcurrency", {"FunctionName": "f", "ReservedConcurrentExecutions": 0})
    b = replace(a, params={"FunctionName": "f", "ReservedConcurrentExecutions": 1})
    assert a.digest() != b.digest()
    assert a.digest() == replace(a).digest()
