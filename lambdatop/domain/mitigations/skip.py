"""Skip a poison pill on a stream: find the bad record by halving its batch, drop it, restore the settings.

A stream-fed function cannot be stopped by stopping it: the shard is tried again until its records expire.
With few retries and bisecting Lambda closes in on the record that fails, reports its place, and goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from lambdatop.domain.errors import UsageError
from lambdatop.domain.facts.event_source_mapping import ENDLESS
from lambdatop.domain.facts.failure_path import end_name, keeps_records
from lambdatop.domain.mitigations import triggers, tune
from lambdatop.domain.mitigations.composite import in_steps, step_id
from lambdatop.domain.mitigations.spec import Ask, MitigationSpec
from lambdatop.domain.mitigations.tune import (
    KNOBS,
    PROVISION_FIRST,
    PROVISIONED_ONLY,
    check_destination,
    plan_tune_trigger,
    set_to,
)
from lambdatop.domain.plans.parse import switch
from lambdatop.domain.plans.plan import Plan, Proposal, Refusal, Wait
from lambdatop.domain.plans.situation import MappingSituation

NAME = "tune_trigger"
SETTING = "skip_poison"
RETRIES = 2
WATCH_S = 1800.0
AGE, PROBLEM = "oldest_age_s", "problem"
"""Fields of a mapping that are looked at while the bad record is closed in on."""


def plan_tune_or_skip(s: MappingSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Tune a trigger; with `skip_poison` skip a bad record, which `on_failure` alone goes with."""
    others = {name: value for name, value in params.items() if name != SETTING}
    if not switch(SETTING, params.get(SETTING, "no")):
        return plan_tune_trigger(s, others, now, plan_id)
    if others.keys() - {"on_failure"}:
        raise UsageError(f"{SETTING} sets retries and bisecting itself; only on_failure goes with it.")
    return plan_skip(s, others, now, plan_id)


def plan_skip(s: MappingSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan the three or four steps, or refuse; raises UsageError for a bad `on_failure`."""
    m = s.facts
    if m.kind.limits == "never":
        return Refusal(NAME, s.ref, f"AWS has no retries and no bisecting to set for {m.source_name}.")
    if not m.limited:
        return Refusal(NAME, s.ref, PROVISIONED_ONLY, PROVISION_FIRST)
    if m.state != "Enabled":
        return Refusal(NAME, s.ref, f"The trigger is {m.state}: nothing is tried, so nothing can be skipped.")
    if "on_failure" not in params and not m.on_failure_arn:
        hint = (
            "Pass --set on_failure=ARN (a bucket keeps the whole record, a queue or topic its position only)"
        )
        hint += ", or on_failure=none to drop records unreported."
        return Refusal(NAME, s.ref, "Where should skipped records be reported?", hint)
    if m.bisect_on_error and m.max_retry_attempts not in (None, ENDLESS):
        reason = f"It bisects and discards after {m.max_retry_attempts} retries already."
        return Refusal(NAME, s.ref, reason, "Bad records are skipped already.")
    check_destination(m, _destination_of(params))
    steps = _steps(s, params, now, plan_id)
    title = f"Skip the bad record of {m.label}, then put the settings back"
    lost = f"the record that still fails after {RETRIES} retries is skipped; {_report(s, params)}"
    return in_steps(NAME, s.ref, title, steps, confirm=m.function.id, lost=lost)


def _steps(s: MappingSituation, params: Mapping[str, Any], now: float, plan_id: str) -> tuple[Plan, ...]:
    steps: list[Plan] = []
    end = _destination_of(params)
    if end is not None and end != s.facts.on_failure_arn:
        steps.append(set_to(s, {"on_failure": end}, now, step_id(plan_id, 1)))
        s = replace(s, facts=replace(s.facts, on_failure_arn=end))
    wanted = {"max_retry_attempts": RETRIES, "bisect_on_error": True}
    closing_in = set_to(s, wanted, now, step_id(plan_id, len(steps) + 1))
    wait = Wait(
        "until the bad record is skipped (the oldest is half as old, or nothing has failed for a minute)",
        WATCH_S,
        falls=AGE,
        clears=PROBLEM,
    )
    title = f"Isolate the bad record: {RETRIES} retries, bisecting"
    steps.append(replace(closing_in, title=title, wait=wait))
    changed = replace(s.facts, max_retry_attempts=RETRIES, bisect_on_error=True)
    back = set_to(replace(s, facts=changed), dict(closing_in.before), now, step_id(plan_id, len(steps) + 1))
    steps.append(replace(back, title="Put retries and bisecting back"))
    return tuple(steps)


def _destination_of(params: Mapping[str, Any]) -> str | None:
    """Return the requested destination for the skipped record's metadata; None keeps the present one."""
    return KNOBS["on_failure"].parse("on_failure", params["on_failure"]) if "on_failure" in params else None


def _report(s: MappingSituation, params: Mapping[str, Any]) -> str:
    told = _destination_of(params) or s.facts.on_failure_arn
    if told is None:
        return "it is not reported which record it was"
    if keeps_records(told):
        return f"{end_name(told)} gets the record itself"
    name = end_name(told)
    where = "partition and offset" if s.facts.source_kind == "kafka" else "shard and sequence number"
    return f"{name} gets its {where}; fetch the data from {s.facts.kind.place} before it expires"


SPECS = (
    MitigationSpec(
        name=NAME,
        order=60,
        kind="mapping",
        tier="T1",
        summary="change batch size, concurrency, retries … of an event source mapping; skip a poison pill",
        plan=plan_tune_or_skip,
        hotkey="M",
        label="tune trigger",
        does="tune one of its triggers (batch, concurrency, retries)",
        footer=20,
        params=(*tune.KNOBS, SETTING),
        checks=(*((name, knob.parse) for name, knob in tune.KNOBS.items()), (SETTING, switch)),
        ask=Ask("Which settings of {target}?", "max_concurrency=2, or batch_size=1 …"),
        calls=triggers.CALLS,
        iam=triggers.IAM,
        final=((triggers.CALLS[0][1], tune.NO_WINDOW_BACK),),
    ),
)
