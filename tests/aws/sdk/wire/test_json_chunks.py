"""A list that is read in pieces is the list, wherever its texts look like the ends of its entries."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lambdatop.aws.sdk.wire import json_chunks

TEXTS = st.text(alphabet='},{"\\[]:a \u00fc', max_size=12)
VALUES = st.recursive(
    TEXTS | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,  # what is nested deeper, or has more entries, takes only longer
)
ENTRIES = st.lists(st.dictionaries(TEXTS, VALUES, max_size=3), max_size=8)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")])


def anything(_: Any) -> bool:
    return True


async def nothing() -> None:
    pass


def split(text: str, member: str, plain: Callable[[Any], bool], *more: Any) -> Any:
    """Split without an event loop."""
    steps = json_chunks.split(text, member, plain, *more)
    try:
        steps.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("somebody waits")


@given(
    before=st.dictionaries(TEXTS, VALUES, max_size=2),
    entries=ENTRIES,
    after=st.dictionaries(TEXTS, VALUES, max_size=2),
    size=st.integers(0, 60),
    separators=SEPARATORS,
)
def test_pieces_make_the_whole(
    before: dict[str, Any],
    entries: list[dict[str, Any]],
    after: dict[str, Any],
    size: int,
    separators: tuple[str, str],
) -> None:
    whole = {**before, "events": entries, **after}
    text = json.dumps(whole, separators=separators, ensure_ascii=False)
    found = split(text, "events", anything, nothing, size)
    assert found is not None
    assert found[0] == entries
    assert found[1] == {name: value for name, value in whole.items() if name != "events"}


@given(text=st.text(alphabet='},{"[]:1 e', max_size=30), size=st.integers(0, 10))
def test_what_is_no_json_is_none_in_pieces_either(text: str, size: int) -> None:
    text = f'{{"e":[{{"e":1}},{text}'
    try:
        found = split(text, "e", anything, nothing, size)
    except ValueError:
        found = None
    if found is not None:
        whole = json.loads(text)
        assert found == (whole.pop("e"), whole)


def test_there_is_a_pause_between_pieces() -> None:
    pauses = []

    async def give_way() -> None:
        pauses.append(1)

    text = json.dumps({"events": [{"message": "x" * 100}] * 100})
    found = split(text, "events", anything, give_way, 1_000)
    assert found == ([{"message": "x" * 100}] * 100, {})
    assert 10 <= len(pauses) <= 12


def test_a_list_with_something_odd_in_it_is_not_split() -> None:
    text = json.dumps({"events": [{"a": 1}, {"b": 2}]})
    assert split(text, "events", lambda entry: "a" in entry, nothing, 0) is None


def test_a_list_that_is_not_there_is_not_split() -> None:
    assert split('{"other": []}', "events", anything, nothing) is None
    assert split('{"other": {"events": []}}', "events", anything, nothing) is None
