"""What stopping saves, in words, on the confirm screen."""

from __future__ import annotations

import pytest
from fakes.entries import entry

from lambdatop.domain.mitigations import alias, async_retries, redrive
from lambdatop.domain.plans.plan import Saving
from lambdatop.domain.ports.console import Result, ResultKind
from lambdatop.tui.pages.confirm import change_words, outcome, saving_words, value_words

BURNED = "burn of orders-worker now"


@pytest.mark.parametrize(
    ("saves", "said"),
    [
        (Saving(0.41, 0.15, BURNED), f"≈ $0.41/h ({BURNED}), of it $0.15/h wasted"),
        (Saving(0.41, None, BURNED, at_most=True), f"at most ≈ $0.41/h ({BURNED})"),
        (Saving(0.41, 0.41, "repeats"), "≈ $0.41/h (repeats), all of it wasted"),
        (Saving(0.0, None, "peaks only", at_most=True), "≈ $0/h (peaks only)"),
    ],
)
def test_what_is_saved_is_said_with_its_reason(saves: Saving, said: str) -> None:
    assert saving_words(saves) == said


@pytest.mark.parametrize("field", [async_retries.FIELD, redrive.FIELD, alias.WEIGHTS])
@pytest.mark.parametrize("value", [7, "text", ["x"]])
def test_a_value_of_an_unknown_form_stands_as_it_is(field: str, value: object) -> None:
    assert value_words(field, value) == str(value)


def test_provisioned_concurrency_is_not_taken_for_a_reservation() -> None:
    field = "provisioned_concurrency:live"
    step = entry(before={field: 10}, after={field: None})
    assert change_words(step) == "10 provisioned for live \N{RIGHTWARDS ARROW} none provisioned for live"


@pytest.mark.parametrize("kind", ["refused", "not-sent", "drift", "expired"])
def test_a_plan_in_steps_that_ended_halfway_has_changed_something(kind: ResultKind) -> None:
    done, last = Result("applied", "Done: the step."), Result(kind, "No.")
    title = "".join(span.text for span in outcome(Result(kind, "1 of 2.", steps=(done, last)), 80)[0])
    assert "nothing was changed" not in title
    title = "".join(span.text for span in outcome(Result(kind, "0 of 2.", steps=(last,)), 80)[0])
    assert "stands" not in title
