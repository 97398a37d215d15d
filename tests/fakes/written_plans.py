"""Plans, undos and refusals as text, whole: what `tests/domain/mitigations/plans` holds, approved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fakes.worlds import MAPPING, NOW, SCOPE
from msgspec import NODEFAULT
from msgspec.structs import fields, replace

from lambdatop.domain.errors import UsageError
from lambdatop.domain.facts.queue import MoveTask
from lambdatop.domain.mitigations.registry import plan_undo
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Alternative, Call, Plan, Proposal, Refusal, Wait

Lines = Mapping[str, tuple[str, ...]]
"""What a plan says, by the name of the field."""

HEAD = """\
What lambdatop says in each of these situations, word for word. The first plan is whole; one after it leaves
out what is the same as in the first of its kind ("-" stands for what that one says and this one does not).
HERE stands for the account and region of everything that has no other.
"""
SAME = "the same\n"
LONG_S = 1e6
"""A larger number of seconds is a moment."""
RENDERED = {"way_back": "undo_note", "command": "cli"}
"""Fields of a plan that hold arguments, and what of a plan shows them."""
_SHORTER = {
    f":{SCOPE.region}:{SCOPE.account}:": ":HERE:",
    f"@{SCOPE}": "",
    MAPPING.id[:-1]: "uuid-",
}


def section(label: str, make: Callable[[], Proposal], first: dict[str, Lines]) -> str:
    """Return one situation as text; `first` collects the first plan of each kind."""
    text = f"== {label}\n{_body(make, first)}"
    for long, short in _SHORTER.items():
        text = text.replace(long, short)
    return text


def _body(make: Callable[[], Proposal], first: dict[str, Lines]) -> str:
    try:
        proposal = make()
    except UsageError as error:
        return f"not taken: {error}\n"
    if isinstance(proposal, Refusal):
        said = _said(proposal)
        refused = f"refused: {proposal.mitigation} of {said.pop('target')[0]}"
        del said["mitigation"]
        return f"{refused}\n{_text(said)}"
    said = _with_undo(proposal)
    kind = "in steps" if proposal.steps else "plain"
    base = first.setdefault(kind, said)
    if base is said:
        return _text(said)
    changed = {name: said.get(name, ("-",)) for name in {**said, **base} if said.get(name) != base.get(name)}
    return _text(changed) or SAME


def applied(p: Plan) -> Entry:
    """Return the journal entry of a plan that was carried out."""
    return Entry(
        p.id, NOW, p.mitigation, p.target.key, p.target.arn, "me", "host", 1, p.call, p.before, p.after,
        p.undo, p.undoes, p.digest(), "applied", NOW, label=p.target.name, depth=p.depth,
    )  # fmt: skip


def afterwards(p: Plan) -> dict[str, Any]:
    """Return what a read of the target gives after the plan."""
    seen = dict(p.after)
    if "move_task" in seen and p.undo is not None:
        seen["move_task"] = MoveTask(9, "RUNNING", "handle-9").control
    return seen | ({"revision_id": "rev-2"} if "revision_id" in p.before else {})


def _with_undo(p: Plan) -> dict[str, tuple[str, ...]]:
    said = _said(p)
    for number, step in enumerate(p.steps, 1):
        said |= {f"step {number} {name}": lines for name, lines in _said(step).items()}
    if p.undo is not None:
        back = plan_undo(applied(p), afterwards(p), NOW + 60, "undo-1")
        same = {"target": said["target"]}
        undone = {name: lines for name, lines in _said(back).items() if same.get(name) != lines}
        said |= {f"undone: {name}": lines for name, lines in undone.items()}
    return said


def _said(proposal: Proposal) -> dict[str, tuple[str, ...]]:
    said = {}
    for field in fields(proposal):
        name = RENDERED.get(field.name, field.name)
        value = getattr(proposal, name)
        default = () if field.default is NODEFAULT else field.default
        if field.name not in ("steps", "iam_actions") and value != default:
            said[name.replace("_", " ")] = tuple(_lines(value))
        if field.name == "iam_actions":
            said["iam actions"] = (", ".join(value),)
    return said


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from value.split("\n")
    elif isinstance(value, float):
        yield f"now {value - NOW:+.0f} s" if value > LONG_S else f"{value:g}"
    elif isinstance(value, tuple) and not isinstance(value, (Ref, Call)):
        for one in value:
            yield from _lines(one)
    elif isinstance(value, Ref):
        yield f"{value.name} ({value.key}, {value.arn})"
    elif isinstance(value, Call):
        yield f"{value.service} {value.operation} {_json(value.params)}"
    elif isinstance(value, Alternative):
        label = f" [{value.label}]" if value.label else ""
        (target,) = _lines(value.target)
        yield f"{value.mitigation} {_json(value.params)}{label} of {target}: {value.why}"
    elif isinstance(value, Wait):
        watched = f", falls: {value.falls}, clears: {value.clears}" if value.falls or value.clears else ""
        beside = ", beside the next step" if value.with_next else ""
        yield f"{value.words}; at most {value.for_s:.0f} s{watched}{beside}"
    else:
        yield _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text(said: Lines) -> str:
    pieces = []
    for name, lines in said.items():
        pieces.append(f"{name}: {lines[0]}" if len(lines) == 1 else "\n    ".join((f"{name}:", *lines)))
    return "".join(f"{piece}\n" for piece in pieces)


def undo_of(p: Proposal, **changes: Any) -> Entry:
    """Return the entry of a plan that was carried out, with changes."""
    assert isinstance(p, Plan), p
    return replace(applied(p), **changes)
