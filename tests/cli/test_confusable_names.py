"""Names that look like other names, on the command line: marked, and compared by code points."""

from __future__ import annotations

import pytest
from fakes.shown_plans import plan_of
from msgspec.structs import replace

from lambdatop.cli import stdio
from lambdatop.cli.mutate import confirmed
from lambdatop.domain.errors import UsageError
from lambdatop.domain.plans.plan import Plan
from lambdatop.report.text.plan import proposal_text

CYRILLIC = "\u0440\u0430yments"  # looks like payments


def of(name: str) -> Plan:
    """Return a plan that must be confirmed by this name."""
    zero = plan_of("throttle_to_zero")
    return replace(zero, confirm=name, target=replace(zero.target, name=name))


def test_a_confusable_name_is_marked_and_an_ordinary_one_is_not() -> None:
    text = proposal_text(of(CYRILLIC))
    assert "CAREFUL" in text
    assert "U+0440 U+0430: compare the ARN" in text
    assert plan_of("throttle_to_zero").target.arn in text
    assert "CAREFUL" not in proposal_text(of("payments"))
    assert "CAREFUL" not in proposal_text(plan_of("disable_trigger")), (
        "the arrow in a trigger's name is our own"
    )


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        (CYRILLIC, "payments"),
        ("payments", CYRILLIC),
        ("pay-l", "pay-1"),
        ("pay-O", "pay-0"),
        ("Payments", "payments"),
        ("caf\u00e9", "cafe\u0301"),
        ("payments", "payments\u200b"),
        ("payments", "\uff50ayments"),
    ],
)
def test_a_name_that_only_looks_right_confirms_nothing(
    monkeypatch: pytest.MonkeyPatch, name: str, typed: str
) -> None:
    monkeypatch.setattr(stdio, "words", lambda text: None)
    monkeypatch.setattr(stdio, "ask", lambda question: typed)
    assert confirmed(of(name), None) is False
    with pytest.raises(UsageError, match="does not match"):
        confirmed(of(name), typed)
    monkeypatch.setattr(stdio, "ask", lambda question: name)
    assert confirmed(of(name), None) is True
    assert confirmed(of(name), name) is True
