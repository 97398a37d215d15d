"""disable_rule and enable_rule: switch an EventBridge rule. Events meanwhile are not matched later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdatop.domain.facts.arns import bus_arn
from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.mitigations.spec import MitigationSpec, UndoCalls
from lambdatop.domain.plans.command import WayBack, Words, option
from lambdatop.domain.plans.plan import Call, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import RuleSituation

DISABLE, ENABLE = "disable_rule", "enable_rule"
FIELD = "rule_state"
ON, OFF = "ENABLED", "DISABLED"
CALLS = (("events", "DisableRule"), ("events", "EnableRule"))
IAM = ("events:DisableRule", "events:EnableRule", "events:DescribeRule", "events:ListTargetsByRule")


def switch_rule(name: str, bus: str, on: bool) -> Call:
    """Return call that switches a rule of `bus` (its ARN); EnableRule knows no other state than ENABLED."""
    return Call("events", "EnableRule" if on else "DisableRule", {"Name": name, "EventBusName": bus})


def rule_command(call: Call) -> Words:
    """Return `switch_rule` as an `aws` command."""
    verb = "enable-rule" if call.operation == "EnableRule" else "disable-rule"
    bus = option("--event-bus-name", call.params["EventBusName"])
    return ("events", verb, *option("--name", call.params["Name"]), *bus)


def plan_disable_rule(s: RuleSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan or refuse switching a rule off."""
    return _refused(DISABLE, s, ON, OFF) or _plan(DISABLE, s, now, plan_id)


def plan_enable_rule(s: RuleSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan or refuse switching a rule on."""
    return _refused(ENABLE, s, OFF, ON) or _plan(ENABLE, s, now, plan_id)


def _plan(mitigation: str, s: RuleSituation, now: float, plan_id: str) -> Plan:
    on, scope = mitigation == ENABLE, s.ref.key.scope
    bus = bus_arn(scope, s.bus, s.ref.arn)
    call, undo = switch_rule(s.name, bus, on), switch_rule(s.name, bus, not on)
    return Plan(
        id=plan_id,
        mitigation=mitigation,
        target=s.ref,
        title=f"{'Enable' if on else 'Disable'} the rule {s.ref.name}",
        tier="T1" if on else "T2",
        call=call,
        before={FIELD: s.state},
        after={FIELD: ON if on else OFF},
        undo=undo,
        way_back=WayBack(f"{'disable' if on else 'enable'} it again", rule_command(undo)),
        lost="nothing" if on else _lost(s),
        in_flight="what it sent already continues, retries of Lambda's asynchronous queue included",
        takes_effect="after a short delay (AWS documents no figure)",
        confirm="key" if on else s.ref.key.id,
        command=rule_command(call),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=_reach(s),
        warnings=_warnings(s, on),
        unknowns=s.gaps,
    )


def _reach(s: RuleSituation) -> tuple[str, ...]:
    if isinstance(s.targets, NotKnown):
        return (f"what it sends to is {s.targets.words}",)
    return tuple(f"sends to {arn}" for arn in s.targets) or ("it has no target",)


def _lost(s: RuleSituation) -> str:
    if s.schedule:
        return f"every run of {s.schedule} while it is off: missed runs are not made up"
    return "events while it is off: they are not matched, and not replayed unless the bus has an archive"


def _warnings(s: RuleSituation, on: bool) -> tuple[str, ...]:
    targets = or_none(s.targets) or ()
    return () if on or len(targets) < 2 else (f"its {len(targets)} targets stop together",)


def _refused(mitigation: str, s: RuleSituation, wanted: str, there: str) -> Refusal | None:
    if s.managed_by:
        reason = f"{s.ref.name} is managed by {s.managed_by}: AWS lets nobody else change it."
        return Refusal(mitigation, s.ref, reason, "Change it in the service that owns it.")
    if s.state == there:
        return Refusal(mitigation, s.ref, f"The rule {s.ref.name} is {s.state} already.")
    if s.state != wanted:
        reason = f"The rule {s.ref.name} is {s.state}, and EnableRule could not bring that back."
        return Refusal(mitigation, s.ref, reason, "PutRule can, with every argument that the rule has.")
    return None


NO_RULE = "no EventBridge rule that sends to it (buses but the default one need events:ListEventBuses)"

SPECS = (
    MitigationSpec(
        name="disable_rule",
        order=140,
        kind="rule",
        tier="T2",
        summary="switch an EventBridge rule off",
        plan=plan_disable_rule,
        hotkey="X",
        label="rule off",
        does="disable an EventBridge rule that sends to it",
        footer=27,
        nothing=NO_RULE,
        calls=CALLS,
        iam=IAM,
        undo=(UndoCalls(CALLS, rule_command, IAM),),
    ),
    MitigationSpec(
        name="enable_rule",
        order=150,
        kind="rule",
        tier="T1",
        summary="switch an EventBridge rule on again",
        plan=plan_enable_rule,
        hotkey="O",
        label="rule on",
        does="enable an EventBridge rule that sends to it",
        footer=28,
        nothing=NO_RULE,
        calls=CALLS,
        iam=IAM,
    ),
)
