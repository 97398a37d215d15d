"""The reservation a function had before it was throttled: found in the journal and its archives, or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fakes.plan_situations import on_function, on_mapping
from fakes.worlds import NOW, ORDERS, WORKER
from fakes.written_plans import undo_of
from msgspec.structs import replace

from lambdatop.domain.mitigations.registry import plan
from lambdatop.domain.mitigations.restore import remembered, remembered_also_in_archives
from lambdatop.domain.plans.journal import Entry, Outcome
from lambdatop.domain.plans.situation import Situation

FIELD = "reserved_concurrency"


def done(name: str, s: Situation, entry_id: str, **params: Any) -> Entry:
    return undo_of(plan(name, s, params, NOW, entry_id))


ZERO = done("throttle_to_zero", on_function(reserved=7), "zero")
BACK = done("restore_concurrency", on_function(reserved=0), "back", reserved=7)
OTHER = replace(ZERO, id="other", target=WORKER._replace(id="other"), before={FIELD: 3})
TRIGGER = replace(done("disable_trigger", on_mapping(), "trigger"), target=WORKER)
"""A change of the same target that sets no reservation."""


def test_the_newest_throttle_of_the_function_tells_what_was_before() -> None:
    assert remembered([ZERO], WORKER) == {"reserved": 7}
    assert remembered([replace(ZERO, before={FIELD: None})], WORKER) == {"reserved": "none"}
    assert remembered([replace(ZERO, before={})], WORKER) == {"reserved": "none"}
    assert remembered([ZERO, replace(ZERO, id="again", before={FIELD: 20})], WORKER) == {"reserved": 20}
    assert remembered([ZERO, OTHER, TRIGGER], WORKER) == {"reserved": 7}, "these are no change of it"
    assert remembered([OTHER, TRIGGER], WORKER) == remembered([], WORKER) == {}
    assert remembered([ZERO], ORDERS) == {}


def test_a_newer_change_that_led_elsewhere_ends_the_search() -> None:
    assert remembered([ZERO, BACK], WORKER) == {}
    assert remembered([ZERO, replace(BACK, outcome="unknown")], WORKER) == {"reserved": 7}
    assert remembered([ZERO, BACK, replace(ZERO, id="new", before={FIELD: 9})], WORKER) == {"reserved": 9}


@pytest.mark.parametrize(
    ("outcome", "seen", "counts"),
    [
        ("open", None, True),
        ("unknown", None, True),
        ("unknown", {FIELD: 7}, True),
        ("unknown", {FIELD: 0}, True),
        ("unknown", {FIELD: 50}, False),
        ("refused", None, False),
        ("not-sent", {FIELD: 0}, False),
        ("undone", None, False),
    ],
)
def test_a_throttle_counts_where_it_may_be_why_the_function_stands_at_zero(
    outcome: Outcome, seen: Any, counts: bool
) -> None:
    unsure = replace(ZERO, outcome=outcome, seen=seen)
    assert remembered([unsure], WORKER) == ({"reserved": 7} if counts else {})


class Archives:
    """Older files of the journal, newest first, and how many of them were read."""

    def __init__(self, *files: tuple[Entry, ...]) -> None:
        self.files, self.read = files, 0

    def __call__(self) -> Iterator[tuple[Entry, ...]]:
        for file in self.files:
            self.read += 1
            yield file


@pytest.mark.parametrize(
    ("entries", "files", "found", "read"),
    [
        ((ZERO,), ((BACK,),), {"reserved": 7}, 0),
        ((replace(ZERO, outcome="unknown"),), ((BACK,),), {"reserved": 7}, 0),
        ((BACK,), ((ZERO,),), {}, 0),  # the newest change that is known led elsewhere
        ((replace(BACK, outcome="refused"),), ((ZERO,),), {"reserved": 7}, 1),
        ((OTHER, TRIGGER), ((ZERO,), (ZERO,)), {"reserved": 7}, 1),
        ((), ((OTHER,), (ZERO,), (BACK,)), {"reserved": 7}, 2),
        ((), ((BACK,), (ZERO,)), {}, 1),
        ((), ((OTHER,), (TRIGGER,)), {}, 2),
        ((), (), {}, 0),
    ],
)
def test_archives_are_read_until_one_tells(
    entries: tuple[Entry, ...], files: tuple[tuple[Entry, ...], ...], found: dict[str, Any], read: int
) -> None:
    archives = Archives(*files)
    assert remembered_also_in_archives(entries, archives, WORKER) == found
    assert archives.read == read


def test_what_a_newer_file_says_of_an_entry_counts() -> None:
    """An undo in the newer file marks the throttle of the older one."""
    undo = replace(BACK, id="undo", mitigation="undo", undoes="zero", outcome="refused")
    assert remembered_also_in_archives((undo,), Archives((ZERO,)), WORKER) == {"reserved": 7}
    taken_back = replace(TRIGGER, id="undo", mitigation="undo", undoes="zero")
    assert remembered_also_in_archives((taken_back,), Archives((ZERO,)), WORKER) == {}
