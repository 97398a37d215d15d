"""Render plans, journal entries and results as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Alternative, Call, Plan, Proposal, Saving, State
from lambdatop.domain.plans.unfinished import Halfway
from lambdatop.domain.ports.console import Result
from lambdatop.report.json.primitives import Json, iso, plain, ref_json

PLAN_SCHEMA = "lambdatop.plan/1"
ENTRY_SCHEMA = "lambdatop.journal/1"
RESULT_SCHEMA = "lambdatop.result/1"


def plan_json(proposal: Proposal) -> Json:
    """Return a plan, or the refusal to make one (`refused` tells which; a refusal has a `reason`)."""
    head: Json = {"schema": PLAN_SCHEMA, "mitigation": proposal.mitigation}
    head["target"] = ref_json(proposal.target) | {
        "account": proposal.target.key.scope.account,
        "region": proposal.target.key.scope.region,
    }
    if isinstance(proposal, Plan):
        return head | {"refused": False} | _plan(proposal)
    return head | {
        "refused": True,
        "reason": proposal.reason,
        "hint": proposal.hint or None,
        "alternatives": _alternatives(proposal.alternatives),
        "saw": _state(proposal.saw),
        "now": _state(proposal.now),
        "want": _state(proposal.want),
    }


def entry_json(entry: Entry) -> Json:
    """Return one journal entry."""
    return {
        "schema": ENTRY_SCHEMA,
        "id": entry.id,
        "at": iso(entry.at),
        "mitigation": entry.mitigation,
        "target": {
            "kind": entry.target.kind,
            "arn": entry.arn,
            "name": entry.target.id,
            "label": entry.label or entry.target.id,
            "account": entry.target.scope.account,
            "region": entry.target.scope.region,
        },
        "outcome": entry.outcome,
        "outcome_at": iso(entry.outcome_at),
        "detail": entry.detail or None,
        "call": _call(entry.call),
        "before": _state(entry.before),
        "after": _state(entry.after),
        "seen": _state(entry.seen),
        "undo": _call(entry.undo),
        "undoes": entry.undoes,
        "can_undo": entry.can_undo,
        "actor": entry.actor,
        "host": entry.host,
        "pid": entry.pid,
        "plan_digest": entry.plan_digest,
        "deadline": iso(entry.deadline),
        "deadline_latest": iso(entry.deadline_latest),
        "plan": {"title": entry.whole, "steps": entry.steps} if entry.steps else None,
    }


def halfway_json(plan: Halfway) -> Json:
    """Return a plan in steps that ended halfway."""
    return {
        "title": plan.title,
        "steps": plan.steps,
        "done": [entry.id for entry in plan.done],
        "open": [entry.id for entry in plan.open],
        "why": plan.why or None,
    }


def result_json(result: Result) -> Json:
    """Return how an execution ended; on drift `saw`, `now` and `want` hold the three states."""
    return {
        "schema": RESULT_SCHEMA,
        "result": result.kind,
        "message": result.message,
        "saw": _state(result.saw),
        "now": _state(result.now),
        "want": _state(result.want),
        "entry": entry_json(result.entry) if result.entry else None,
        "steps": [result_json(step) for step in result.steps],
    }


def _plan(plan: Plan) -> Json:
    return {
        "id": plan.id,
        "title": plan.title,
        "tier": plan.tier,
        "call": _call(plan.call),
        "before": _state(plan.before),
        "after": _state(plan.after),
        "undo": _call(plan.undo),
        "undo_note": plan.undo_note or None,
        "undoes": plan.undoes,
        "lost": plan.lost,
        "in_flight": plan.in_flight,
        "takes_effect": plan.takes_effect,
        "blast_radius": list(plan.blast_radius),
        "warnings": list(plan.warnings),
        "unknowns": list(plan.unknowns),
        "alternatives": _alternatives(plan.alternatives),
        "confirm": plan.confirm,
        "cli": plan.cli,
        "iam_actions": list(plan.iam_actions),
        "planned_at": iso(plan.planned_at),
        "digest": plan.digest(),
        "deadline": iso(plan.deadline),
        "deadline_latest": iso(plan.deadline_latest),
        "saves_usd_per_hour": plain(plan.saves.usd_per_hour) if plan.saves else None,
        "saves": _saving(plan.saves),
        "wait": {"for": plan.wait.words, "at_most_s": plan.wait.for_s, "with_next": plan.wait.with_next}
        if plan.wait
        else None,
        "steps": [_plan(step) for step in plan.steps],
    }


def _saving(saves: Saving | None) -> Json | None:
    if saves is None:
        return None
    return {
        "usd_per_hour": plain(saves.usd_per_hour),
        "wasted_usd_per_hour": plain(saves.wasted_usd_per_hour),
        "at_most": saves.at_most,
        "why": saves.why,
    }


def _alternatives(alternatives: Iterable[Alternative]) -> list[Json]:
    return [
        {"mitigation": a.mitigation, "target": ref_json(a.target), "why": a.why, "params": plain(a.params)}
        for a in alternatives
    ]


def _call(call: Call | None) -> Json | None:
    if call is None:
        return None
    return {"service": call.service, "operation": call.operation, "params": plain(call.params)}


def _state(state: State | None) -> Json | None:
    return None if state is None else {key: plain(value) for key, value in state.items()}
