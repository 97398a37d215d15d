"""Every `aws` command that plans and their undos show, with the call it stands for."""

from __future__ import annotations

from functools import cache

from fakes.situations import CASES
from fakes.worlds import NOW
from fakes.written_plans import afterwards, applied

from lambdatop.domain.errors import UsageError
from lambdatop.domain.mitigations.registry import plan, plan_undo
from lambdatop.domain.plans.plan import Call, Plan


def _shape(p: Plan) -> object:
    """Return what distinguishes the commands of two plans: their calls, and which parameters these have."""
    calls = [call for one in (p, *p.steps) for call in (one.call, one.undo) if call is not None]
    return p.mitigation, tuple((c.operation, *sorted(c.params)) for c in calls), p.iam_actions


@cache
def _plans() -> dict[str, Plan]:
    found: dict[object, tuple[str, Plan]] = {}
    for name, cases in CASES.items():
        for label, asked in cases.items():
            try:
                planned = plan(name, asked.situation, asked.params, NOW, "p")
            except UsageError:
                continue
            if isinstance(planned, Plan):
                found.setdefault(_shape(planned), (f"{name}: {label}", planned))
    return dict(found.values())


def plans() -> dict[str, Plan]:
    """Return one plan of each shape that the situations give."""
    return dict(_plans())


def plan_of(mitigation: str) -> Plan:
    """Return the first plan of a mitigation."""
    return next(p for p in plans().values() if p.mitigation == mitigation)


def shown() -> dict[str, tuple[str, Call]]:
    """Return command and call of each plan, and of its undo where there is one; every planner occurs."""
    found: dict[str, tuple[str, Call]] = {}
    for label, planned in plans().items():
        for number, step in enumerate(planned.steps, 1):
            found |= _one(f"{label} step {number}", step)
        if not planned.steps:
            found |= _one(label, planned)
    return found


def _one(label: str, p: Plan) -> dict[str, tuple[str, Call]]:
    """Return a plan's command and call, and those of its undo; a schedule is switched by no command."""
    if not p.cli:
        return {}
    if p.call.service == "lambdatop":
        asked = {"QueueUrl": p.call.params["QueueUrl"], "MaxNumberOfMessages": 10}
        return {label: (p.cli, Call("sqs", "ReceiveMessage", asked))}
    found = {label: (p.cli, p.call)}
    if p.undo is not None:
        seen = {field: value for field, value in afterwards(p).items() if field != "revision_id"}
        back = plan_undo(applied(p), seen, NOW, "u")
        assert isinstance(back, Plan), back
        found[f"undo {label}"] = back.cli, back.call
        by_key = p.call.operation == "UpdateEventSourceMapping" or "move_task" in p.after
        assert back.cli in p.undo_note or by_key, label
    return found
