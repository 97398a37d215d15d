"""Situations of durable functions for the words of plans: which of their executions run."""

from __future__ import annotations

from collections.abc import Mapping

from fakes.plan_situations import Asked, Cases, denied, on_function
from fakes.worlds import NOW, function
from msgspec.structs import replace

from lambdatop.domain.facts.durable import DurableExecution, RunningExecutions, VersionExecutions
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.plans.situation import FunctionSituation

LIST = denied("lambda:ListDurableExecutionsByFunction")
GAP = "lambda:GetPolicy is denied, so callers by resource policy are unknown"


def execution(version: str, name: str, age_s: float | None = 3600.0) -> DurableExecution:
    """Return an execution that runs since `age_s` seconds."""
    return DurableExecution(f"{version}/{name}/id-{name}", name, None if age_s is None else NOW - age_s)


LATEST = VersionExecutions("$LATEST", ())
OLD = VersionExecutions("6", (execution("6", "order-1", 90_000), execution("6", "order-2", None)))
LIVE = VersionExecutions("7", (execution("7", "order-3"),), aliases=("live", "canary"))
CANARY = VersionExecutions("8", (execution("8", "order-4", 5),), aliases=("canary",))
UNREAD = VersionExecutions("9", LIST)


def running(*versions: VersionExecutions, **changes: object) -> FunctionSituation:
    """Return a durable function with these executions."""
    found = replace(RunningExecutions(versions), **changes)
    durable = function(durable=True, durable_timeout_s=604_800)
    return on_function(facts=durable, durable_executions=found)


THREE = running(LATEST, OLD, LIVE)
MORE = running(LATEST, replace(LIVE, more=True))

STOP: Cases = {
    "three of two versions": Asked(THREE),
    "one version": Asked(THREE, {"version": "6"}),
    "an alias": Asked(THREE, {"version": "live"}),
    "all, in capitals": Asked(THREE, {"version": " ALL "}),
    "an alias of two versions": Asked(running(LATEST, LIVE, CANARY), {"version": "canary"}),
    "a version that is not there": Asked(THREE, {"version": "12"}),
    "throttled to zero": Asked(replace(THREE, reserved=0, gaps=(GAP,))),
    "stopped before": Asked(
        replace(THREE, stopped_before=(("execution:6/a/1", NOW - 600.0), ("execution:6/b/2", NOW - 60.0)))
    ),
    "more than were listed": Asked(MORE),
    "a version that was not read": Asked(running(LATEST, OLD, UNREAD)),
    "a version that was not read, and it is meant": Asked(running(OLD, UNREAD), {"version": "9"}),
    "aliases denied, and versions not asked": Asked(
        running(LATEST, OLD, unasked=31, aliases=denied("lambda:ListAliases"))
    ),
    "none runs": Asked(running(LATEST, replace(LIVE, running=()))),
    "none runs of those asked": Asked(running(LATEST, unasked=3)),
    "not read": Asked(replace(THREE, durable_executions=denied("lambda:ListVersionsByFunction"))),
    "throttled by AWS": Asked(replace(THREE, durable_executions=NotKnown("throttled"))),
    "not a durable function": Asked(on_function()),
}

CASES: Mapping[str, Cases] = {"stop_durable": STOP}
