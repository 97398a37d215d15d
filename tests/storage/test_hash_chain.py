"""The chain of the journal's lines, byte by byte: what follows, what is torn, and what is damage."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from fakes.entries import AT, entry

from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.plans.journal import carried_record, intent_record, outcome_record
from lambdatop.report.text.snapshot import journal_text
from lambdatop.storage.hash_chain import (
    GENESIS,
    BrokenChain,
    Chain,
    Rotation,
    digest,
    encode,
    repair,
    rotation,
)

INTENT = intent_record(entry())
APPLIED = outcome_record("e1", AT + 1, "applied", "", None)
CARRIED = carried_record(entry())
BEFORE = Rotation(3, "journal.000003.jsonl", "f" * 64, 2, 500)
ROTATION_NAMES = ("archive", "number", "first", "carried_bytes")


def written(*records: Any) -> bytes:
    """Return these records as a journal has them, one after the other."""
    data, last = b"", GENESIS
    for record in records:
        line = encode(record, last)
        data, last = data + line, digest(line[:-1])
    return data


def test_a_journal_begins_with_sixty_four_zeros_and_a_hash_is_of_the_line_without_its_feed() -> None:
    assert GENESIS == "0" * 64
    assert digest(b"line") == hashlib.sha256(b"line").hexdigest()
    line = encode({"a": 1}, GENESIS)
    assert line == b'{"prev":"' + b"0" * 64 + b'","a":1}\n'
    assert encode({"a": "\u00e9"}, "x").isascii()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_json_cannot_say_exactly_is_not_written(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode({"a": value}, GENESIS)


def test_a_chain_grows_by_complete_lines_and_knows_its_end() -> None:
    first, both = written(INTENT), written(INTENT, APPLIED)
    chain, torn = Chain().extend(first)
    assert (torn, chain.size, chain.last_size) == (b"", len(first), len(first))
    assert chain.last == digest(first[:-1])
    assert chain.lines == 1
    longer, torn = chain.extend(both[len(first) :] + b"half a li")
    assert (torn, longer.size, longer.last_size) == (b"half a li", len(both), len(both) - len(first))
    assert longer.last == digest(both[len(first) : -1])
    assert longer.lines == 2
    assert Chain().extend(both)[0] == longer
    (only,) = longer.entries()
    assert (only.id, only.outcome, only.outcome_at) == ("e1", "applied", AT + 1)
    assert longer.holds_intent("e1")
    assert not longer.holds_intent("e2")
    assert not Chain().holds_intent("e1")


def test_an_outcome_is_not_an_intent_of_that_name() -> None:
    chain, _ = Chain().extend(written(outcome_record("e9", AT, "applied", "", None)))
    assert not chain.holds_intent("e9")


def test_without_a_line_feed_nothing_is_complete() -> None:
    chain = Chain().extend(written(INTENT))[0]
    assert chain.extend(b"torn") == (chain, b"torn")
    assert chain.extend(b"") == (chain, b"")


def test_a_file_still_ends_as_it_did_when_it_begins_with_the_last_line_known() -> None:
    data = written(INTENT, APPLIED)
    chain = Chain().extend(data)[0]
    last = data[-chain.last_size :]
    assert chain.still_ends(last)
    assert chain.still_ends(last + b"more that came since")
    assert not chain.still_ends(last.replace(b"applied", b"refused"))
    assert not chain.still_ends(b"")
    assert not chain.still_ends(last[:-5])
    assert not chain.still_ends(last[:-1])
    assert Chain().still_ends(b""), "an empty journal ends in nothing"
    assert Chain().still_ends(b"anything")


def test_a_torn_line_is_noted_with_its_length_and_hash() -> None:
    assert repair(b"torn") == {"record": "repair", "cut_bytes": 4, "cut_sha256": digest(b"torn")}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"no json", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "does not follow from the line before it"),
        (b'"text"', "does not follow from the line before it"),
        (b"{}", "does not follow from the line before it"),
        (b'{"prev":"1"}', "does not follow from the line before it"),
    ],
)
def test_damage_is_told_by_its_line(line: bytes, why: str) -> None:
    for before in ((), (INTENT,), (INTENT, APPLIED)):
        with pytest.raises(BrokenChain, match=why) as broken:
            Chain().extend(written(*before) + line + b"\n")
        assert broken.value.line == len(before) + 1
        assert str(broken.value) == f"line {len(before) + 1} {why}"


def test_the_line_is_counted_from_the_beginning_of_the_file() -> None:
    chain = Chain().extend(written(INTENT))[0]
    with pytest.raises(BrokenChain, match="line 2 is not JSON"):
        chain.extend(b"x\n")


@pytest.mark.parametrize(
    "record",
    [
        {**INTENT, "target": None},
        {k: v for k, v in INTENT.items() if k != "plan_digest"},
        {k: v for k, v in INTENT.items() if k != "id"},
        {**INTENT, "at": "yesterday"},
        {**INTENT, "undo": "text"},
        {**APPLIED, "outcome": "fine"},
        {**APPLIED, "outcome": "undone"},
        {**APPLIED, "id": 7},
        {**APPLIED, "at": -1},
        {**APPLIED, "at": "soon"},
        {k: v for k, v in APPLIED.items() if k != "at"},
        {k: v for k, v in APPLIED.items() if k != "outcome"},
        {**CARRIED, "outcome": "fine"},
        {**CARRIED, "seen": 7},
        {k: v for k, v in CARRIED.items() if k != "outcome"},
        {**rotation(BEFORE), "number": "first"},
        *({k: v for k, v in rotation(BEFORE).items() if k != name} for name in ROTATION_NAMES),
    ],
)
def test_a_record_with_a_part_missing_is_damage(record: Any) -> None:
    with pytest.raises(BrokenChain, match="line 1 holds an incomplete record"):
        Chain().extend(written(record))


@pytest.mark.parametrize(
    "record",
    [
        *({**INTENT, name: 7} for name in ("id", "mitigation", "actor", "host", "plan_digest", "undoes")),
        *({**INTENT, name: ["x"]} for name in ("mitigation", "before", "after")),
        *(
            {**INTENT, "target": {**INTENT["target"], name: ["x"]}}
            for name in ("account", "kind", "id", "arn")
        ),
        {**INTENT, "call": {**INTENT["call"], "params": 7}},
        {**INTENT, "undo": {**INTENT["undo"], "operation": 7}},
        {**INTENT, "at": 10**400},
        {**INTENT, "deadline": 10**400},
        {**APPLIED, "at": 10**400},
        {**rotation(BEFORE), "number": 1e999},
    ],
)
def test_a_part_of_another_type_is_damage(record: Any) -> None:
    line = json.dumps({"prev": GENESIS, **record}).encode() + b"\n"
    with pytest.raises(BrokenChain, match="line 1 holds an incomplete record"):
        Chain().extend(line)


@pytest.mark.parametrize("depth", [100, 450, 900])
def test_lists_in_lists_end_nothing(depth: int) -> None:
    state = f'{{"x":{"[" * depth}{"]" * depth}}}'
    line = json.dumps({"prev": GENESIS, **INTENT, "before": "STATE"}).replace('"STATE"', state)
    with suppress(BrokenChain):
        Chain().extend(line.encode() + b"\n")


@pytest.mark.parametrize("seen", [7, "text", ["x"]])
def test_a_state_that_is_none_is_damage(seen: Any) -> None:
    with pytest.raises(BrokenChain, match="line 2 holds an incomplete record"):
        Chain().extend(written(INTENT, {**APPLIED, "seen": seen}))


def test_no_text_of_a_record_acts_on_a_terminal() -> None:
    evil = "a\x1b[2J\u202eb\n"
    made = entry(
        evil,
        mitigation=evil,
        target=Key(Scope(evil, evil), "function", evil),
        arn=evil,
        actor=evil,
        host=evil,
        label=evil,
        before={evil: [{evil: evil}]},
        whole=evil,
        steps=2,
    )
    (found,) = Chain().extend(written(intent_record(made)))[0].entries()
    shown = journal_text((found,)) + repr(msgspec.structs.replace(found, called=()))
    assert "a\u241b[2J[U+202E]b\u240a" in shown
    assert not {"\x1b", "\u202e"} & set(shown)


@pytest.mark.parametrize("outcome", ["applied", "refused", "not-sent", "unknown"])
@pytest.mark.parametrize("at", [0, 0.5, AT])
def test_every_outcome_is_complete_at_any_time(outcome: Any, at: float) -> None:
    chain, _ = Chain().extend(written(outcome_record("e1", at, outcome, "", None)))
    assert chain.lines == 1


def test_records_of_a_later_version_stay_in_the_chain_and_mean_nothing() -> None:
    chain, _ = Chain().extend(written({"record": "from-tomorrow"}, INTENT, {"no": "kind"}))
    assert chain.lines == 3
    assert [e.id for e in chain.entries()] == ["e1"]


@pytest.mark.parametrize("outcome", ["open", "applied", "refused", "not-sent", "unknown", "undone"])
def test_every_end_can_be_carried_over(outcome: Any) -> None:
    chain, _ = Chain().extend(written(carried_record(entry(outcome=outcome))))
    assert [e.outcome for e in chain.entries()] == [outcome]


def test_a_file_that_follows_an_archive_begins_with_its_name_and_hash() -> None:
    line = encode(rotation(BEFORE), BEFORE.last)
    assert line == (
        b'{"prev":"' + b"f" * 64 + b'","record":"rotation","archive":"journal.000003.jsonl",'
        b'"number":3,"first":2,"carried_bytes":500}\n'
    )
    chain, _ = Chain().extend(line + encode(INTENT, digest(line[:-1])))
    assert (chain.before, chain.lines, len(chain.entries())) == (BEFORE, 2, 1)
    with pytest.raises(BrokenChain, match="line 2 does not follow"):
        Chain().extend(line + encode(INTENT, BEFORE.last))


def test_only_the_first_line_may_follow_from_elsewhere() -> None:
    first = written(INTENT)
    with pytest.raises(BrokenChain, match="line 2 does not follow"):
        Chain().extend(first + encode(rotation(BEFORE), BEFORE.last))
    assert Chain().extend(written(INTENT, rotation(BEFORE)))[0].before is None
