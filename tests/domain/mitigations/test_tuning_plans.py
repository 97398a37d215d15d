"""Plans that cap, tune and stop repeats: exact call, exact way back, what each means for waiting events."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.worlds import DLQ, MAPPING, NOW, ORDERS, WORKER, function, mapping, queue
from msgspec.structs import replace

from lambdatop.domain.errors import UsageError
from lambdatop.domain.facts.function import AccountFacts
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.triggers import AsyncConfig
from lambdatop.domain.mitigations.registry import REGISTRY, plan, plan_undo
from lambdatop.domain.mitigations.restore import no_room, pool_after
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Call, Plan, Refusal
from lambdatop.domain.plans.situation import FunctionSituation, MappingSituation

DENIED = NotKnown("denied", "lambda:GetFunctionEventInvokeConfig")
LOST = "arn:aws:sqs:eu-central-1:111122223333:lost"
NAME, ARN = "orders-worker", function().arn
STREAM = "arn:aws:kinesis:eu-central-1:111122223333:stream/clicks"


def on_function(**changes: Any) -> FunctionSituation:
    base = FunctionSituation(Ref(WORKER, function().arn, NAME), NOW, function(), None)
    return replace(base, **changes)


def on_mapping(**fields: Any) -> MappingSituation:
    return MappingSituation(Ref(MAPPING, MAPPING.id, "orders → orders-worker"), NOW, mapping(**fields))


def planned(name: str, s: Any, **params: Any) -> Plan:
    proposal = plan(name, s, params, NOW, "p1")
    assert isinstance(proposal, Plan), proposal
    return proposal


def refused(name: str, s: Any, **params: Any) -> Refusal:
    proposal = plan(name, s, params, NOW, "p1")
    assert isinstance(proposal, Refusal), proposal
    return proposal


def applied(p: Plan) -> Entry:
    return Entry(
        p.id, NOW, p.mitigation, p.target.key, p.target.arn, "me", "h", 1, p.call, p.before, p.after, p.undo,
        None, p.digest(), "applied", NOW,
    )  # fmt: skip


def back(p: Plan) -> Plan:
    proposal = plan_undo(applied(p), p.after, NOW, "u1")
    assert isinstance(proposal, Plan), proposal
    assert (proposal.call, dict(proposal.before), dict(proposal.after)) == (
        p.undo,
        dict(p.after),
        dict(p.before),
    )
    assert proposal.cli.startswith("aws ")
    assert proposal.iam_actions
    return proposal


# -- cap_concurrency -------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "operation"), [(None, "Delete"), (0, "Put"), (7, "Put")])
def test_a_cap_is_a_reservation_and_goes_back_to_exactly_what_was(before: int | None, operation: str) -> None:
    p = planned("cap_concurrency", on_function(reserved=before), reserved="3")
    assert p.call == Call(
        "lambda", "PutFunctionConcurrency", {"FunctionName": ARN, "ReservedConcurrentExecutions": 3}
    )
    assert (p.tier, p.before, p.after) == (
        "T2",
        {"reserved_concurrency": before},
        {"reserved_concurrency": 3},
    )
    assert back(p).call.operation == f"{operation}FunctionConcurrency"
    assert ("this starts it again" in " ".join(p.warnings)) is (before == 0)


def test_a_cap_says_what_it_takes_from_everybody_else() -> None:
    account = AccountFacts(1000, 640, 1 << 30, 1, 2)
    p = planned("cap_concurrency", on_function(account=account, reserved=None), reserved=500)
    assert p.blast_radius[0].startswith("pool for unreserved functions 640 → 140")
    assert p.blast_radius[-1].endswith("were not looked for; SDK callers cannot be listed")
    assert "Only 540" in refused("cap_concurrency", on_function(account=account), reserved=541).reason


def test_what_is_no_cap() -> None:
    assert "How many" in refused("cap_concurrency", on_function()).reason
    assert "throttle_to_zero" in refused("cap_concurrency", on_function(), reserved=0).hint
    assert "restore_concurrency" in refused("cap_concurrency", on_function(reserved=4), reserved="none").hint
    assert "already" in refused("cap_concurrency", on_function(reserved=4), reserved=4).reason
    assert (
        "provisioned"
        in refused("cap_concurrency", on_function(provisioned=(("live", 4),)), reserved=3).reason
    )
    managed = on_function(facts=function(managed_instances=True))
    assert "no published version" in refused("cap_concurrency", managed, reserved=3).reason


@pytest.mark.parametrize(("limit", "then"), [(3600, "DISCARDED once older than 60 min"), (None, "")])
def test_a_cap_lets_kafka_discard_what_a_mapping_lets_it(limit: int | None, then: str) -> None:
    """A provisioned mapping of Kafka takes MaximumRecordAgeInSeconds (UpdateEventSourceMapping)."""
    topic = "arn:aws:kafka:eu-central-1:111122223333:cluster/orders/1"
    fed = mapping(source_kind="kafka", source_arn=topic, pollers_max=2, max_record_age_s=limit)
    words = planned("cap_concurrency", on_function(mappings=(fed,)), reserved=2).lost
    assert "wait in the topic" in words
    assert ("DISCARDED" in words, then in words) == (limit is not None, True)


def test_a_queue_that_asks_for_more_than_the_cap_is_named_first() -> None:
    source = queue(ORDERS, dlq_arn=queue(DLQ).arn, max_receive_count=3)
    fed = on_function(mappings=(mapping(max_concurrency=20),), queues=(source,))
    p = planned("cap_concurrency", fed, reserved=5)
    assert [(a.mitigation, a.target.key) for a in p.alternatives] == [("tune_trigger", MAPPING)]
    assert "after 3 good messages land in orders-dlq" in p.warnings[0]
    calm = planned("cap_concurrency", replace(fed, mappings=(mapping(max_concurrency=5),)), reserved=5)
    assert (calm.alternatives, calm.warnings) == ((), ())


# -- stop_async_retries, restore_async -------------------------------------------------------------


def test_stopping_retries_merges_and_the_way_back_is_whole() -> None:
    config = AsyncConfig(1, None, LOST)
    p = planned("stop_async_retries", on_function(async_config=config))
    ends = {"OnFailure": {"Destination": LOST}}
    assert p.call == Call(
        "lambda",
        "UpdateFunctionEventInvokeConfig",
        {"FunctionName": ARN, "MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
    )
    assert p.before == {
        "async_config": {
            "MaximumRetryAttempts": 1,
            "MaximumEventAgeInSeconds": 21_600,
            "DestinationConfig": ends,
        }
    }
    assert p.after["async_config"]["DestinationConfig"] == ends
    assert "goes to" in p.lost
    undo = back(p)
    assert undo.call == Call(
        "lambda",
        "PutFunctionEventInvokeConfig",
        {"FunctionName": ARN, **p.before["async_config"]},
    )
    assert f"--destination-config OnFailure={{Destination={LOST}}}" in undo.cli.replace("'", "")


def test_where_there_was_no_configuration_the_way_back_deletes_it() -> None:
    p = planned("stop_async_retries", on_function(async_config=AsyncConfig()))
    assert p.call.operation == "PutFunctionEventInvokeConfig"
    assert p.before == {"async_config": None}
    assert (p.tier, p.confirm) == ("T2", NAME)
    assert "is LOST" in p.lost
    assert back(p).call == Call("lambda", "DeleteFunctionEventInvokeConfig", {"FunctionName": ARN})


def test_what_could_not_be_read_could_not_be_restored() -> None:
    for name in ("stop_async_retries", "restore_async"):
        assert "could not be read" in refused(name, on_function(async_config=DENIED)).reason
        assert DENIED.why in refused(name, on_function(async_config=DENIED)).reason
    done = on_function(async_config=AsyncConfig(0, 60))
    assert "already retries no asynchronous events" in refused("stop_async_retries", done).reason
    assert "do not come from Lambda's" in refused("stop_async_retries", done).hint


def test_aliases_go_on_retrying_where_the_function_does_not() -> None:
    """An alias has settings of its own (Lambda API reference, PutFunctionEventInvokeConfig, Qualifier)."""
    done = on_function(async_config=AsyncConfig(0, 60), aliases=("live",), alias_configs=())
    hint = refused("stop_async_retries", done).hint
    assert "alias live: NOT changed by this; it has none of its own: 2 retries" in hint
    assert "do not come from" not in hint
    unread = replace(done, aliases=NotKnown("denied", "lambda:ListAliases"))
    assert "its aliases are not known" in refused("stop_async_retries", unread).hint


def test_restoring_sets_what_is_said_and_keeps_the_destinations() -> None:
    stopped = on_function(async_config=AsyncConfig(0, 60, LOST))
    p = planned("restore_async", stopped, retries="2", max_age="none")
    assert p.call.operation == "PutFunctionEventInvokeConfig"
    assert p.after["async_config"] == {
        "MaximumRetryAttempts": 2,
        "MaximumEventAgeInSeconds": 21_600,
        "DestinationConfig": {"OnFailure": {"Destination": LOST}},
    }
    gone = planned(
        "restore_async", on_function(async_config=AsyncConfig(0, 60)), retries="none", max_age="none"
    )
    assert (gone.call.operation, gone.after) == ("DeleteFunctionEventInvokeConfig", {"async_config": None})
    assert "--set retries" in refused("restore_async", stopped).hint
    assert "already" in refused("restore_async", stopped, retries=0).reason
    for bad in ({"retries": "3"}, {"retries": "many"}, {"retries": "9" * 5000}, {"max_age": 59}):
        with pytest.raises(UsageError):
            plan("restore_async", stopped, bad, NOW, "p")


# -- stop_recursion --------------------------------------------------------------------------------


def test_loops_are_stopped_where_somebody_allowed_them() -> None:
    p = planned("stop_recursion", on_function(recursive_loop="Allow", async_config=AsyncConfig()))
    assert p.call.params == {"FunctionName": ARN, "RecursiveLoop": "Terminate"}
    assert (p.tier, p.confirm) == ("T2", NAME)
    assert "LOST" in p.lost
    assert "a loop may run again" in back(p).lost
    assert "already" in refused("stop_recursion", on_function(recursive_loop="Terminate")).reason
    gap = on_function(gaps=("lambda:GetFunctionRecursionConfig is denied",))
    assert "is denied" in refused("stop_recursion", gap).hint


# -- tune_trigger ----------------------------------------------------------------------------------


def test_tuning_sends_only_what_changes_and_sends_it_back() -> None:
    p = planned("tune_trigger", on_mapping(batch_size=10, max_concurrency=None), max_concurrency="2")
    assert p.call.params == {"UUID": MAPPING.id, "ScalingConfig": {"MaximumConcurrency": 2}}
    assert (p.tier, p.before, p.after) == ("T1", {"max_concurrency": None}, {"max_concurrency": 2})
    undo = back(p)
    assert undo.call.params == {"UUID": MAPPING.id, "ScalingConfig": {}}
    assert "--scaling-config '{}'" in undo.cli
    assert "--scaling-config MaximumConcurrency=2" in p.cli


def test_finite_retries_of_a_stream_skip_records() -> None:
    s = on_mapping(source_kind="kinesis", source_arn=STREAM, bisect_on_error=None, max_retry_attempts=None)
    p = planned("tune_trigger", s, max_retry_attempts="2", bisect_on_error="yes")
    assert (p.tier, p.confirm) == ("T2", NAME)
    assert "skipped" in p.lost
    assert p.before == {"max_retry_attempts": -1, "bisect_on_error": False}
    assert back(p).call.params == {
        "UUID": MAPPING.id,
        "MaximumRetryAttempts": -1,
        "BisectBatchOnFunctionError": False,
    }
    assert "whole batch" in planned("tune_trigger", s, max_retry_attempts=2).warnings[0]
    assert planned("tune_trigger", s, bisect_on_error="on").tier == "T1"


@pytest.mark.parametrize(
    "params",
    [
        {"max_concurrency": "1"},
        {"max_concurrency": "1001"},
        {"batch_size": "11"},  # above ten a window is needed
        {"max_retry_attempts": "2"},  # a queue has none
        {"bisect_on_error": "perhaps"},
        {"max_record_age_s": "60"},  # would skip everything older at once
    ],
)
def test_values_that_aws_would_not_take(params: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        plan("tune_trigger", on_mapping(), params, NOW, "p")


@pytest.mark.parametrize("more", [{}, {"skip_poison": "yes"}])
@pytest.mark.parametrize(
    ("kind", "end", "why"),
    [
        ("kinesis", "kafka://failed", "a Kafka topic takes failed records of its own cluster only"),
        ("dynamodb", "kafka://failed", "not of a dynamodb source"),
        ("kinesis", "arn:aws:lambda:eu-central-1:111122223333:function:f", "the ARN of a queue, topic or"),
    ],
)
def test_where_failed_records_cannot_go(kind: str, end: str, why: str, more: dict[str, str]) -> None:
    s = on_mapping(source_kind=kind, source_arn=STREAM, max_retry_attempts=-1)
    with pytest.raises(UsageError, match=why):
        plan("tune_trigger", s, {"on_failure": end, **more}, NOW, "p")


def test_a_trigger_that_is_changing_is_left_alone() -> None:
    assert "Updating" in refused("tune_trigger", on_mapping(state="Updating"), batch_size=1).reason
    assert "What should be set" in refused("tune_trigger", on_mapping()).reason
    assert "already" in refused("tune_trigger", on_mapping(batch_size=5), batch_size=5).reason


def test_whoever_needs_a_value_says_how_to_ask_for_it() -> None:
    for planner in REGISTRY.values():
        if planner.ask is not None:
            assert "{target}" in planner.ask.question
            assert planner.params
            assert planner.ask.param in ("", *planner.params)


def test_a_batch_size_that_aws_did_not_tell_is_not_changed() -> None:
    told = refused("tune_trigger", on_mapping(batch_size=None), batch_size="5")
    assert told.reason == "AWS does not say what batch_size of orders → orders-worker is now."
    assert planned("tune_trigger", on_mapping(max_concurrency=None), max_concurrency="5").undo is not None


@pytest.mark.parametrize(
    ("free", "reserved", "wanted", "room"),
    [
        (150, None, 50, None),  # 100 are left: as many as AWS keeps
        (150, None, 51, 50),
        (101, 5, 7, 6),
        (90, 5, 6, 5),
        (90, 6, 5, None),  # fewer reserved than before
        (90, 5, None, None),
        (50, None, 1, 0),  # aws-samples/s3-to-lambda-patterns#36: a limit of 50, and AWS keeps all 50
    ],
)
def test_what_aws_keeps_unreserved_cannot_be_reserved(
    free: int, reserved: int | None, wanted: int | None, room: int | None
) -> None:
    """Lambda developer guide, configuration-concurrency: up to the unreserved concurrency minus 100."""
    s = on_function(account=AccountFacts(1000, free, 1 << 30, 1, 2), reserved=reserved)
    refusal = no_room("cap_concurrency", s, wanted)
    if room is not None:
        assert refusal is not None
        assert refusal.reason.startswith(f"Only {room} of the account's concurrency can be reserved for it")
        return
    assert refusal is None
    (words,) = pool_after(s, wanted)
    left = free + (reserved or 0) - (wanted or 0)
    assert words == f"pool for unreserved functions {free} → {left}; AWS keeps 100 of it"


@pytest.mark.parametrize("free", [11, 900, -1])
def test_an_account_that_contradicts_itself_gives_no_figures(free: int) -> None:
    s = on_function(account=AccountFacts(10, free, 1 << 30, 1, 2), reserved=None)
    p = planned("cap_concurrency", s, reserved=500)
    assert p.blast_radius[0] == (
        "what is left of the account's concurrency is not known (the answer of lambda:GetAccountSettings "
        "contradicts itself)"
    )
