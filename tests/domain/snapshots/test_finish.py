"""A plan is finished in one place: where its commands go, what forbids it, what it saves."""

from __future__ import annotations

from typing import Any

from fakes.plan_situations import fed, on_function, orders
from fakes.worlds import NOW, PROMPT, WORKER, incident, metrics, points
from msgspec.structs import replace

from lambdatop.domain.mitigations.registry import plan
from lambdatop.domain.plans.command import NOWHERE_SPECIAL, Place, WayBack
from lambdatop.domain.plans.plan import Plan, Refusal
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.snapshots.finish import finished
from lambdatop.domain.snapshots.savings import saving
from lambdatop.domain.state.fold import fold
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT

DEMO = "http://127.0.0.1:4566"


def made(**params: Any) -> Plan:
    proposal = plan(
        "throttle_to_zero", on_function(reserved=7, mappings=(fed(),), queues=(orders(),)), params, NOW, "p"
    )
    assert isinstance(proposal, Plan)
    return proposal


def done(p: Plan, *more: Any) -> Plan:
    there = finished(p, *more)
    assert isinstance(there, Plan)
    return there


def test_commands_go_where_lambdatop_is_connected_to() -> None:
    whole = made(triggers="first")
    there = done(whole, Place("-on call", DEMO), "")
    where = f" '--profile=-on call' --endpoint-url {DEMO}"
    assert there.cli == "\n".join(f"{line}{where}" for line in whole.cli.split("\n"))
    assert [step.cli for step in there.steps] == there.cli.split("\n")
    assert there.undo_note == whole.undo_note, "it holds no command"
    back = "set it back to 7 (aws lambda put-function-concurrency --function-name "
    last, as_was = there.steps[-1], whole.steps[-1]
    before, _, after = as_was.undo_note.partition(")")
    assert before.startswith(back)
    assert last.undo_note == f"{before}{where}){after}"
    assert replace(last, place=as_was.place) == as_was


def test_a_plan_without_a_command_gets_none() -> None:
    there = done(
        replace(made(), command=(), way_back=WayBack("none", (), "; it is gone")), Place("d", ""), ""
    )
    assert (there.cli, there.undo_by_hand, there.undo_note) == ("", "", "none; it is gone")


def test_why_nothing_may_be_changed_stands_before_other_warnings() -> None:
    plain = made()
    assert done(plain, NOWHERE_SPECIAL, "") == plain
    assert done(plain, NOWHERE_SPECIAL, "No.").warnings == ("No.", *plain.warnings)


def test_what_it_saves_is_by_the_newest_snapshot() -> None:
    world = fold(incident(), metrics(points(WORKER, "Duration", [240_000.0] * 10)))
    seen = build_snapshot(
        world, previous=EMPTY_SNAPSHOT, at=NOW, version="t", mode="operator", settings=PROMPT
    )
    assert done(made(), NOWHERE_SPECIAL, "").saves is None
    assert done(made(), NOWHERE_SPECIAL, "", EMPTY_SNAPSHOT).saves is None
    saves = done(made(), NOWHERE_SPECIAL, "", seen).saves
    assert saves is not None
    assert saves == saving(made(), seen)


def test_a_refusal_is_as_it_was() -> None:
    refused = plan("throttle_to_zero", on_function(reserved=0), {}, NOW, "p")
    assert isinstance(refused, Refusal)
    assert finished(refused, Place("dev", DEMO), "No.", EMPTY_SNAPSHOT) is refused
