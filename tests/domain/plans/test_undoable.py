"""One rule for what an undo takes back: random changes, undos, redos and unknown ends on several targets."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from fakes.entries import AT, SCOPE, WORKER, entry
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lambdatop.domain.errors import TargetNotFound, UsageError
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.plans.journal import ACCEPTED, Entry, intent_record, outcome_record, replay
from lambdatop.domain.plans.undoable import find_also_in_archives, find_entry, newest_undoable, on_top

TARGETS = tuple(Key(SCOPE, "function", name) for name in ("a", "b", "c"))
STEPS = st.lists(
    st.tuples(
        st.sampled_from(TARGETS),
        st.sampled_from(["change", "undo", "redo", "lost", "refused", "ignored"]),
    ),
    max_size=40,
)


class Book:
    """A journal in memory beside a model of what stands: per target a stack of changes."""

    def __init__(self, *, with_depth: bool) -> None:
        self.records: list[dict[str, Any]] = []
        self.standing: dict[Key, list[str]] = {target: [] for target in TARGETS}
        self.undone: dict[Key, list[str]] = {target: [] for target in TARGETS}
        self.with_depth = with_depth
        self.order: list[str] = []

    @property
    def entries(self) -> tuple[Entry, ...]:
        return replay(self.records)

    def write(self, target: Key, outcome: str, undoes: Entry | None = None, detail: str = "") -> str:
        name = f"e{len(self.records)}"
        depth = undoes.depth + 1 if undoes else 0
        made = entry(name, target=target, undoes=undoes.id if undoes else None, depth=depth)
        record = intent_record(made)
        if not self.with_depth:
            record.pop("depth", None)
        self.records += [record, outcome_record(name, AT, outcome, detail, None)]  # type: ignore[arg-type]
        self.order.append(name)
        return name

    def step(self, target: Key, what: str) -> None:
        stack = self.standing[target]
        if what == "undo":
            found = newest_undoable(self.entries, lambda e: e.target == target)
            assert (found.id if found else None) == (stack[-1] if stack else None)
            if found is not None:
                self.undone[target].append(self.write(target, "applied", found))
                stack.pop()
        elif what == "redo":
            if self.undone[target]:
                undo = next(e for e in self.entries if e.id == self.undone[target][-1])
                self.undone[target].pop()
                stack.append(self.write(target, "applied", undo))
        elif what == "change":
            stack.append(self.write(target, "applied"))
            self.undone[target].clear()
        elif what == "ignored":
            stack.append(self.write(target, "unknown", None, f"{ACCEPTED}, but it shows the old value"))
            self.undone[target].clear()
        else:
            self.write(target, {"lost": "unknown", "refused": "refused"}[what])


@settings(max_examples=300, deadline=None)
@given(STEPS, st.booleans())
def test_undo_takes_the_top_of_what_stands_and_of_nothing_else(
    steps: list[tuple[Key, str]], with_depth: bool
) -> None:
    book = Book(with_depth=with_depth)
    for target, what in steps:
        book.step(target, what)
    entries = book.entries
    standing = [name for stack in book.standing.values() for name in stack]
    for target in TARGETS:
        found = newest_undoable(entries, partial(_is_of, target))
        stack = book.standing[target]
        assert (found.id if found else None) == (stack[-1] if stack else None)
        for below in stack[:-1]:
            under = next(e for e in entries if e.id == below)
            above = on_top(entries, under)
            assert above is not None
            assert above.id == stack[-1]
        if stack:
            assert on_top(entries, next(e for e in entries if e.id == stack[-1])) is None
            assert find_entry(entries, SCOPE, target.id).id == stack[-1]
        else:
            with pytest.raises(TargetNotFound):
                find_entry(entries, SCOPE, target.id)
    if standing:
        newest = max(standing, key=book.order.index)
        assert find_entry(entries, SCOPE, None).id == newest
    else:
        with pytest.raises(TargetNotFound, match="nothing to undo"):
            find_entry(entries, SCOPE, None)


def _is_of(target: Key, entry: Entry) -> bool:
    return entry.target == target


def _applied(*made: Entry) -> tuple[Entry, ...]:
    records: list[dict[str, Any]] = []
    for e in made:
        records += [intent_record(e), outcome_record(e.id, AT, "applied", "", None)]
    return replay(records)


MAPPING = Key(SCOPE, "mapping", "0f1e2d3c-0000-4000-8000-000000000001")


def _trigger(name: str = "m", **changes: Any) -> Entry:
    arn = f"arn:aws:lambda:x:y:event-source-mapping:{MAPPING.id}"
    fields = {"target": MAPPING, "arn": arn, "label": "orders → orders-worker", "called": ("orders-worker",)}
    return entry(
        name, **(fields | {"before": {"state": "Enabled"}, "after": {"state": "Disabled"}} | changes)
    )


@pytest.mark.parametrize("name", ["orders-worker", MAPPING.id, "orders → orders-worker", _trigger().arn, "m"])
def test_every_name_of_the_change_finds_it(name: str) -> None:
    assert find_entry(_applied(_trigger()), SCOPE, name).id == "m"


def test_a_name_that_means_two_things_is_refused_with_both() -> None:
    with pytest.raises(TargetNotFound, match="Several things") as refused:
        find_entry(_applied(_trigger(), entry("f")), SCOPE, "orders-worker")
    assert [c.split()[0] for c in refused.value.candidates] == ["m", "f"]


def test_a_target_without_anything_to_undo_never_leads_to_another_one() -> None:
    undone = entry("u", undoes="f", depth=1)
    entries = _applied(_trigger(), entry("f"), undone)
    with pytest.raises(TargetNotFound, match="nothing to undo of orders-worker") as refused:
        find_entry(entries, SCOPE, "orders-worker")
    assert refused.value.candidates[0].startswith("m ")


def _steps(*outcomes: str) -> list[Entry]:
    """Return a plan that switched two triggers off and throttled the worker, as it stands now."""
    targets = (Key(SCOPE, "mapping", "m1"), Key(SCOPE, "mapping", "m2"), WORKER)
    called = ((WORKER.id,), (WORKER.id,), ())
    return [
        entry(f"p.{i}", target=t, arn=f"arn:{t.id}", outcome=o, called=c, whole="Stop", steps=3)
        for i, (t, c, o) in enumerate(zip(targets, called, outcomes, strict=True), 1)
    ]


def test_the_name_of_a_plan_in_steps_takes_them_back_one_after_the_other_the_last_one_first() -> None:
    journal = _steps("applied", "applied", "applied")
    for wanted in ("p.3", "p.2", "p.1"):
        found = find_entry(journal, SCOPE, WORKER.id)
        assert found.id == wanted
        undo = entry(f"undo of {wanted}", target=found.target, undoes=wanted, depth=1, outcome="applied")
        journal = [replace(e, outcome="undone") if e.id == wanted else e for e in journal] + [undo]
    with pytest.raises(TargetNotFound, match="nothing to undo"):
        find_entry(journal, SCOPE, WORKER.id)


def test_a_plan_and_another_change_under_the_same_name_are_refused_with_all() -> None:
    journal = [*_steps("applied", "applied", "undone"), entry("later", outcome="applied")]
    with pytest.raises(TargetNotFound, match="Several things") as refused:
        find_entry(journal, SCOPE, WORKER.id)
    assert [c.split()[0] for c in refused.value.candidates] == ["p.1", "p.2", "later"]


def test_a_name_that_begins_an_id_is_refused() -> None:
    with pytest.raises(TargetNotFound, match="begins the id"):
        find_entry(_applied(entry("orders-worker-1"), entry("x")), SCOPE, "orders-worker")


def test_a_name_in_another_account_is_said() -> None:
    elsewhere = WORKER._replace(scope=Scope("999999999999", SCOPE.region))
    with pytest.raises(UsageError, match="999999999999"):
        find_entry(_applied(entry("f", target=elsewhere)), SCOPE, "orders-worker")


@pytest.mark.parametrize("empty", ["", " "])
def test_nothing_is_no_name(empty: str) -> None:
    with pytest.raises(TargetNotFound):
        find_entry(_applied(entry("f", label="")), SCOPE, empty)


def test_only_a_change_of_the_same_fields_is_on_top() -> None:
    below = entry("below", outcome="applied")
    other = {"outcome": "applied", "after": {"memory": 1}}
    both = entry("both", outcome="applied", after={"memory": 1, "reserved_concurrency": 2})
    assert on_top((below, entry("memory", **other)), below) is None
    assert on_top((below, both, entry("memory", **other)), below) == both


def _refused(entries: tuple[Entry, ...], wanted: str) -> tuple[str, tuple[str, ...]]:
    with pytest.raises(TargetNotFound) as refused:
        find_entry(entries, SCOPE, wanted)
    return str(refused.value), refused.value.candidates


def test_the_beginning_of_an_id_must_be_the_only_one() -> None:
    entries = _applied(entry("abc1"), entry("abc12"), entry("abd"), entry("x"))
    assert find_entry(entries, SCOPE, "abd").id == find_entry(entries, SCOPE, "abd"[:3]).id == "abd"
    assert find_entry(entries[2:], SCOPE, "ab").id == "abd"
    assert find_entry(entries, SCOPE, "abc1").id == "abc1", "a whole id, whatever else begins so"
    assert _refused(entries, "abc") == ("Several journal entries begin with 'abc'.", ("abc1", "abc12"))
    assert _refused(entries, "z") == ("The journal has no entry 'z'; see `lambdatop journal`.", ())
    assert _refused(entries, "bc1") == ("The journal has no entry 'bc1'; see `lambdatop journal`.", ())


def test_nothing_to_undo_is_said_with_the_account() -> None:
    with pytest.raises(TargetNotFound) as refused:
        find_entry((), SCOPE, None)
    assert str(refused.value) == f"There is nothing to undo in {SCOPE}; see `lambdatop journal`."


def test_a_name_that_begins_ids_is_refused_with_all_that_it_may_mean() -> None:
    there = entry("there", target=WORKER._replace(scope=Scope("9" * 12, SCOPE.region)))
    entries = _applied(entry("orders-worker-1"), entry("x"), entry("y"), there)
    assert _refused(entries, WORKER.id) == (
        "'orders-worker' is a target's name and begins the id of an entry.",
        ("orders-worker-1", "y"),
    )


def test_candidates_are_told_by_what_was_done_and_the_name_on_screen() -> None:
    trigger, throttle = (
        "m  throttle_to_zero of orders → orders-worker",
        "f  throttle_to_zero of orders-worker",
    )
    assert _refused(_applied(_trigger(), entry("f")), WORKER.id) == (
        "Several things were changed under the name 'orders-worker': name one entry by its id.",
        (trigger, throttle),
    )
    undone = _applied(_trigger(), entry("f"), entry("u", undoes="f", depth=1))
    nothing = "There is nothing to undo of orders-worker; see `lambdatop journal`."
    assert _refused(undone, WORKER.id) == (
        f"{nothing} Under the same name this was changed; undo it by its id:",
        (trigger,),
    )
    assert _refused(undone[1:], WORKER.id) == (nothing, ())
    plain = _applied(_trigger(label=""), entry("f"), entry("u", undoes="f", depth=1))
    assert _refused(plain, WORKER.id)[1] == (f"m  throttle_to_zero of {MAPPING.id}",)


def test_what_was_changed_elsewhere_is_not_undone_here_and_all_places_are_named() -> None:
    there = [WORKER._replace(scope=Scope(account * 12, SCOPE.region)) for account in "98"]
    entries = _applied(entry("here"), *(entry(f"t{i}", target=key) for i, key in enumerate(there)))
    assert find_entry(entries, SCOPE, WORKER.id).id == "here"
    assert find_entry(entries, SCOPE, None).id == "here"
    assert find_entry(entries, there[0].scope, WORKER.id).id == "t0"
    with pytest.raises(UsageError) as refused:
        find_entry(entries[1:], SCOPE, WORKER.id)
    assert str(refused.value) == (
        f"orders-worker belongs to {there[1].scope}, {there[0].scope}, the connection is to {SCOPE}. "
        "Choose it with --profile and --region."
    )


def test_the_users_name_for_one_thing_takes_back_that_thing() -> None:
    """Nothing is called so by itself: what was changed under the name is what is meant."""
    entries = _applied(entry("first", called=("prod",)), entry("second", called=("prod",)))
    assert find_entry(entries, SCOPE, "prod").id == "second"


def test_a_step_on_the_very_target_that_is_called_so_is_meant_too() -> None:
    """A screen has called the target so once; the step was made under the same name."""
    before = entry("before", label="prod", outcome="undone")
    step = entry("p.1", called=("prod",), whole="Stop", steps=2, outcome="applied")
    assert find_entry((before, step), SCOPE, "prod").id == "p.1"


def test_no_more_archives_are_read_than_needed() -> None:
    read: list[str] = []
    named, first = entry("named", called=("prod",), outcome="applied"), entry("first", outcome="applied")

    def older() -> Any:
        for name, batch in (("newer", (entry("abc", outcome="applied"),)), ("oldest", (first,))):
            read.append(name)
            yield batch

    def found(wanted: str | None) -> tuple[str, list[str], list[str]]:
        read.clear()
        entries, one = find_also_in_archives((named,), older, SCOPE, wanted)
        return one.id, [e.id for e in entries], [*read]

    both = ["newer", "oldest"]
    for wanted in (None, "named", WORKER.id, named.arn):
        assert found(wanted) == ("named", ["named"], [])
    assert found("abc") == ("abc", ["abc", "named"], ["newer"])
    assert found("first") == ("first", ["first", "abc", "named"], both)
    assert found("prod") == ("named", ["first", "abc", "named"], both)
    assert found("fir") == ("first", ["first", "abc", "named"], both)
    with pytest.raises(TargetNotFound, match="has no entry 'z'"):
        found("z")
    assert read == both
