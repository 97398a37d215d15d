"""SQS purges a queue once in 60 s: our own purge is told from somebody else's, by the journal."""

from __future__ import annotations

import pytest
from fakes.plan_situations import on_queue, orders
from fakes.worlds import DLQ, NOW, ORDERS
from fakes.written_plans import undo_of
from msgspec.structs import replace

from lambdatop.domain.mitigations.purge import too_soon
from lambdatop.domain.mitigations.registry import plan
from lambdatop.domain.plans.journal import Entry, Outcome, Uptime

PURGE = undo_of(plan("purge_queue", on_queue(), {}, NOW, "purge"))
ELSEWHERE = replace(PURGE, id="other", target=DLQ)
MOVED = undo_of(plan("quarantine_queue", on_queue(orders(visible=1)), {}, NOW, "hold"), target=ORDERS)
"""Another change of the same queue."""
PURGED = "orders was purged 20 s ago from here; SQS purges again after 60 s."
SENT = "A purge of orders was sent 20 s ago from here, and may have gone through."


@pytest.mark.parametrize(
    ("outcome", "said"),
    [("applied", PURGED), ("open", SENT), ("unknown", SENT), ("refused", ""), ("not-sent", "")],
)
def test_a_purge_of_ours_is_told_unless_nothing_was_sent(outcome: Outcome, said: str) -> None:
    assert too_soon([replace(PURGE, outcome=outcome)], ORDERS, NOW + 20) == said


def test_it_is_over_after_a_minute() -> None:
    assert too_soon([PURGE], ORDERS, NOW + 59.9).startswith("orders was purged 60 s ago")
    assert too_soon([PURGE], ORDERS, NOW + 60) == too_soon([PURGE], ORDERS, NOW + 600) == ""


@pytest.mark.parametrize(
    "entries",
    [
        (PURGE, ELSEWHERE),
        (PURGE, MOVED),
        (replace(PURGE, at=NOW - 600), PURGE),
        (PURGE, replace(PURGE, at=NOW - 600)),  # the clock was set back between the two
        (PURGE, replace(PURGE, at=NOW + 600)),  # how long ago that was nobody knows
        (PURGE, replace(PURGE, outcome="refused")),
    ],
)
def test_what_is_no_purge_of_this_queue_in_this_minute_does_not_hide_one(entries: tuple[Entry, ...]) -> None:
    assert too_soon(entries, ORDERS, NOW + 20) == PURGED


def test_only_purges_of_this_queue_count() -> None:
    assert too_soon((), ORDERS, NOW + 20) == ""
    assert too_soon((ELSEWHERE, MOVED), ORDERS, NOW + 20) == ""


def test_the_uptime_of_the_machine_counts_where_it_is_known() -> None:
    entry = replace(PURGE, uptime=Uptime("boot", 1000.0))
    assert too_soon([entry], ORDERS, NOW - 5000, Uptime("boot", 1020.0)) == PURGED
    assert too_soon([entry], ORDERS, NOW + 20, Uptime("boot", 1070.0)) == ""
