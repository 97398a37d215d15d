"""disable_schedule: switch a schedule of EventBridge Scheduler off. Its undo switches it on again.

UpdateSchedule replaces the whole schedule: what a request leaves out gets AWS's default (API reference,
UpdateSchedule). So the change is journaled as `SwitchSchedule`, which is no operation of AWS: it names the
schedule and its wanted state, and the mutator copies every other member from a read right before it sends
UpdateSchedule. What a schedule sends may hold secrets, and is in no plan, journal entry or log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lambdatop.domain.facts.arns import arn_in
from lambdatop.domain.mitigations.spec import MitigationSpec, UndoCalls
from lambdatop.domain.plans.command import WayBack, Words, option
from lambdatop.domain.plans.plan import Call, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import ScheduleSituation
from lambdatop.domain.units import iso

NAME = "disable_schedule"
FIELD, MODIFIED = "schedule_state", "schedule_modified"
ON, OFF = "ENABLED", "DISABLED"
SERVICE, OPERATION = "lambdatop", "SwitchSchedule"
"""Not an operation of AWS: the mutator turns it into GetSchedule and UpdateSchedule of one schedule."""
CALLS = (("scheduler", "UpdateSchedule"),)
IAM = ("scheduler:UpdateSchedule", "scheduler:GetSchedule", "iam:PassRole")
"""UpdateSchedule passes the schedule's role to Scheduler, which takes iam:PassRole on that role
(https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEventBridgeSchedulerFullAccess.html)."""
READ_ONLY_MEMBERS = frozenset({"Arn", "CreationDate", "LastModificationDate"})
"""Members of GetSchedule's answer that are AWS's own: no request sets them."""
START_SLACK_S = 300.0
"""CreateSchedule answers "The StartDate you specify cannot be earlier than 5 minutes ago." to an earlier one
(https://github.com/getmoto/moto/pull/8172). Whether UpdateSchedule does, AWS does not document."""
RACE = "what somebody else changes in the second between this read and the update is overwritten"
MISSED = "AWS documents no later run for what was missed"


def switch_schedule(arn: str, group: str, name: str, state: str) -> Call:
    """Return the call that sets the state of a schedule, and leaves all else as it is."""
    return Call(SERVICE, OPERATION, {"Arn": arn, "GroupName": group, "Name": name, "State": state})


def no_command(call: Call) -> Words:
    """Return no `aws` command: one would have to repeat every member of the schedule, its input too."""
    return ()


def by_hand(group: str, name: str, state: str) -> str:
    """Return what to do by hand instead of a command."""
    read = ("aws", "scheduler", "get-schedule", *option("--group-name", group), *option("--name", name))
    update = f"update-schedule with every member that it returned and --state {state}"
    return f"by hand: read it ({' '.join(read)}), then {update}"


def plan_disable_schedule(
    s: ScheduleSituation, params: Mapping[str, Any], now: float, plan_id: str
) -> Proposal:
    """Plan or refuse switching a schedule off."""
    refused = _refused(s)
    if refused:
        return refused
    arn = arn_in(s.ref.key.scope, "scheduler", f"schedule/{s.group}/{s.name}", s.ref.arn)
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Disable the schedule {s.ref.name}",
        tier="T2",
        call=switch_schedule(arn, s.group, s.name, OFF),
        before={FIELD: s.state},
        after={FIELD: OFF},
        undo=switch_schedule(arn, s.group, s.name, ON),
        way_back=WayBack("enable it again, with its other members as they are then"),
        lost=_lost(s),
        in_flight="what it sent already continues, Scheduler's own retries included",
        takes_effect="when Scheduler has taken the update (AWS documents no figure)",
        confirm=s.ref.key.id,
        command=no_command(switch_schedule(arn, s.group, s.name, OFF)),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=(f"sends to {s.target}" if s.target else "what it sends to is not known",),
        warnings=tuple(_warnings(s, now)),
        unknowns=s.gaps,
    )


def _refused(s: ScheduleSituation) -> Refusal | None:
    if s.state == OFF:
        return Refusal(NAME, s.ref, f"The schedule {s.ref.name} is {OFF} already.")
    if s.state != ON:
        reason = f"The schedule {s.ref.name} is in state {s.state!r}, which lambdatop does not know."
        return Refusal(NAME, s.ref, reason)
    if s.not_copied:
        reason = (
            f"UpdateSchedule replaces the whole schedule, and this version cannot send "
            f"{', '.join(s.not_copied)} as it stands there: it would be lost."
        )
        return Refusal(NAME, s.ref, reason, "Disable it in the AWS console, or with a newer version.")
    return None


def _one_time(s: ScheduleSituation) -> bool:
    return s.expression.startswith("at(")


def _lost(s: ScheduleSituation) -> str:
    when = f"{s.expression} {s.timezone or 'UTC'}"
    if _one_time(s):
        return f"its only run, if {when} passes while it is off; {MISSED}"
    return f"every run of {when} while it is off; {MISSED}"


def _warnings(s: ScheduleSituation, now: float) -> Iterator[str]:
    if s.start is not None and not _one_time(s) and s.start < now - START_SLACK_S:
        yield (
            f"its StartDate {iso(s.start)} is in the past: AWS refuses such a date for a new schedule, and "
            "may refuse it here; then nothing is changed"
        )
    if s.end is not None and not _one_time(s):
        ends = "has passed" if s.end <= now else "ends it, also while it is off"
        yield f"its EndDate {iso(s.end)} {ends}"
    if s.ends_then:
        yield (
            "AWS deletes it after its last run (ActionAfterCompletion DELETE); whether it does so when that "
            "time passes while it is off is not known, and a deleted schedule cannot be enabled again"
        )
    role = f" {s.role}" if s.role else ""
    yield f"the update passes its role{role} on again: iam:PassRole on that role is needed"
    yield f"all other members are sent as they are read then; {RACE}"
    yield by_hand(s.group, s.name, OFF)


def undo_words(modified: object, ended_at: float | None) -> str:
    """Return what an undo says of changes by others since, "" without one.

    `modified` is LastModificationDate now, `ended_at` when our own change had ended, s since the epoch.
    """
    if not isinstance(modified, float) or ended_at is None or modified <= ended_at + CLOCKS_DIFFER_S:
        return ""
    return f"it was changed since, at {iso(modified)}: what was set then stays, only its state goes back"


CLOCKS_DIFFER_S = 60.0
"""AWS's clock and this machine's may differ by so much."""

SPECS = (
    MitigationSpec(
        name=NAME,
        order=160,
        kind="schedule",
        tier="T2",
        summary="switch a schedule of EventBridge Scheduler off",
        plan=plan_disable_schedule,
        hotkey="K",
        label="schedule off",
        does="disable a schedule (EventBridge Scheduler) that sends to it",
        footer=29,
        nothing="no schedule of EventBridge Scheduler that sends to it",
        calls=CALLS,
        iam_elevated=IAM,
        undo=(UndoCalls((("scheduler", OPERATION),), no_command, IAM),),
    ),
)
