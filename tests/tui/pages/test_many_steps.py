"""A plan that stops a thousand executions fits on a screen, and says how many it does not show."""

from __future__ import annotations

from fakes.entries import entry
from fakes.situations_of_callers import MANY, on_schedule
from fakes.worlds import NOW
from msgspec.structs import replace

from lambdatop.domain.mitigations.one_by_one import MOST
from lambdatop.domain.mitigations.registry import plan
from lambdatop.domain.plans.plan import Plan
from lambdatop.domain.ports.console import Result
from lambdatop.report.text.plan import proposal_text
from lambdatop.tui.pages.confirm import MOST_STEPS, consequences, outcome, progress, where
from lambdatop.tui.style.spans import Spans

WIDTH = 100


def _text(spans: Spans) -> str:
    return "".join(span.text for span in spans)


def _plan() -> Plan:
    made = plan("stop_executions", MANY, {}, NOW, "plan-1")
    assert isinstance(made, Plan)
    return made


def test_the_first_steps_are_shown_and_the_others_counted() -> None:
    shown = _text((*where(_plan(), None, WIDTH), *consequences(_plan(), WIDTH)))
    assert f"and {MOST - MOST_STEPS:,} more steps" in shown
    assert "run-1" in shown
    assert f"run-{MOST_STEPS + 1} " not in shown
    assert len(shown.splitlines()) < 100


def test_progress_moves_on_with_the_journal() -> None:
    whole = _plan()
    over = [replace(entry(), id=step.id, outcome="applied") for step in whole.steps[:40]]
    shown = _text(progress(whole, over, WIDTH))
    assert "40 of 1000 steps are over" in shown
    assert "step 41" in shown
    assert "step 40 " not in shown
    every = [replace(entry(), id=step.id, outcome="applied") for step in whole.steps]
    assert f"step {MOST}" in _text(progress(whole, every, WIDTH))


def test_the_end_says_how_many_and_shows_the_last() -> None:
    steps = tuple(Result("applied", f"Done: {n}.") for n in range(MOST))
    shown = _text(outcome(Result("applied", "998 were stopped.", steps=steps), WIDTH)[1])
    assert "998 were stopped." in shown
    assert f"Done: {MOST - 1}." in shown
    assert len(shown.splitlines()) < 30


def test_a_report_as_text_counts_the_others_too() -> None:
    text = proposal_text(_plan())
    assert text.count("more (all of them with --json)") == 2
    assert len(text.splitlines()) < 300


def test_what_no_command_does_shows_none() -> None:
    made = plan("disable_schedule", on_schedule(), {}, NOW, "plan-1")
    assert isinstance(made, Plan)
    assert "same as" not in _text(consequences(made, WIDTH))
    assert "same by hand" not in proposal_text(made)
