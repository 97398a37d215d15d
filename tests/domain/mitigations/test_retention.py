"""What stays in the journal's first file: nothing that is still needed goes, whatever happened before."""

from __future__ import annotations

from functools import partial

import pytest
from fakes.entries import AT, SCOPE, WORKER, entry
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lambdatop.domain.keys import Key, Kind
from lambdatop.domain.mitigations import retention as module
from lambdatop.domain.mitigations.drain import drain
from lambdatop.domain.mitigations.restore import remembered, remembered_also_in_archives
from lambdatop.domain.mitigations.retention import kept
from lambdatop.domain.plans.journal import (
    ACCEPTED,
    Entry,
    carried_record,
    fold_record,
    intent_record,
    joined,
    outcome_record,
    replay,
)
from lambdatop.domain.plans.undoable import find_also_in_archives, find_entry, newest_undoable, on_top
from lambdatop.domain.plans.unfinished import halfway
from lambdatop.engine.mutating.recovery import _later, unsettled

NUMBERS = module.RECENT, module.MOST
TARGETS = tuple(Key(SCOPE, "function", name) for name in ("a", "b", "c"))
OUTCOMES = ("applied", "refused", "unknown", "open", "undo", "redo")
STEPS = st.lists(st.tuples(st.sampled_from(TARGETS), st.sampled_from(OUTCOMES)), max_size=40)


@pytest.fixture(autouse=True)
def few_recent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECENT", 2)


def _write(records: list[dict[str, object]], target: Key, what: str) -> None:
    now = replay(records)
    undoes = None
    if what == "undo":
        undoes = newest_undoable(now, lambda e: e.target == target)
    elif what == "redo":
        mine = (e for e in reversed(now) if e.target == target and e.takes_back and e.can_undo)
        undoes = next((e for e in mine if on_top(now, e) is None), None)
    if what in ("undo", "redo") and undoes is None:
        return
    name = f"e{len(records)}"
    depth = undoes.depth + 1 if undoes else 0
    records.append(
        intent_record(entry(name, target=target, undoes=undoes.id if undoes else None, depth=depth))
    )
    if what != "open":
        outcome = what if what in ("refused", "unknown") else "applied"
        records.append(outcome_record(name, AT, outcome, "", None))  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(STEPS, st.integers(0, 40))
def test_a_journal_that_began_anew_answers_as_the_whole_one(steps: list[tuple[Key, str]], cut: int) -> None:
    records: list[dict[str, object]] = []
    for target, what in steps[:cut]:
        _write(records, target, what)
    before = replay(records)
    live: list[dict[str, object]] = [carried_record(e) for e in kept(before)]
    assert replay(live) == kept(before), "what is carried comes back exactly"
    length = len(records)
    for target, what in steps[cut:]:
        _write(records, target, what)
    live += records[length:]
    whole, newer = replay(records), replay(live)
    assert joined(before, newer) == whole
    assert unsettled(newer, SCOPE) == unsettled(whole, SCOPE)
    for one in unsettled(whole, SCOPE):
        assert (_later(newer, one) is None) == (_later(whole, one) is None)
    for target in TARGETS:
        wanted = newest_undoable(whole, partial(_is_of, target))
        assert newest_undoable(newer, partial(_is_of, target)) == wanted
        if wanted is not None:
            merged, found = find_also_in_archives(newer, lambda: iter([before]), SCOPE, target.id)
            assert (found, on_top(merged, found)) == (wanted, None)
        assert remembered_also_in_archives(newer, lambda: iter([before]), target) == remembered(whole, target)
    for one in whole:
        merged, found = find_also_in_archives(newer, lambda: iter([before]), SCOPE, one.id)
        assert found == one
        if found.can_undo and on_top(whole, found) is None:
            assert on_top(merged, found) is None


def _is_of(target: Key, one: Entry) -> bool:
    return one.target == target


def _applied(id_: str, **fields: object) -> Entry:
    return entry(id_, outcome="applied", outcome_at=AT, **fields)


def test_what_can_be_undone_stays_below_other_changes_too() -> None:
    entries = [_applied(f"w{i}") for i in range(3)] + [_applied(f"x{i}", target=TARGETS[0]) for i in range(3)]
    assert kept(entries) == tuple(entries)


def test_what_is_undone_next_is_the_same_after_a_new_beginning() -> None:
    """Without the change below, an undo of the newest would go on with an older one of something else."""
    entries = [_applied("other", target=TARGETS[1]), _applied("below"), _applied("above")]
    for i in range(5):
        entries.append(entry(f"c{i}", outcome="undone", target=TARGETS[0]))
        entries.append(_applied(f"u{i}", target=TARGETS[0], undoes=f"c{i}", depth=1))
    live = {e.id: e for e in kept(entries)}
    for wanted in ("above", "below", "other"):
        found = newest_undoable(tuple(live.values()), lambda e: True)
        assert found is not None
        assert found.id == wanted
        live[wanted] = entry(wanted, outcome="undone", target=found.target)


def _step(number: int, kind: Kind, name: str, **fields: object) -> Entry:
    after = {"state": "Disabled"} if kind == "mapping" else {"reserved_concurrency": 0}
    target = Key(SCOPE, kind, name)
    return _applied(f"p.{number}", target=target, after=after, whole="Throttle", steps=3, **fields)


def test_a_whole_plan_does_not_look_halfway_because_something_was_done_since() -> None:
    plan = [_step(1, "mapping", "m1"), _step(2, "mapping", "m2"), _step(3, "function", "f")]
    since = _applied("on", target=Key(SCOPE, "mapping", "m1"), after={"state": "Enabled"})
    undone = [replace(plan[0], outcome="undone"), *plan[1:]]
    rest = [entry(f"r{i}", outcome="refused", target=TARGETS[2]) for i in range(5)]
    for entries in ([*plan, since, *rest], [*undone, *rest]):
        assert kept(entries)[:3] == tuple(entries[:3])
        assert halfway(entries, lambda e: False) == halfway(kept(entries), lambda e: False) == ()


def test_a_plan_that_ended_halfway_keeps_why() -> None:
    ended = replace(_step(3, "function", "f"), outcome="refused", detail="too busy")
    entries = [_step(1, "mapping", "m1"), _step(2, "mapping", "m2"), ended]
    entries += [entry(f"r{i}", outcome="refused", target=TARGETS[2]) for i in range(5)]
    (found,) = halfway(kept(entries), lambda e: False)
    assert found.why == "too busy"


def test_flips_without_end_do_not_stay() -> None:
    entries: list[Entry] = []
    for i in range(50):
        entries.append(entry(f"c{i}", outcome="undone"))
        entries.append(_applied(f"u{i}", undoes=f"c{i}", depth=1))
    entries += [_applied(f"x{i}", target=TARGETS[0]) for i in range(2)]
    assert [e.id for e in kept(entries)] == ["u49", "x0", "x1"]


def test_what_is_not_known_stays_with_the_change_that_followed_it() -> None:
    entries = [
        entry("open", outcome="open"),
        entry("later", outcome="undone"),
        entry("lost", outcome="unknown", target=TARGETS[0]),
        *(entry(f"r{i}", outcome="refused", target=TARGETS[1]) for i in range(5)),
    ]
    assert [e.id for e in kept(entries)] == ["open", "later", "lost", "r3", "r4"]


def test_drains_stay_for_the_files_that_they_name() -> None:
    drained = _applied("d", call=drain("https://q", "orders"), after={}, undo=None)
    entries = [drained, *(entry(f"r{i}", outcome="refused") for i in range(5))]
    assert kept(entries)[0] == drained


def test_only_so_many_changes_stay_and_older_ones_are_found_in_the_archive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    entries = [_applied(f"e{i}", target=Key(SCOPE, "function", f"f{i}")) for i in range(9)]
    newer = kept(entries)
    assert [e.id for e in newer] == ["e6", "e7", "e8"]
    assert find_also_in_archives(newer, lambda: iter([tuple(entries)]), SCOPE, "f1")[1].id == "e1"
    assert find_also_in_archives(newer, lambda: iter([]), SCOPE, None)[1].id == "e8"


def test_a_second_undo_of_an_archived_change_is_told_that_it_was_undone() -> None:
    archived = (_applied("old"),)
    undo = _applied("undo", undoes="old", depth=1)
    _, found = find_also_in_archives((undo,), lambda: iter([archived]), SCOPE, "old")
    assert found.outcome == "undone"


def test_a_record_that_is_not_complete_changes_nothing() -> None:
    entries = {"e": entry("e")}
    record = carried_record(entry("x"))
    for name in ("outcome", "detail", "seen", "again_s", "target"):
        broken = {key: value for key, value in record.items() if key != name}
        with pytest.raises(KeyError):
            fold_record(entries, broken)
    assert entries == {"e": entry("e")}
    assert find_entry(tuple(entries.values()), SCOPE, "e").target == WORKER


def test_two_hundred_recent_entries_stay_and_a_thousand_of_what_may_be_needed() -> None:
    assert NUMBERS == (200, 1_000)


def test_a_plan_of_which_nothing_is_needed_goes_whole() -> None:
    plan = [replace(_step(n, "function", "f"), outcome="refused") for n in (1, 2, 3)]
    rest = tuple(entry(f"r{i}", outcome="refused", target=TARGETS[2]) for i in range(5))
    assert kept((*plan, *rest)) == rest[-2:]


REFUSED = [entry(f"r{i}", outcome="refused", target=TARGETS[2]) for i in range(5)]


def _stay(*entries: Entry) -> list[str]:
    """Return which of these stay for another reason than that they are recent."""
    return [e.id for e in kept([*entries, *REFUSED]) if not e.id.startswith("r")]


@pytest.mark.parametrize("newest", ["open", "unknown", "applied", "undone"])
def test_of_what_followed_the_newest_tells_what_became_of_it(newest: str) -> None:
    made = entry("open"), entry("between", outcome="undone"), entry("newest", outcome=newest)
    assert _stay(*made) == ["open", "newest"]
    assert _stay(*made, entry("no", outcome="not-sent")) == ["open", "newest"]
    elsewhere = entry("elsewhere", outcome="undone", target=TARGETS[0])
    assert _stay(*made, elsewhere) == ["open", "newest"]


def test_an_undo_stays_until_something_is_done_on_top_of_it() -> None:
    flip = [entry("c", outcome="undone"), _applied("u", undoes="c", depth=1)]
    assert _stay(*flip) == ["u"]
    assert _stay(flip[0], replace(flip[1], undo=None)) == [], "it cannot be taken back itself"
    assert _stay(*flip, _applied("on")) == ["on"]
    accepted = entry("on", outcome="unknown", detail=f"{ACCEPTED}, but it still shows 7")
    assert _stay(*flip, accepted) == ["on"]
    assert _stay(*flip, _applied("on", after={"memory": 1})) == ["u", "on"]
    assert _stay(*flip, entry("c2", outcome="undone"), _applied("u2", undoes="c2", depth=1)) == ["u2"]
    wider = _applied("u", undoes="c", depth=1, after={"reserved_concurrency": 7, "memory": 1})
    assert _stay(flip[0], wider, _applied("u2", undoes="c2", depth=1)) == ["u", "u2"]


def test_a_change_stays_when_it_can_be_undone_or_has_left_something() -> None:
    assert _stay(_applied("bare", undo=None)) == ["bare"]
    assert _stay(_applied("bare", after={})) == ["bare"]
    assert _stay(_applied("bare", undo=None, after={})) == []
