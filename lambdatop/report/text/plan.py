"""Write a plan or a refusal for a person to read before confirming."""

from __future__ import annotations

import json
from collections.abc import Iterator

from lambdatop.domain.plans.plan import (
    TIER_MEANING,
    Alternative,
    Call,
    Plan,
    Proposal,
    Refusal,
    wait_begins,
)
from lambdatop.domain.ports.console import Result
from lambdatop.domain.sanitize import strange_letters
from lambdatop.report.text import numbers as figures
from lambdatop.report.text.snapshot import state
from lambdatop.report.text.table import text_table


def proposal_text(proposal: Proposal) -> str:
    """Return everything that a plan states, one fact a line."""
    rows = _plan(proposal) if isinstance(proposal, Plan) else _refusal(proposal)
    return text_table(None, [list(row) for row in rows])


def _plan(p: Plan) -> Iterator[tuple[str, str]]:
    yield "plan", f"{p.title} ({p.mitigation})"
    yield "target", f"{p.target.name}  {p.target.arn}"
    if strange := strange_letters(p.target.name):
        yield "CAREFUL", f"the name looks like plain letters but holds {strange}: compare the ARN"
    yield "account", f"{p.scope.account} in {p.scope.region}"
    yield "tier", f"{p.tier}: {TIER_MEANING[p.tier]}"
    if p.steps:
        yield from _steps(p)
    else:
        yield "call", _call(p.call)
        yield "before", state(p.before)
        yield "after", state(p.after)
        yield "undo", _call(p.undo) if p.undo else "not possible"
    if p.undo_note:
        yield "undo" if p.steps else "", p.undo_note
    yield "lost", p.lost
    if p.deadline is not None:
        yield "deadline", f"{figures.moment(p.deadline)}: the oldest event that waits is lost"
    elif p.deadline_latest is not None:
        yield "deadline", f"{figures.moment(p.deadline_latest)} at the latest: the oldest that waits is lost"
    yield "in flight", p.in_flight
    yield "takes effect", p.takes_effect
    for label, lines in (("reaches", p.blast_radius), ("warning", p.warnings), ("not known", p.unknowns)):
        for line in lines:
            yield label, line
    yield from _alternatives(p.alternatives)
    yield "permissions", ", ".join(p.iam_actions) or figures.UNKNOWN
    commands = p.cli.split("\n") if p.cli else []
    for i, line in enumerate(commands):
        yield "same by hand" if i == 0 else "", line
    yield "confirm", "press y" if p.confirm == "key" else f"type {p.confirm}"


def _steps(whole: Plan) -> Iterator[tuple[str, str]]:
    for number, step in enumerate(whole.shown_steps, 1):
        yield f"step {number}", f"{step.tier} {step.title}"
        yield "", _call(step.call)
        if step.after:
            yield "", f"{state(step.before)} → {state(step.after)}"
        if step.wait:
            yield "", f"{wait_begins(step.wait)} {step.wait.words}, at most {step.wait.for_s:.0f} s"
    if rest := len(whole.steps) - len(whole.shown_steps):
        yield "", f"and {rest} more steps of this kind (all of them with --json)"


def _refusal(r: Refusal) -> Iterator[tuple[str, str]]:
    yield "refused", f"{r.mitigation} of {r.target.name}"
    yield "target", r.target.arn
    yield "because", r.reason
    if r.hint:
        yield "instead", r.hint
    if r.now is not None:
        yield "we left", state(r.saw)
        yield "now it is", state(r.now)
        yield "undo would set", state(r.want)
    yield from _alternatives(r.alternatives)


def _alternatives(alternatives: tuple[Alternative, ...]) -> Iterator[tuple[str, str]]:
    for a in alternatives:
        settings = "".join(f" --set {name}={value}" for name, value in a.params.items())
        yield "rather", f"{a.mitigation} {a.target.name}{settings}: {a.why}"


def _call(call: Call) -> str:
    return f"{call.service}.{call.operation} {json.dumps(dict(call.params), ensure_ascii=False, default=str)}"


def result_text(result: Result) -> str:
    """Return how an execution ended; on drift the three views."""
    lines = [f"{result.kind}: {result.message}"]
    entries = [r.entry for r in result.steps if r.entry] or ([result.entry] if result.entry else [])
    lines += [f"journal entry {entry.id} {entry.outcome}" for entry in entries]
    if result.kind == "drift":
        lines += [f"you saw   {state(result.saw)}", f"now it is {state(result.now)}"]
        lines.append(f"you want  {state(result.want)}")
    return "\n".join(lines)
