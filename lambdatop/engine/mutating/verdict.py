"""Decide what a call's answer and the state read back mean together. Pure."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from lambdatop.domain.mitigations.one_by_one import ended
from lambdatop.domain.mitigations.undo import state_words
from lambdatop.domain.plans.journal import ACCEPTED, FOUND
from lambdatop.domain.plans.plan import Plan, State, shows
from lambdatop.domain.plans.unfinished import ALREADY
from lambdatop.domain.ports.aws import Sent
from lambdatop.domain.ports.console import Result
from lambdatop.engine.mutating.read_back import ReadBack

FOUND_APPLIED, FOUND_NOT, FOUND_CHANGED, FOUND_NOTHING = FOUND


class Verdict(Struct, frozen=True):
    """The outcome for the journal, its detail, the state seen, and a sentence for a person."""

    outcome: Literal["applied", "refused", "not-sent", "unknown"]
    detail: str
    seen: State | None = None
    message: str = ""


def words(state: State | None) -> str:
    """Return control fields in words; "unknown" when they could not be read."""
    return "unknown" if state is None else state_words(state)


def drifted(plan: Plan, fresh: State) -> Result | None:
    """Return the three-way view when somebody changed the target since the plan was made."""
    if shows(fresh, plan.before):
        return None
    sentence = (
        f"{plan.target.name} was changed since the plan was made; nothing was sent. You saw "
        f"{words(plan.before)}, it is now {words(fresh)}, you want {words(plan.after)}."
    )
    return Result("drift", sentence, saw=plan.before, now=fresh, want=plan.after)


def over_before(before: State, after: State, seen: State | None) -> str:
    """Return how an execution that was to be stopped ended by itself, "" where it did not or nobody knows.

    Its status is final: one that is neither the old one nor the wanted one is not the work of our request. An
    execution that AWS knows no more (None) may have been stopped.
    """
    if seen is None or not ended(after) or any(seen.get(name) is None for name in after):
        return ""
    there = {name: before.get(name) for name in after}
    return "" if shows(seen, after) or shows(seen, there) else words(seen)


def judge(plan: Plan, sent: Sent, seen: ReadBack) -> Verdict:
    """Return how a sent call ended, from its answer and what was read back."""
    over = over_before(plan.before, plan.after, seen.state)
    if over and sent.outcome != "not-sent":
        return _already(sent, over, seen)
    if sent.outcome == "refused":
        return Verdict("refused", sent.detail, message=f"AWS refused: {sent.detail} Nothing was changed.")
    if sent.outcome == "not-sent":
        return Verdict("not-sent", sent.detail, message=f"Nothing was sent: {sent.detail}")
    if sent.outcome == "unknown":
        return _lost_answer(plan, sent, seen)
    return _accepted(plan, sent, seen)


def _already(sent: Sent, over: str, seen: ReadBack) -> Verdict:
    """Return the verdict where an execution ended by itself before the request could end it."""
    if sent.outcome == "applied":
        # What StopExecution answers for one that has ended, AWS does not document.
        message = f"AWS accepted it, but it had ended already: {over}."
        return Verdict("applied", f"{ALREADY}: {over} (AWS accepted the request)", seen.state, message)
    said = f"{ALREADY}: {over}" + (f" (AWS answered: {sent.detail})" if sent.detail else "")
    message = f"It had ended already: {over}. Nothing was changed."
    return Verdict("refused" if sent.outcome == "refused" else "not-sent", said, seen.state, message)


def _accepted(plan: Plan, sent: Sent, seen: ReadBack) -> Verdict:
    detail = sent.detail
    message = f"Done: {plan.title}." + (f" {detail}" if detail else "")
    if seen.error:
        detail = f"accepted, but could not be read back: {seen.error}"
        message += f" AWS accepted it; it could not be read back. {seen.error}"
    elif seen.state is not None and (seen.changing or _passing(plan, seen.state)):
        detail = f"accepted, still {words(seen.state)}"
        message += f" AWS accepted it and is still at it ({words(seen.state)})."
    elif seen.state is not None and _still_before(plan, seen.state):
        return _without_effect(plan, seen.state)
    elif seen.state is not None and not shows(seen.state, plan.after):
        detail = f"accepted, but now {words(seen.state)}"
        message = (
            f"AWS accepted it, but {plan.target.name} now shows {words(seen.state)} instead of "
            f"{words(plan.after)}: somebody else may be acting, or it takes longer than usual."
        )
    return Verdict("applied", detail, seen.state, message)


def _without_effect(plan: Plan, seen: State) -> Verdict:
    """Return the verdict where AWS accepted the call but the state read back stays the old one: unknown."""
    message = (
        f"AWS accepted it, but {plan.target.name} still shows {words(seen)} instead of {words(plan.after)}: "
        "whether it was applied is not known. Its effect may still show; check the target first."
    )
    return Verdict("unknown", f"{ACCEPTED}, but it still shows {words(seen)}", seen, message)


def _still_before(plan: Plan, seen: State) -> bool:
    """Return whether a field that the call was to change still has its old value."""
    return any(
        name in plan.before and shows(seen, {name: plan.before[name]}) and not shows(seen, {name: wanted})
        for name, wanted in plan.after.items()
    )


def _passing(plan: Plan, seen: State) -> bool:
    """Return whether this is a transitional state on the way to what the plan wants."""
    return any(shows(seen, state) for state in plan.transient)


def _became(plan: Plan, seen: State) -> bool:
    """Return whether the call shows its effect, and one that was not there before."""
    there_before = shows(seen, {name: plan.before.get(name) for name in seen})
    return not there_before and (shows(seen, plan.after) or _passing(plan, seen))


def _lost_answer(plan: Plan, sent: Sent, seen: ReadBack) -> Verdict:
    if seen.state is not None and _became(plan, seen.state):
        message = f"Done: {plan.title}. AWS's answer was lost, but the state read back shows it."
        return Verdict("applied", f"{FOUND_APPLIED}: {sent.detail}", seen.state, message)
    now = f"It now shows {words(seen.state)}." if seen.state is not None else seen.error
    message = f"Whether it was applied is not known: {sent.detail} {now} See the journal before trying again."
    return Verdict("unknown", sent.detail, seen.state, message.replace("  ", " "))
