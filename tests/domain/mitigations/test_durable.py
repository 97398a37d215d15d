"""Stopping durable executions: how many at once, in which order, and what the journal says of them."""

from __future__ import annotations

from fakes.plan_situations import on_function
from fakes.situations_of_executions import THREE, execution, running
from fakes.worlds import NOW, WORKER
from fakes.written_plans import applied
from msgspec.structs import replace

from lambdatop.domain.facts.durable import VersionExecutions
from lambdatop.domain.mitigations.durable import stopped_from_here
from lambdatop.domain.mitigations.one_by_one import MOST, PACE_S
from lambdatop.domain.mitigations.registry import plan, plan_undo
from lambdatop.domain.plans.plan import MOST_SHOWN, Plan, Refusal
from lambdatop.domain.plans.situation import FunctionSituation
from lambdatop.report.text.plan import proposal_text

GETS_PER_S = 30
"""What AWS answers of GetDurableExecution (Lambda developer guide, "Lambda quotas")."""


def made(s: FunctionSituation, **params: str) -> Plan:
    found = plan("stop_durable", s, params, NOW, "p")
    assert isinstance(found, Plan), found
    return found


def _many() -> FunctionSituation:
    full = tuple(execution("7", f"o-{n}", 9000.0 - n) for n in range(MOST + 1))
    return running(VersionExecutions("7", full))


def test_one_plan_stops_the_oldest_and_says_that_more_run() -> None:
    found = made(_many())
    assert len(found.steps) == MOST
    assert found.steps[0].title.startswith("Stop o-0 of version 7")
    assert found.title == f"Stop the oldest {MOST} running durable executions of orders-worker"
    assert any("plan it again" in warning for warning in found.warnings)
    assert found.blast_radius == (f"version 7: {MOST + 1:,} running, the oldest for 2 h 30 min",)


def test_of_many_steps_a_person_reads_the_first_and_how_many_there_are() -> None:
    found = made(_many())
    assert found.cli.count("\n") == MOST_SHOWN
    assert found.cli.endswith(f"# and the same for {MOST - MOST_SHOWN} more")
    text = proposal_text(found)
    assert f"step {MOST_SHOWN}" in text
    assert f"step {MOST_SHOWN + 1}" not in text
    assert f"and {MOST - MOST_SHOWN} more steps of this kind" in text


def test_the_pace_leaves_most_of_the_reads_to_others() -> None:
    assert 2 / PACE_S <= GETS_PER_S / 3


def test_what_was_stopped_is_that_of_this_function_and_applied() -> None:
    steps = made(THREE).steps
    entries = [applied(steps[0]), replace(applied(steps[1]), outcome="unknown"), applied(steps[2])]
    entries[2] = replace(entries[2], target=WORKER._replace(id="another"))
    entries.append(replace(applied(steps[2]), detail="already ended: execution e3 SUCCEEDED"))
    found = stopped_from_here(entries, WORKER)
    assert found == {"stopped_before": ((next(iter(steps[0].after)), NOW),)}


def test_it_is_never_undone() -> None:
    entry = applied(made(THREE).steps[0])
    assert not entry.can_undo
    refused = plan_undo(entry, entry.after, NOW, "u")
    assert isinstance(refused, Refusal)
    assert refused.reason.endswith("a stopped execution cannot be resumed.")


def test_a_function_that_is_not_durable_has_none() -> None:
    refused = plan("stop_durable", on_function(), {}, NOW, "p")
    assert isinstance(refused, Refusal)
