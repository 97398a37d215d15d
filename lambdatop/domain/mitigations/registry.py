"""Find the mitigations: each module of this folder exports its own in SPECS.

A planner turns a fresh Situation into a Plan that states everything, or a Refusal that says why not.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from lambdatop.domain import mitigations
from lambdatop.domain.errors import UsageError
from lambdatop.domain.keys import Kind
from lambdatop.domain.mitigations import quarantine, undo
from lambdatop.domain.mitigations.spec import Ask, MitigationSpec, UndoCalls
from lambdatop.domain.mitigations.undo import reads_besides
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Proposal, State
from lambdatop.domain.plans.situation import Situation

__all__ = [
    "REGISTRY",
    "Ask",
    "MitigationSpec",
    "calls",
    "check_settings",
    "iam_actions",
    "kind_of",
    "looks_at",
    "names_queue",
    "plan",
    "plan_undo",
    "planner",
    "reads_besides",
]


NO_PLANNERS = ("registry", "iam_policy", "retention")
"""Modules of this folder that read the registry."""


def _found() -> dict[str, MitigationSpec]:
    """Return every spec in SPECS of a module of this folder, by name, in order."""
    names = sorted(module.name for module in iter_modules(mitigations.__path__))
    planners = (name for name in names if name not in NO_PLANNERS)
    modules = [import_module(f"{mitigations.__name__}.{name}") for name in planners]
    specs = [spec for module in modules for spec in getattr(module, "SPECS", ())]
    return {spec.name: spec for spec in sorted(specs, key=lambda spec: spec.order)}


REGISTRY: Mapping[str, MitigationSpec] = _found()
UNDO_CALLS: Mapping[str, UndoCalls] = {
    operation: undone for spec in REGISTRY.values() for undone in spec.undo for _, operation in undone.calls
}
"""What an undo may send, by operation."""
FINAL: Mapping[str, str] = {operation: why for spec in REGISTRY.values() for operation, why in spec.final}
"""Why nothing takes a call back, by operation."""


def planner(name: str) -> MitigationSpec:
    """Return the mitigation of a name; raises UsageError for an unknown one."""
    if name in REGISTRY:
        return REGISTRY[name]
    near = get_close_matches(name, REGISTRY)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise UsageError(f"There is no mitigation called {name!r}.{hint} Known: {', '.join(REGISTRY)}.")


def kind_of(name: str) -> Kind:
    """Return what a mitigation acts on: function, mapping, queue, alias or rule."""
    return planner(name).kind


def iam_actions() -> tuple[str, ...]:
    """Return every IAM action that some mitigation needs, in the registry's order."""
    found = (
        a for p in REGISTRY.values() for a in (*p.iam, *p.iam_elevated, *p.iam_encrypted, *p.iam_of_settings)
    )
    return tuple(dict.fromkeys(found))


def calls() -> frozenset[tuple[str, str]]:
    """Return every call that some mitigation or its undo sends, as (service, operation)."""
    return frozenset(call for p in REGISTRY.values() for call in p.calls)


def looks_at(name: str) -> tuple[str, ...]:
    """Return the control fields that are read besides the situation."""
    return planner(name).looks_at


def names_queue(name: str, param: str, value: object) -> bool:
    """Return whether this setting's value names a queue that has to be looked up."""
    words = (quarantine.NOWHERE, quarantine.FILE)
    return param in planner(name).queues and str(value).strip().lower() not in words


def plan(name: str, situation: Situation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan a mitigation; raises UsageError for settings that it does not know."""
    return check_settings(name, params).plan(situation, params, now, plan_id)


def plan_undo(entry: Entry, current: State, now: float, plan_id: str) -> Proposal:
    """Plan taking `entry` back, if the resource still is as we left it; else say what changed."""
    return undo.plan_undo(entry, current, now, plan_id, UNDO_CALLS, FINAL)


def check_settings(name: str, params: Mapping[str, Any]) -> MitigationSpec:
    """Return the mitigation of a name; raise UsageError for an unknown one, settings it lacks, bad values."""
    chosen = planner(name)
    for key in params:
        if key not in chosen.params:
            known = f"it takes {', '.join(chosen.params)}" if chosen.params else "it takes none"
            raise UsageError(f"{name} has no setting {key!r}; {known}.")
    for key, check in chosen.checks:
        if key in params:
            check(key, params[key])
    return chosen
