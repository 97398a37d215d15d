"""Plans in steps, redrives, aliases and rules: what they say, what they send, and when they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.worlds import DLQ, NOW, ORDERS, SCOPE, WORKER, function, mapping, queue
from msgspec.structs import replace

from lambdatop.domain.errors import UsageError
from lambdatop.domain.facts.not_read import NOT_ASKED
from lambdatop.domain.facts.queue import MoveTask
from lambdatop.domain.keys import Key
from lambdatop.domain.mitigations.composite import in_steps
from lambdatop.domain.mitigations.registry import plan, plan_undo, reads_besides
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.journal import ACCEPTED, Entry
from lambdatop.domain.plans.plan import Alternative, Plan, Refusal, shows
from lambdatop.domain.plans.situation import (
    AliasSituation,
    Consumer,
    FunctionSituation,
    MappingSituation,
    QueueSituation,
    RuleSituation,
    Situation,
    VersionFacts,
)

LIVE = Key(SCOPE, "alias", f"{WORKER.id}:live")
NIGHTLY = Key(SCOPE, "rule", "default/nightly")
STREAM = f"arn:aws:kinesis:{SCOPE.region}:{SCOPE.account}:stream/clicks"
LOST = f"arn:aws:sqs:{SCOPE.region}:{SCOPE.account}:lost"
ASIDE = f"arn:aws:sqs:{SCOPE.region}:{SCOPE.account}:aside"


def planned(name: str, s: Situation, **params: Any) -> Plan:
    made = plan(name, s, params, NOW, "p")
    assert isinstance(made, Plan), made
    return made


def refused(name: str, s: Situation, **params: Any) -> Refusal:
    made = plan(name, s, params, NOW, "p")
    assert isinstance(made, Refusal), made
    return made


def worker(**changes: Any) -> FunctionSituation:
    facts = function()
    return replace(FunctionSituation(Ref(WORKER, facts.arn, facts.name), NOW, facts, None), **changes)


def dead_letters(**changes: Any) -> QueueSituation:
    dead_letters = queue(DLQ, visible=1200)
    behind = (Consumer(mapping(), 100.0, 2.0),)
    s = QueueSituation(Ref(DLQ, dead_letters.arn, DLQ.id), NOW, dead_letters, (), (ORDERS.id,), behind)
    return replace(s, **changes)


def alias(**changes: Any) -> AliasSituation:
    versions = tuple(VersionFacts(v, f"sha{v}", NOW, "Active") for v in ("$LATEST", "1", "2", "3"))
    s = AliasSituation(
        Ref(LIVE, "arn:alias", LIVE.id), NOW, WORKER, "live", "3", (), "rev-1", versions, (mapping(),)
    )
    return replace(s, **changes)


def rule(**changes: Any) -> RuleSituation:
    s = RuleSituation(Ref(NIGHTLY, "arn:rule", "nightly"), NOW, "nightly", "default", "ENABLED")
    return replace(s, targets=("arn:worker",), **changes)


def applied(p: Plan, **changes: Any) -> Entry:
    entry = Entry(
        p.id, NOW, p.mitigation, p.target.key, p.target.arn, "me", "h", 1, p.call, p.before, p.after, p.undo,
        p.undoes, p.digest(), "applied", NOW,
    )  # fmt: skip
    return replace(entry, **changes)


# -- plans in steps --------------------------------------------------------------------------------


def test_a_queue_fed_function_is_stopped_in_order() -> None:
    other = mapping(key=Key(SCOPE, "mapping", "second"), source_arn=LOST)
    stream = mapping(key=Key(SCOPE, "mapping", "third"), source_arn=STREAM, source_kind="kinesis")
    s = worker(mappings=(mapping(), other, stream, replace(other, state="Disabled")))
    p = planned("throttle_to_zero", s, triggers="first")
    assert [step.mitigation for step in p.steps] == ["disable_trigger", "disable_trigger", "throttle_to_zero"]
    assert [step.id for step in p.steps] == ["p.1", "p.2", "p.3"]
    assert [bool(step.wait) for step in p.steps] == [True, True, False]
    assert (p.id, p.tier, p.confirm, dict(p.before), dict(p.after), p.undo) == (
        "p", "T2", WORKER.id, {}, {}, None,
    )  # fmt: skip
    assert "kept being received" not in " ".join(p.warnings)
    assert p.cli.count("\n") == 2
    assert {"lambda:UpdateEventSourceMapping", "lambda:PutFunctionConcurrency"} <= set(p.iam_actions)


def test_stopping_in_order_warns_where_aws_may_refuse_it() -> None:
    short = (queue(ORDERS, visibility_timeout_s=30),)
    s = worker(facts=function(timeout_s=60), mappings=(mapping(),), queues=short)
    step = planned("throttle_to_zero", s, triggers="first").steps[0]
    assert "AWS may refuse this while the queue's visibility timeout (30 s) is below" in step.warnings[0]
    version = mapping(function_arn=f"{function().arn}:7")  # which may have a timeout of its own
    held = planned("throttle_to_zero", replace(s, mappings=(version,)), triggers="first").steps[0]
    assert held.warnings == ()


def test_stopping_in_order_needs_a_queue_and_a_known_word() -> None:
    assert "No enabled queue" in refused("throttle_to_zero", worker(), triggers="first").reason
    changing = worker(mappings=(mapping(state="Updating"),))
    assert "Updating" in refused("throttle_to_zero", changing, triggers="first").reason
    with pytest.raises(UsageError, match="'first' or 'keep'"):
        plan("throttle_to_zero", worker(mappings=(mapping(),)), {"triggers": "frist"}, NOW, "p")
    assert planned("throttle_to_zero", worker(mappings=(mapping(),)), triggers="keep").steps == ()


def stream(**fields: Any) -> MappingSituation:
    given: dict[str, Any] = {"source_arn": STREAM, "source_kind": "kinesis", "max_retry_attempts": -1}
    facts = mapping(**given | fields)
    return MappingSituation(Ref(facts.key, facts.uuid, "clicks → orders-worker"), NOW, facts)


def test_a_poison_pill_is_closed_in_on_and_everything_put_back() -> None:
    p = planned("tune_trigger", stream(), skip_poison="yes", on_failure=LOST)
    report, close_in, back = p.steps
    assert dict(report.after) == {"on_failure": LOST}
    assert dict(close_in.after) == {"max_retry_attempts": 2, "bisect_on_error": True}
    assert close_in.wait is not None
    assert close_in.wait.falls == "oldest_age_s"
    assert (dict(back.before), dict(back.after)) == (dict(close_in.after), dict(close_in.before))
    assert back.call == close_in.undo
    assert p.tier == "T2"
    assert "fetch the data from the stream before it expires" in p.lost


def test_a_skip_that_reports_nowhere_has_to_be_asked_for() -> None:
    assert "on_failure=ARN" in refused("tune_trigger", stream(), skip_poison="yes").hint
    p = planned("tune_trigger", stream(), skip_poison="yes", on_failure="none")
    assert len(p.steps) == 2
    assert "not reported which record" in p.lost
    assert len(planned("tune_trigger", stream(on_failure_arn=LOST), skip_poison="yes").steps) == 2


def test_a_skip_is_refused_where_it_makes_no_sense() -> None:
    queue_fed = MappingSituation(Ref(mapping().key, "arn", "m"), NOW, mapping())
    assert "no bisecting" in refused("tune_trigger", queue_fed, skip_poison="yes").reason
    off = stream(state="Disabled")
    assert "nothing is tried" in refused("tune_trigger", off, skip_poison="yes").reason
    done = stream(max_retry_attempts=3, bisect_on_error=True)
    assert "already" in refused("tune_trigger", done, skip_poison="yes", on_failure="none").reason
    with pytest.raises(UsageError, match="only on_failure"):
        plan("tune_trigger", stream(), {"skip_poison": "yes", "batch_size": "1"}, NOW, "p")


def test_quarantine_holds_then_moves() -> None:
    s = dead_letters(consumers=(mapping(source_arn=queue(DLQ).arn),), oldest_age_s=60.0)
    hold, move = planned("quarantine_queue", s, to=ASIDE).steps
    assert hold.mitigation == "disable_trigger"
    assert move.call.operation == "StartMessageMoveTask"
    assert move.call.params["DestinationArn"] == ASIDE
    only_held = planned("quarantine_queue", s)
    assert [step.mitigation for step in only_held.steps] == ["disable_trigger"]
    assert only_held.tier == "T1"
    assert (only_held.deadline, only_held.deadline_latest) == (None, None), "nobody tells when they were sent"
    fifo = replace(s, facts=replace(s.facts, fifo=True))
    assert planned("quarantine_queue", fifo).deadline == NOW + s.facts.retention_s - 60.0


def test_the_deadline_of_steps_is_no_surer_than_that_of_any() -> None:
    (plain, _) = planned("quarantine_queue", dead_letters(consumers=(mapping(),)), to=ASIDE).steps
    sure, unsure = replace(plain, deadline=NOW + 600.0), replace(plain, deadline_latest=NOW + 900.0)
    both = ((sure, unsure), (sure, plain))
    whole = [in_steps("x", plain.target, "t", steps, confirm="x") for steps in both]
    assert [(p.deadline, p.deadline_latest) for p in whole] == [(None, NOW + 600.0), (NOW + 600.0, None)]


def test_what_a_step_would_rather_have_done_is_no_word_about_the_whole() -> None:
    (step, _) = planned("quarantine_queue", dead_letters(consumers=(mapping(),)), to=ASIDE).steps
    rather = replace(step, alternatives=(Alternative("disable_rule", step.target, "why"),))
    assert in_steps("x", step.target, "t", (rather, step), confirm="x").alternatives == ()


def test_quarantine_says_what_it_cannot_do() -> None:
    assert "to=file" in refused("quarantine_queue", dead_letters()).hint
    main = dead_letters(dead_letters_of=(), consumers=(mapping(),))
    assert "drain it" in refused("quarantine_queue", main, to=ASIDE).hint
    fifo = dead_letters(facts=queue(DLQ, visible=3, fifo=True))
    assert "FIFO" in refused("quarantine_queue", fifo, to=ASIDE).reason
    empty = dead_letters(facts=queue(DLQ, visible=0))
    assert "empty" in refused("quarantine_queue", empty, to="file").reason
    (drain,) = planned("quarantine_queue", main, to="file").steps[1:]
    assert (drain.call.service, drain.undo) == ("lambdatop", None)


# -- redrives --------------------------------------------------------------------------------------


def test_a_redrive_is_slow_and_says_who_gets_the_messages() -> None:
    p = planned("redrive_dlq", dead_letters())
    assert dict(p.call.params) == {"SourceArn": queue(DLQ).arn, "MaxNumberOfMessagesPerSecond": 10}
    assert "2 errors in 100 invocations" in p.blast_radius[0]
    assert (p.confirm, p.tier, p.warnings) == (DLQ.id, "T2", ())
    assert "2 min" in p.takes_effect
    assert (
        planned("redrive_dlq", dead_letters(), rate="500").call.params["MaxNumberOfMessagesPerSecond"] == 500
    )
    with pytest.raises(UsageError, match="from 1 to 500"):
        plan("redrive_dlq", dead_letters(), {"rate": 501}, NOW, "p")


def test_a_redrive_into_a_failing_consumer_warns_and_offers_to_hold() -> None:
    p = planned("redrive_dlq", dead_letters(behind=(Consumer(mapping(), 100.0, 40.0),)))
    assert "STILL FAILS" in p.warnings[0]
    assert p.alternatives[0].mitigation == "disable_trigger"
    unknown = planned("redrive_dlq", dead_letters(behind=(Consumer(mapping()),)))
    assert "not known" in unknown.blast_radius[0]


def test_a_redrive_is_refused_for_other_queues_and_while_one_runs() -> None:
    assert "not the DLQ of an SQS queue" in refused("redrive_dlq", dead_letters(dead_letters_of=())).reason
    running = dead_letters(move_task=MoveTask(5, "RUNNING", "h", moved=7))
    assert "7 messages so far" in refused("redrive_dlq", running).reason
    assert "no message" in refused("redrive_dlq", dead_letters(facts=queue(DLQ, visible=0))).reason


def test_a_redrive_is_recognised_by_its_start_and_stopped_by_its_handle() -> None:
    before = MoveTask(5, "COMPLETED")
    p = planned("redrive_dlq", dead_letters(move_task=before))
    assert not shows({"move_task": before.control}, p.after)
    assert not shows({"move_task": None}, p.after)
    running = {"move_task": MoveTask(9, "RUNNING", "h9").control}
    assert shows(running, p.after)
    stop = plan_undo(applied(p), running, NOW, "u")
    assert isinstance(stop, Plan)
    assert dict(stop.call.params) == {"TaskHandle": "h9"}
    assert shows({"move_task": MoveTask(9, "CANCELLED").control}, stop.after)
    over = plan_undo(applied(p), {"move_task": MoveTask(9, "COMPLETED").control}, NOW, "u")
    assert isinstance(over, Refusal)
    assert "stays moved" in over.hint
    by_key = planned("redrive_dlq", dead_letters(move_task=MoveTask(9, "RUNNING", "h9")), cancel="yes")
    assert by_key.call == stop.call
    assert "none was ever started" in refused("redrive_dlq", dead_letters(), cancel="yes").reason


def test_an_undo_of_a_redrive_stops_nobody_elses() -> None:
    p = planned("redrive_dlq", dead_letters(move_task=MoveTask(5, "COMPLETED")))
    ours, theirs = MoveTask(9, "RUNNING", "h9"), MoveTask(12, "RUNNING", "h12")
    seen = replace(applied(p), seen={"move_task": ours.control})
    assert isinstance(plan_undo(seen, {"move_task": ours.control}, NOW, "u"), Plan)
    other = plan_undo(seen, {"move_task": theirs.control}, NOW, "u")
    assert isinstance(other, Refusal)
    assert "somebody has started another one since, which is RUNNING" in other.reason
    assert "--set cancel=yes" in other.hint
    # AWS accepted ours and did not show it at first: it may be the one that runs now.
    late = replace(
        seen,
        outcome="unknown",
        detail=f"{ACCEPTED}: no",
        seen={"move_task": MoveTask(5, "COMPLETED").control},
    )
    assert isinstance(plan_undo(late, {"move_task": theirs.control}, NOW, "u"), Plan)


# -- aliases ---------------------------------------------------------------------------------------


def test_a_rollback_sends_version_and_empty_weights_together() -> None:
    p = planned("rollback_alias", alias(weights=(("2", 0.1),)), version="1")
    assert dict(p.call.params) == {
        "FunctionName": function().arn,
        "Name": "live",
        "FunctionVersion": "1",
        "RoutingConfig": {"AdditionalVersionWeights": {}},
        "RevisionId": "rev-1",
    }
    assert dict(p.before) == {"version": "3", "weights": {"2": 0.1}, "revision_id": "rev-1"}
    assert p.undo is not None
    assert p.undo.params["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.1}}
    assert any("BYPASSES the alias" in line for line in p.blast_radius)
    assert any("sha3" in line for line in p.blast_radius)
    assert any("sha1" in line for line in p.blast_radius)


def test_a_rollback_chooses_the_version_before_or_ends_the_canary() -> None:
    assert planned("rollback_alias", alias()).after == {"version": "2", "weights": {}}
    assert planned("rollback_alias", alias(weights=(("2", 0.5),))).after == {"version": "3", "weights": {}}
    assert "no version before" in refused("rollback_alias", alias(version="1")).reason
    assert "no version '9'" in refused("rollback_alias", alias(), version="9").reason
    assert "already" in refused("rollback_alias", alias(), version="3").reason
    sick = tuple(replace(v, state="Failed") for v in alias().versions)
    assert "only an active one" in refused("rollback_alias", alias(versions=sick)).reason


def test_the_way_back_of_an_alias_takes_the_revision_of_now() -> None:
    p = planned("rollback_alias", alias(weights=(("2", 0.1),)))
    entry = applied(p)
    assert reads_besides(entry) == ("revision_id",)
    assert reads_besides(applied(planned("disable_rule", rule()))) == ()
    assert reads_besides(replace(entry, undo=None)) == ()
    now = {**p.after, "revision_id": "rev-7"}
    back = plan_undo(entry, now, NOW, "u")
    assert isinstance(back, Plan)
    assert back.call.params["RevisionId"] == "rev-7"
    assert back.call.params["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.1}}
    assert dict(back.before) == now
    assert dict(back.after) == {"version": "3", "weights": {"2": 0.1}}
    assert isinstance(plan_undo(entry, {**now, "version": "1"}, NOW, "u"), Refusal)


# -- rules -----------------------------------------------------------------------------------------


def test_a_rule_is_switched_off_by_its_typed_name_and_on_by_a_key() -> None:
    off = planned("disable_rule", rule())
    assert (off.tier, off.confirm, dict(off.after)) == ("T2", "default/nightly", {"rule_state": "DISABLED"})
    assert "not replayed" in off.lost
    assert "missed runs" in planned("disable_rule", rule(schedule="rate(5 minutes)")).lost
    on = planned("enable_rule", rule(state="DISABLED"))
    assert (on.tier, on.confirm, on.call) == ("T1", "key", off.undo)
    assert (
        "its 2 targets stop together"
        in planned("disable_rule", replace(rule(), targets=("a", "b"))).warnings[0]
    )


def test_rules_that_could_not_be_switched_back_are_left_alone() -> None:
    assert "managed by" in refused("disable_rule", rule(managed_by="events.amazonaws.com")).reason
    everything = rule(state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
    assert "could not bring that back" in refused("disable_rule", everything).reason
    assert "already" in refused("enable_rule", rule()).reason


# -- purges and stampedes --------------------------------------------------------------------------


def test_a_purge_offers_to_move_aside_and_to_drain_first() -> None:
    offered = [(a.mitigation, dict(a.params)) for a in planned("purge_queue", dead_letters()).alternatives]
    assert offered == [("quarantine_queue", {}), ("quarantine_queue", {"to": "file"})]


def test_enabling_on_a_backlog_offers_a_limit_first() -> None:
    s = MappingSituation(
        Ref(mapping().key, "arn", "m"), NOW, mapping(state="Disabled"), queue(ORDERS, visible=4000)
    )
    (first,) = planned("enable_trigger", s).alternatives
    assert (first.mitigation, dict(first.params)) == ("tune_trigger", {"max_concurrency": 2})
    limited = replace(s, facts=mapping(state="Disabled", max_concurrency=5))
    assert planned("enable_trigger", limited).alternatives == ()


def test_disabling_counts_down_to_the_first_loss() -> None:
    s = MappingSituation(
        Ref(mapping().key, "arn", "m"),
        NOW,
        mapping(),
        queue(ORDERS, visible=3, retention_s=3600, fifo=True),
        retention_s=3600,
        oldest_age_s=600.0,
    )
    assert planned("disable_trigger", s).deadline == NOW + 3000
    assert planned("disable_trigger", replace(s, oldest_age_s=NOT_ASKED)).deadline is None
