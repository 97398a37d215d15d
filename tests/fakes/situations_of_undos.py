"""Journal entries and what is there now, for the words of undos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fakes.plan_situations import (
    KAFKA,
    LOST,
    TOPIC,
    by_stream,
    dead_letters,
    fed,
    on_alias,
    on_function,
    on_mapping,
    on_queue,
    on_rule,
)
from fakes.situations_of_callers import on_machine, on_pipe, on_schedule
from fakes.situations_of_executions import THREE
from fakes.worlds import NOW, function
from fakes.written_plans import afterwards, applied, undo_of
from msgspec.structs import replace

from lambdatop.domain.facts.function_state import Scaling
from lambdatop.domain.facts.queue import MoveTask
from lambdatop.domain.facts.triggers import AsyncConfig
from lambdatop.domain.mitigations.registry import plan, plan_undo
from lambdatop.domain.plans.journal import ACCEPTED, Entry
from lambdatop.domain.plans.plan import Plan, State
from lambdatop.domain.plans.situation import Situation


def _plan(name: str, s: Situation, **params: Any) -> Plan:
    made = plan(name, s, params, NOW, "plan-1")
    assert isinstance(made, Plan), made
    return made


def _undone(p: Plan) -> Plan:
    """Return the undo of a plan that was executed."""
    made = plan_undo(undo_of(p), afterwards(p), NOW, "undo-1")
    assert isinstance(made, Plan), made
    return made


def _as_left(p: Plan, **changes: Any) -> tuple[Entry, State]:
    return undo_of(p, **changes), afterwards(p)


def _now(p: Plan, **now: Any) -> tuple[Entry, State]:
    return undo_of(p), afterwards(p) | now


ZERO = _plan("throttle_to_zero", on_function(reserved=7))
NONE = _plan("throttle_to_zero", on_function())
CAPPED = _plan("cap_concurrency", on_function(reserved=0), reserved=5)
RAISED = _plan("restore_concurrency", on_function(reserved=5), reserved=9)
FREED = _plan("restore_concurrency", on_function(reserved=5), reserved="none")
LOWERED = _plan("restore_concurrency", on_function(reserved=9), reserved=5)
OFF = _plan("disable_trigger", on_mapping())
ON = _plan("enable_trigger", on_mapping(fed(state="Disabled")))
TUNED = _plan("tune_trigger", on_mapping(), batch_size=5, max_concurrency=2)
STREAM = _plan("tune_trigger", on_mapping(by_stream()), max_retry_attempts=2, on_failure=LOST)
ENDLESS = _plan("tune_trigger", on_mapping(by_stream(max_retry_attempts=2)), max_retry_attempts=-1)
POLLED = fed(source_arn=KAFKA, source_kind="kafka", pollers_min=1, pollers_max=2, on_failure_arn=LOST)
(COLD, *_) = _plan("throttle_to_zero", on_function(provisioned=(("live", 4),)), provisioned="remove").steps
(IDLE, *_) = _plan(
    "throttle_to_zero",
    on_function(facts=function(managed_instances=True), scalings=(Scaling("3", None, 40, "Active"),)),
).steps
UNTOLD = _plan("tune_trigger", on_mapping(POLLED), on_failure="none")
QUIET = _plan("stop_async_retries", on_function(async_config=AsyncConfig(1, 90, LOST, TOPIC)))
QUIET_AT_FIRST = _plan("stop_async_retries", on_function())
LOOPS = _plan("stop_recursion", on_function(recursive_loop="Allow"))
MOVED = _plan("redrive_dlq", dead_letters(move_task=MoveTask(5, "COMPLETED")))
PURGED = _plan("purge_queue", on_queue())
(DRAINED,) = _plan("quarantine_queue", on_queue(consumers=()), to="file").steps
POINTED = _plan("rollback_alias", on_alias(weights=(("2", 0.1),)), version="1")
RULE_OFF = _plan("disable_rule", on_rule())
RULE_ON = _plan("enable_rule", on_rule(state="DISABLED"))
SCHEDULE_OFF = _plan("disable_schedule", on_schedule())
PIPE_OFF, PIPE_ON = _plan("stop_pipe", on_pipe()), _plan("start_pipe", on_pipe(state="STOPPED"))
(ENDED, *_) = _plan("stop_executions", on_machine()).steps
(STOPPED, *_) = _plan("stop_durable", THREE).steps

UNDOS: Mapping[str, tuple[Entry, State]] = {
    "a durable execution that was stopped": (applied(STOPPED), STOPPED.after),
    "a throttle to zero": _as_left(ZERO),
    "a throttle to zero, from no reservation": _as_left(NONE),
    "a cap, from zero": _as_left(CAPPED),
    "more executions": _as_left(RAISED),
    "any number of executions": _as_left(FREED),
    "fewer executions": _as_left(LOWERED),
    "a trigger that was switched off": _as_left(OFF),
    "a trigger that was switched on": _as_left(ON),
    "settings of a queue's trigger": _as_left(TUNED),
    "settings of a stream's trigger": _as_left(STREAM),
    "provisioned concurrency that was removed": _as_left(COLD),
    "a version on managed instances that was deactivated": _as_left(IDLE),
    "somebody lets another number of environments run": _now(
        IDLE, **{"scaling:3": {"min": 1, "max": 2, "state": "Active"}}
    ),
    "somebody provisioned another number": _now(COLD, **{"provisioned_concurrency:live": 2}),
    "retries without end": _now(ENDLESS, on_failure=TOPIC, source_kind="kinesis"),
    "no destination of Kafka": _now(UNTOLD, max_retry_attempts=-1, source_kind="kafka"),
    "no destination of Kafka, which retries three times": _now(
        UNTOLD, max_retry_attempts=3, source_kind="kafka"
    ),
    "asynchronous retries": _as_left(QUIET),
    "asynchronous retries, no configuration before": _as_left(QUIET_AT_FIRST),
    "loops": _as_left(LOOPS),
    "a redrive that runs": _as_left(MOVED),
    "an alias": _as_left(POINTED),
    "an alias without a revision": _now(POINTED, revision_id=""),
    "a rule that was switched off": _as_left(RULE_OFF),
    "a rule that was switched on": _as_left(RULE_ON),
    "a schedule that was switched off": _as_left(SCHEDULE_OFF),
    "a schedule that somebody changed since": _now(SCHEDULE_OFF, schedule_modified=NOW + 7200),
    "a schedule that somebody switched on": _now(SCHEDULE_OFF, schedule_state="ENABLED"),
    "an undo of a schedule": _as_left(_undone(SCHEDULE_OFF)),
    "a pipe that was stopped": _as_left(PIPE_OFF),
    "a pipe that was stopped, and discards old records": _now(PIPE_OFF, pipe_record_age_s=3600),
    "a pipe that was started": _as_left(PIPE_ON),
    "a pipe that is stopping": _now(PIPE_OFF, pipe_state="STOPPING"),
    "a pipe that failed": _now(PIPE_OFF, pipe_state="STOP_FAILED"),
    "an execution that was stopped": (undo_of(ENDED), {}),
    "an undo of a throttle": _as_left(_undone(ZERO)),
    "an undo of an undo of a throttle": _as_left(_undone(_undone(ZERO))),
    "an undo of a trigger": _as_left(_undone(OFF)),
    "an undo of an alias": _as_left(_undone(POINTED)),
    "an entry without a label": _as_left(OFF, label=""),
    "accepted, and it shows": (
        undo_of(ZERO, outcome="unknown", detail=f"{ACCEPTED}: it shows 7"),
        {"reserved_concurrency": 0},
    ),
    "accepted, and it does not show": (
        undo_of(ZERO, outcome="unknown", detail=f"{ACCEPTED}: it shows 7"),
        {"reserved_concurrency": 7},
    ),
    "accepted, and somebody changed it": (
        undo_of(ZERO, outcome="unknown", detail=f"{ACCEPTED}: it shows 7"),
        {"reserved_concurrency": 3},
    ),
    "undone already": (undo_of(ZERO, outcome="undone"), {"reserved_concurrency": 7}),
    "not known": (undo_of(ZERO, outcome="unknown"), {"reserved_concurrency": 0}),
    "refused": (undo_of(ZERO, outcome="refused"), {"reserved_concurrency": 0}),
    "a purge": (undo_of(PURGED), {}),
    "a move that is stopped has nothing to undo": (
        undo_of(_plan("redrive_dlq", dead_letters(move_task=MoveTask(9, "RUNNING", "h")), cancel="yes")),
        {"move_task": MoveTask(9, "CANCELLED").control},
    ),
    "a redrive that is over, and still has a handle": (
        undo_of(MOVED),
        {"move_task": MoveTask(9, "COMPLETED", "handle-9").control},
    ),
    "a drain": (undo_of(DRAINED), {}),
    "an undo of a redrive": (
        undo_of(_undone(MOVED)),
        {"move_task": MoveTask(9, "CANCELLED").control},
    ),
    "an entry that tells no way back": (undo_of(ZERO, undo=None), {"reserved_concurrency": 0}),
    "a redrive that is over": (undo_of(MOVED), {"move_task": MoveTask(9, "COMPLETED").control}),
    "back already": _now(ZERO, reserved_concurrency=7),
    "back already, a rule": _now(RULE_OFF, rule_state="ENABLED"),
    "back already, loops": _now(LOOPS, recursive_loop="Allow"),
    "back already, an alias": _now(POINTED, version="3", weights={"2": 0.1}),
    "a trigger that is changing": _now(OFF, state="Enabling"),
    "a trigger that is changing, and back": _now(ON, state="Disabling"),
    "a trigger in a state that nobody knows": _now(OFF, state="Resting"),
    "somebody changed a reservation": _now(ZERO, reserved_concurrency=3),
    "somebody changed what was no reservation": _now(NONE, reserved_concurrency=3),
    "somebody took a reservation away": _now(ZERO, reserved_concurrency=None),
    "somebody changed settings": _now(TUNED, batch_size=7),
    "somebody changed asynchronous retries": _now(QUIET, async_config=None),
    "somebody moved an alias": _now(POINTED, version="2"),
    "somebody moved an alias, whose traffic was not read": (undo_of(POINTED), {"version": "2"}),
    "somebody moved an alias's traffic": _now(POINTED, weights={"2": 0.5}),
    "somebody changed a rule": _now(RULE_ON, rule_state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"),
    "nothing could be read": (undo_of(OFF), {}),
    "a change that sets nothing": (replace(undo_of(OFF), before={}, after={}), {}),
}
