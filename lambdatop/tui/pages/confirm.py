"""Write the confirm dialog: everything that a person must know before confirming. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from textwrap import wrap
from typing import Any

from lambdatop.domain.facts.permissions import SIGNS, Permissions
from lambdatop.domain.mitigations import (
    alias,
    async_retries,
    pipes,
    provisioned,
    redrive,
    schedules,
)
from lambdatop.domain.mitigations.one_by_one import FIELD as EXECUTION
from lambdatop.domain.mitigations.one_by_one import status_words
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import (
    CONFIRMATION_LIFE_S,
    MOST_SHOWN,
    TIER_MEANING,
    Plan,
    Refusal,
    Saving,
    State,
    wait_begins,
)
from lambdatop.domain.ports.console import Result
from lambdatop.domain.sanitize import strange_letters
from lambdatop.domain.state.snapshot import Target
from lambdatop.tui.shell import command_lines
from lambdatop.tui.style import format as fmt
from lambdatop.tui.style.spans import Span, Spans, clip, fit, spans
from lambdatop.tui.style.theme import ARROW

LABEL = 14
SOON_S = 3600.0
TIER_SLOT = {"T1": "ok", "T2": "warning", "T3": "critical"}
RESULT_SLOT = {"applied": "ok", "refused": "critical", "not-sent": "warning", "unknown": "critical"}
UNCHANGED = "nothing was changed"
RESULT_WORDS = {
    "applied": "APPLIED",
    "refused": f"REFUSED BY AWS: {UNCHANGED}",
    "not-sent": f"NOT SENT: {UNCHANGED}",
    "unknown": "OUTCOME UNKNOWN: it may have been applied; the journal (J) keeps it open",
    "drift": "NOT SENT: somebody changed it meanwhile",
    "expired": "NOT SENT: the confirmation had expired",
    "read-only": "NOT SENT: read-only mode",
}
PERMISSION_SLOT = {"yes": "ok", "no": "critical", "unknown": "muted"}
FIELD_WORDS = {
    "reserved_concurrency": "reserved concurrency",
    "state": "trigger",
    redrive.FIELD: "dead letters",
    async_retries.FIELD: "async events",
    "rule_state": "rule",
    schedules.FIELD: "schedule",
    pipes.FIELD: "pipe",
    alias.WEIGHTS: "weights",
}


def value_words(field: str, value: Any) -> str:
    """Return a control value in words: absent, 0 and n are three different things.

    A value that a journal holds in a form which this version does not know stands as it is.
    """
    try:
        return _words(field, value)
    except (AttributeError, KeyError, TypeError, ValueError):
        return str(value)


def _words(field: str, value: Any) -> str:
    if field == "reserved_concurrency":
        if value is None:
            return "none reserved"
        return "0 (throttled to zero)" if value == 0 else f"{value} reserved"
    if field == redrive.FIELD:
        return redrive.move_words(value)
    if field == async_retries.FIELD:
        return async_retries.async_words(value)
    if field == alias.WEIGHTS:
        return (
            ", ".join(f"{alias.percent(share)} to {v}" for v, share in (value or {}).items())
            or "all to one version"
        )
    if field.startswith(provisioned.FIELD):
        many = "none" if value is None else str(value)
        return f"{many} provisioned for {field.removeprefix(provisioned.FIELD)}"
    if field.startswith(EXECUTION):
        return status_words(value)
    return "absent" if value is None else str(value)


def field_words(field: str) -> str:
    """Return what a control field is called; which alias or version it is of stands beside its value."""
    if field.startswith(provisioned.FIELD):
        return "environments"
    if field.startswith(EXECUTION):
        return field.replace(":", " ", 1)
    return FIELD_WORDS.get(field, field.replace("_", " "))


def row(label: str, text: str, width: int, slot: str = "", label_slot: str = "muted") -> Spans:
    """Return a label and its text, wrapped under itself."""
    lines = wrap(text, max(20, width - LABEL), break_long_words=True, break_on_hyphens=False) or [""]
    pieces: list[Span] = []
    for i, line in enumerate(lines):
        head = (Span(f"{label:<{LABEL - 1}} ", label_slot),) if i == 0 else (Span(" " * LABEL),)
        pieces += [*head, Span(line, slot), Span("\n")]
    return tuple(pieces)


def rows(label: str, texts: Iterable[str], width: int, slot: str = "", label_slot: str = "muted") -> Spans:
    """Return several texts under one label."""
    pieces: list[Span] = []
    for i, text in enumerate(texts):
        pieces += row(label if i == 0 else "", text, width, slot, label_slot)
    return tuple(pieces)


def heading(plan: Plan, width: int, now: float) -> Spans:
    """Return title, tier with its meaning, and how long the oldest waiting event still lives."""
    slot = TIER_SLOT[plan.tier]
    title = clip(plan.title, width)
    head = spans((title, "accent"), "\n", (f"{plan.tier}: {TIER_MEANING[plan.tier]}", slot))
    at = plan.deadline if plan.deadline is not None else plan.deadline_latest
    if at is None:
        return head
    left, most = at - now, "" if plan.deadline is not None else " at the latest"
    words = f"the oldest expires in {countdown(left)}{most}" if left > 0 else "THE OLDEST EXPIRES NOW"
    return (*head, Span(f"   {words}", "warning" if left > SOON_S else "critical"))


def countdown(seconds: float) -> str:
    """Return `3 d 04:05:06`, a remaining time."""
    whole = max(0, int(seconds))
    days, rest = divmod(whole, 86_400)
    clock = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
    return f"{days} d {clock}" if days else clock


def progress(plan: Plan, journal: Iterable[Entry], width: int) -> Spans:
    """Return the steps of a plan and how far each has come, by the journal."""
    known = {entry.id: entry for entry in journal}
    if plan.pace_s:
        return _tally(plan, known, width)
    pieces: list[Span] = []
    for number, step in enumerate(plan.steps, 1):
        entry = known.get(step.id)
        outcome = entry.outcome if entry else "to come"
        slot = RESULT_SLOT.get(outcome, "muted")
        pieces += row(f"step {number}", f"{step.title}: {outcome}", width, slot)
        following = _after_its_group(plan.steps, number)
        if outcome == "applied" and step.wait and following and following.id not in known:
            pieces += row("", f"waiting {step.wait.words}", width, "warning")
    return tuple(pieces)


def _tally(plan: Plan, known: Mapping[str, Entry], width: int) -> Spans:
    """Return how many of a plan's many steps have come how far."""
    outcomes = Counter(known[step.id].outcome if step.id in known else "to come" for step in plan.steps)
    pieces: list[Span] = []
    for outcome, many in outcomes.most_common():
        pieces += row("steps", f"{many} {outcome}", width, RESULT_SLOT.get(outcome, "muted"))
    return tuple(pieces)


def _after_its_group(steps: Sequence[Plan], number: int) -> Plan | None:
    """Return the first step that waits for the one with this number (from 1)."""
    for step, following in pairwise(steps[number - 1 :]):
        if not (step.wait and step.wait.with_next):
            return following
    return None


def _steps(plan: Plan, width: int) -> Spans:
    """Return what each step changes and what is waited for; of many steps the first."""
    pieces: list[Span] = []
    for number, step in enumerate(plan.shown_steps, 1):
        pieces += row(f"step {number}", step.title, width, "accent")
        pieces += row("", f"{step.call.service}.{step.call.operation}({_parameters(step)})", width, "muted")
        if step.wait:
            pieces += row("", f"{wait_begins(step.wait)} {step.wait.words}", width, "muted")
    if rest := len(plan.steps) - len(plan.shown_steps):
        pieces += row("", f"and {rest} more steps of this kind", width, "accent")
    return tuple(pieces)


def _parameters(plan: Plan) -> str:
    return ", ".join(f"{k}={v!r}" for k, v in plan.call.params.items())


def where(plan: Plan, target: Target | None, width: int) -> Spans:
    """Return account, region, identity, the target, and what would change."""
    alias = f"{target.alias} ({plan.scope.account})" if target and target.alias else plan.scope.account
    place = f"{alias}  in  {plan.scope.region}"
    pieces = [*row("account", place, width)]
    if target and target.endpoint:
        pieces += row("endpoint", target.endpoint, width, "warning")
    if target and target.identity:
        pieces += row("identity", target.identity, width, "muted")
    pieces += row(plan.target.key.kind, plan.target.arn, width)
    if strange := strange_letters(plan.target.name):
        words = f"the name looks like plain letters but holds {strange}: compare the ARN"
        pieces += row("CAREFUL", words, width, "critical", "critical")
    pieces += _steps(plan, width)
    for field in plan.after:
        before, after = value_words(field, plan.before.get(field)), value_words(field, plan.after[field])
        name = field_words(field)
        pieces += [Span(f"{'change':<{LABEL - 1}} ", "muted"), Span(f"{name}: ", "muted"), Span(before)]
        pieces += [Span(f"  {ARROW}  ", "muted"), Span(after, "accent"), Span("\n")]
    return tuple(pieces)


def consequences(plan: Plan, width: int, permissions: Permissions | None = None) -> Spans:
    """Return what is lost, what it hits, its undo, the exact call, and whether the caller may do it."""
    harmless = plan.lost.startswith("nothing")
    pieces = [*row("lost", plan.lost, width, "" if harmless else TIER_SLOT[plan.tier])]
    pieces += row("in flight", plan.in_flight, width)
    if plan.saves is not None:
        pieces += row("saves", saving_words(plan.saves), width)
    pieces += row("takes effect", plan.takes_effect, width)
    pieces += rows("hits", plan.blast_radius, width)
    pieces += rows("warning", plan.warnings, width, "warning", "warning")
    pieces += rows("not known", plan.unknowns, width, "warning")
    back, by_hand = plan.way_back, plan.undo_by_hand
    pieces += row("undo", back.words + back.then, width, "" if plan.undo or plan.steps else "critical")
    pieces += _commands("undo by hand", [by_hand] if by_hand else [], width)
    if not plan.steps:
        pieces += row(
            "call", f"{plan.call.service}.{plan.call.operation}({_parameters(plan)})", width, "muted"
        )
    commands = plan.cli.split("\n")
    pieces += _commands("same as", commands if any(commands) else (), width)
    pieces += row("needs", ", ".join(plan.iam_actions), width, "muted")
    if permissions is not None and plan.iam_actions:
        answer = permissions.of(plan.iam_actions)
        words = permissions.words(plan.iam_actions)
        words = words if answer == "unknown" else f"{SIGNS[answer]}: {words}"
        pieces += row("allowed", words, width, PERMISSION_SLOT[answer])
    return tuple(pieces)


def saving_words(saves: Saving) -> str:
    """Return what a plan saves, as one line."""
    about = "at most ≈ " if saves.at_most and saves.usd_per_hour else "≈ "
    text = f"{about}{fmt.usd(saves.usd_per_hour)}/h ({saves.why})"
    wasted = saves.wasted_usd_per_hour
    if wasted and wasted < saves.usd_per_hour:
        return f"{text}, of it {fmt.usd(wasted)}/h wasted"
    return f"{text}, all of it wasted" if wasted else text


def _commands(label: str, commands: Iterable[str], width: int) -> Spans:
    """Return commands to copy, under one label."""
    pieces: list[Span] = []
    for command in commands:
        for line in command_lines(command, width - LABEL):
            pieces += [Span(f"{label:<{LABEL - 1}} ", "muted"), Span(line, "muted"), Span("\n")]
            label = ""
    return tuple(pieces)


SENDING = spans(("sending… Esc closes this dialog; the call continues", "warning"))


def status(plan: Plan | None, now: float, *, void: bool, armed: bool, more: bool) -> Spans:
    """Return the line above the buttons: what is waited for, and how old the read is."""
    if plan is None:
        return spans(("Esc closes", "muted"))
    if void:
        stepped = now < plan.planned_at
        why = "the clock was set back" if stepped else f"{CONFIRMATION_LIFE_S:.0f} s have passed"
        gone = f"{why}: this plan is void. "
        return spans((gone, "warning"), ("Ctrl-R", "accent"), (" reads the state again", "warning"))
    read = f"  state read {max(0.0, now - plan.planned_at):.0f} s ago{'  ↓ shows more' if more else ''}"
    if not armed:
        return spans(("one moment…", "muted"), (read, "muted"))
    if plan.confirm == "key":
        return spans("press ", ("y", "accent"), " to confirm, Esc to cancel", (read, "muted"))
    return spans(("Enter confirms, Esc cancels", "muted"), (read, "muted"))


def refusal(refused: Refusal, width: int) -> tuple[Spans, Spans]:
    """Return heading and words of a refusal."""
    title = spans(
        ("This is not possible now", "warning"), (f"\n{refused.mitigation.replace('_', ' ')}", "muted")
    )
    body = [
        *row("target", refused.target.arn or refused.target.name, width),
        *row("why", refused.reason, width),
    ]
    if refused.hint:
        body += row("what to do", refused.hint, width, "accent")
    if refused.now is not None:
        body += drift(refused.saw or {}, refused.now, refused.want or {}, width)
    return title, tuple(body)


def outcome(result: Result, width: int) -> tuple[Spans, Spans]:
    """Return heading and words of how an execution ended."""
    words = RESULT_WORDS[result.kind]
    if any(step.kind == "applied" for step in result.steps):
        words = words.replace(UNCHANGED, "what was done before stands")
    title = spans((words, RESULT_SLOT.get(result.kind, "warning")))
    body = [*row("", result.message, width)] if result.message and not _all_done(result) else []
    for number, step in _worth_reading(result.steps):
        body += row(
            f"step {number}", f"{step.kind}: {step.message}", width, RESULT_SLOT.get(step.kind, "warning")
        )
    if result.kind == "drift":
        body += drift(result.saw or {}, result.now or {}, result.want or {}, width)
    if result.entry is not None:
        body += row("journal", result.entry.id, width, "muted")
        if result.entry.can_undo:
            what = "the last step" if result.steps else "it"
            body += row("undo", f"u undoes {what}; J shows the journal", width)
    return title, tuple(body)


def _worth_reading(steps: Sequence[Result]) -> list[tuple[int, Result]]:
    """Return the steps with their numbers; of many only the first that were not carried out."""
    numbered = list(enumerate(steps, 1))
    if len(steps) <= MOST_SHOWN:
        return numbered
    return [(number, step) for number, step in numbered if step.kind != "applied"][:MOST_SHOWN]


def _all_done(result: Result) -> bool:
    """Return whether every step states its own good end, so that the whole need not repeat them."""
    return 0 < len(result.steps) <= MOST_SHOWN and all(step.kind == "applied" for step in result.steps)


def drift(saw: State, now: State, want: State, width: int) -> Spans:
    """Return three columns: what you saw, what is there now, what you want."""
    column = max(12, (width - LABEL) // 3)
    pieces: list[Span] = [Span(" " * LABEL)]
    for title in ("you saw", "it is now", "you want"):
        pieces += fit(spans((title, "muted")), column)
    pieces.append(Span("\n"))
    for field in {**saw, **now, **want}:
        pieces += (*fit(spans((field_words(field), "muted")), LABEL - 1), Span(" "))
        for state, slot in ((saw, ""), (now, "warning"), (want, "accent")):
            words = value_words(field, state[field]) if field in state else ""
            pieces += fit(spans((words, slot)), column)
        pieces.append(Span("\n"))
    return tuple(pieces)


OPEN = ("open", "unknown")


def in_reading_order(entries: tuple[Entry, ...]) -> list[Entry]:
    """Return what is open or unknown first, then the newest first."""
    newest = sorted(entries, key=lambda e: -e.at)
    return sorted(newest, key=lambda e: e.outcome not in OPEN)


def change_words(entry: Entry) -> str:
    """Return `none reserved → 0 (throttled to zero)`."""
    fields = [
        f"{value_words(f, entry.before.get(f))} {ARROW} {value_words(f, entry.after[f])}" for f in entry.after
    ]
    return ", ".join(fields)
