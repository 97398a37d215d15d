"""A plan that stops a thousand executions fits on a screen, and says how many it does not show."""

from __future__ import annotations

from fakes.entries import entry
from fakes.situations_of_callers import MANY, on_schedule
from fakes.worlds import NOW
from msgspec.structs import replace

from lambdatop.domain.mitigations.one_by_one import MOST
from lambdatop.domain.mitigations.registry import plan
from lambdatop.domain.plans.plan import MOST_SHOWN, Plan
from lambdatop.domain.ports.console import Result
from lambdatop.report.text.plan import proposal_text
from lambdatop.tui.pages.confirm import consequences, outcome, progress, where
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
    assert f"and {MOST - MOST_SHOWN} more steps of this kind" in shown
    assert "run-1" in shown
    assert f"run-{MOST_SHOWN + 1} " not in shown
    assert len(shown.splitlines()) < 100


def test_progress_counts_the_steps_by_their_outcome() -> None:
    whole = _plan()
    over = [replace(entry(), id=step.id, outcome="applied") for step in whole.steps[:40]]
    shown = _text(progress(whole, over, WIDTH))
    assert "40 applied" in shown
    assert f"{MOST - 40} to come" in shown
    assert len(shown.splitlines()) == 2


def test_the_end_says_how_many_and_shows_those_that_were_not_carried_out() -> None:
    steps = [Result("applied", f"Done: {n}.") for n in range(MOST)]
    steps[700] = Result("refused", "AWS refused: no.")
    shown = _text(outcome(Result("refused", "999 of 1000 done.", steps=tuple(steps)), WIDTH)[1])
    assert "999 of 1000 done." in shown
    assert "step 701" in shown
    assert "Done: 3." not in shown
    assert len(shown.splitlines()) < 30


def test_a_report_as_text_counts_the_others_too() -> None:
    text = proposal_text(_plan())
    assert f"and {MOST - MOST_SHOWN} more steps of this kind (all of them with --json)" in text
    assert f"# and the same for {MOST - MOST_SHOWN} more" in text
    assert len(text.splitlines()) < 300


def test_what_no_command_does_shows_none() -> None:
    made = plan("disable_schedule", on_schedule(), {}, NOW, "plan-1")
    assert isinstance(made, Plan)
    assert "same as" not in _text(consequences(made, WIDTH))
    assert "same by hand" not in proposal_text(made)
