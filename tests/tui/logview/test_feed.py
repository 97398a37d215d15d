"""Lines of several tails in one pane: order, whose they are, what was lost, who joins when."""

from __future__ import annotations

from fakes import console_scene as scene
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lambdatop.domain.loglines.line import parse
from lambdatop.domain.loglines.tail import LogTail as Tail
from lambdatop.tui.logview.feed import GAP, Fresh, LogFeed, Tails, labels

ORDERS, EMAILS = scene.key("function", "orders-worker"), scene.key("function", "emails")


def tail(first: int, last: int, offset: float = 0.0) -> Tail:
    lines = tuple(
        replace(parse(scene.NOW + i + offset, str(i), "s", f"line {i}"), seq=i)
        for i in range(first, last + 1)
    )
    return Tail("/aws/lambda/x", lines, last + 1)


def take(feed: LogFeed, tails: Tails, most: int = 1_000) -> list[Fresh]:
    feed.take(tails)
    return feed.piece(most)


def told(fresh: list[Fresh]) -> list[tuple[str, str]]:
    return [(f.owner, f.line.text) for f in fresh]


def test_one_function_needs_no_name_and_comes_once() -> None:
    feed = LogFeed()
    assert feed.turn_to("a", {ORDERS: tail(1, 2)})
    assert told(take(feed, {ORDERS: tail(1, 2)})) == [("", "line 1"), ("", "line 2")]
    assert not feed.turn_to("a", {ORDERS: tail(1, 3)})
    assert [(f.seq, f.line.text) for f in take(feed, {ORDERS: tail(1, 3)})] == [(3, "line 3")]
    assert take(feed, {ORDERS: tail(1, 3)}) == []


def test_several_are_put_together_by_time_and_say_whose_they_are() -> None:
    feed = LogFeed()
    tails = {ORDERS: tail(1, 2), EMAILS: tail(1, 2, 0.5)}
    feed.turn_to("incident", tails)
    assert told(take(feed, tails)) == [
        ("orders-worker", "line 1"),
        ("emails", "line 1"),
        ("orders-worker", "line 2"),
        ("emails", "line 2"),
    ]


def test_what_left_the_memory_between_two_looks_is_counted() -> None:
    feed = LogFeed()
    feed.turn_to("a", {ORDERS: tail(1, 5)})
    take(feed, {ORDERS: tail(1, 5)})
    found = take(feed, {ORDERS: tail(1_206, 1_207)})
    assert found[0].line.kind == GAP
    assert found[0].line.text.startswith("1,200 lines came faster")
    assert [f.line.text for f in found[1:]] == ["line 1206", "line 1207"]
    assert [f.seq for f in found] == [6, 7, 8]


def test_who_joins_brings_new_lines_only_and_something_else_begins_anew() -> None:
    feed = LogFeed()
    feed.turn_to("incident", {ORDERS: tail(1, 5)})
    take(feed, {ORDERS: tail(1, 5)})
    both = {ORDERS: tail(1, 6), EMAILS: tail(1, 7)}
    assert not feed.turn_to("incident", both)
    assert told(take(feed, both)) == [
        ("orders-worker", "line 6"),
        ("emails", "line 6"),
        ("emails", "line 7"),
    ]
    assert feed.turn_to("another", both)
    assert len(take(feed, both)) == 13
    # A tail that counts from one again was restarted.
    assert feed.turn_to("another", {ORDERS: tail(1, 2), EMAILS: tail(1, 7)})


def test_older_lines_are_numbered_downwards() -> None:
    feed = LogFeed()
    feed.turn_to("a", {ORDERS: tail(5, 6)})
    take(feed, {ORDERS: tail(5, 6)})
    old = [(ORDERS, parse(scene.NOW + i, str(i), "s", f"line {i}")) for i in (3, 4)]
    assert [f.seq for f in feed.older(old)] == [-1, 0]
    assert [f.seq for f in feed.older(old[:1])] == [-2]


@given(st.lists(st.text("abc-", min_size=1, max_size=12), min_size=1, max_size=6), st.integers(4, 12))
def test_labels_are_one_column(names: list[str], width: int) -> None:
    made = labels(names, width)
    assert set(made) == set(names)
    assert len({len(label) for label in made.values()}) == 1
    assert all(len(label) <= width for label in made.values())


def test_labels_leave_out_what_all_names_begin_with() -> None:
    assert labels(["shop-prod-orders", "shop-prod-mails"], 20) == {
        "shop-prod-orders": "…orders",
        "shop-prod-mails": "…mails ",
    }
    assert labels(["orders", "mails"], 4) == {"orders": "ord…", "mails": "mai…"}


def test_pieces_put_together_are_the_whole() -> None:
    tails = {ORDERS: tail(1, 25), EMAILS: tail(1, 25, 0.5)}
    whole, feed = LogFeed(), LogFeed()
    for one in (whole, feed):
        one.turn_to("incident", tails)
    feed.take(tails)
    pieces = []
    while feed.waiting:
        pieces += feed.piece(7)
    assert pieces == take(whole, tails)
    assert [f.seq for f in pieces] == list(range(1, 51))
