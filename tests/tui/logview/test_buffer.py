"""The lists behind the log pane: the same answer whether lines came before or after the question."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from fakes import console_scene as scene
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import LogLine, parse
from lambdatop.tui.logview import buffer
from lambdatop.tui.logview.buffer import LogBook
from lambdatop.tui.logview.feed import Fresh
from lambdatop.tui.logview.lines import Shown, copies, display_lines, file_lines, marked, render, wrapped
from lambdatop.tui.search import NO_FILTER, parse_filter, parse_search
from lambdatop.tui.style.spans import MATCH, Span, plain, spans, width_of

KEY = scene.key("function", "orders-worker")
RIDS = [f"{i:08x}-5b7d-4c1e-9a60-0d8f2f4f1b01" for i in range(4)]


def line(seq: int, words: str) -> Fresh:
    return Fresh(parse(scene.NOW + seq, str(seq), "s", words), seq)


def words_of(kind: int, rid: int) -> str:
    kinds = ("plain", "[ERROR] boom\nTraceback\n  File", "x\ty", "timeout of call")
    return f"{RIDS[rid]} {kinds[kind]}" if kind != 1 else kinds[1]


def texts(shown: Iterable[Shown]) -> list[tuple[int, int, str]]:
    return [(s.seq, s.part, s.text) for s in shown]


EVENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=60)


@given(
    EVENTS, st.integers(1, 9), st.sampled_from(["", "plain", "!File", "o.*l"]), st.booleans(), st.booleans()
)
def test_arriving_lines_end_up_where_a_new_question_would_put_them(
    events: list[tuple[int, int]], batch: int, filter_: str, errors_only: bool, by_request: bool
) -> None:
    lines = [line(i, words_of(*event)) for i, event in enumerate(events, 1)]
    before, after = LogBook(keep=40), LogBook(keep=40)
    for book in (before, after):
        book.look_for(parse_search("o")[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buffer, "SLICE", 3)
        before.ask(parse_filter(filter_), errors_only=errors_only, by_request=by_request)
        before.finish()
        for at in range(0, len(lines), batch):
            before.append(lines[at : at + batch])
            after.append(lines[at : at + batch])
            after.go_on()
        after.ask(parse_filter(filter_), errors_only=errors_only, by_request=by_request)
        after.finish()
        before.finish()
    assert [s.place for s in before.hits] == [s.place for s in before.view if "o" in s.text]
    assert [s.place for s in after.hits] == [s.place for s in after.view if "o" in s.text]
    assert all(before.index_of(s) == i for i, s in enumerate(before.view))
    if len(before) < 40 or not by_request:
        assert texts(before.view) == texts(after.view)
    else:
        # A request whose first lines have left the ring keeps its place while one looks on.
        assert sorted(texts(before.view)) == sorted(texts(after.view))
    for book in (before, after):
        assert len(book) <= 40
        if by_request:
            rids = [s.request_id for s in book.view if s.request_id]
            assert len([r for i, r in enumerate(rids) if not i or rids[i - 1] != r]) == len(set(rids))


def test_lines_that_come_while_older_ones_are_looked_at_are_counted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(buffer, "SLICE", 4)
    book = LogBook()
    book.append(line(i, f"line {i}") for i in range(1, 21))
    book.look_for(parse_search("line")[0])
    book.go_on()
    assert 0 < len(book.hits) < 20
    book.append([line(21, "line 21")])
    book.finish()
    assert [s.seq for s in book.hits] == list(range(1, 22))
    book.ask(parse_filter("1"), errors_only=False, by_request=True)
    book.append([line(22, "line 221"), line(23, "line 3")])
    book.finish()
    assert [s.seq for s in book.view] == [1, *range(10, 20), 21, 22]
    assert [s.seq for s in book.hits] == [1, *range(10, 20), 21, 22]


def test_a_filter_is_a_question_about_events_not_about_lines() -> None:
    book = LogBook()
    book.append([line(1, "[ERROR] x\n  File y"), line(2, "other")])
    for text, wanted in (("file", [1, 1]), ("!file", [2]), ("", [1, 1, 2]), ("error.*\n.*y", [1, 1])):
        book.ask(parse_filter(text), errors_only=False, by_request=False)
        assert [s.seq for s in book.view] == wanted


def test_the_nearest_failure_and_the_lines_of_an_event() -> None:
    book = LogBook()
    book.append(line(i, "[ERROR] a\nb" if i in (2, 5) else "fine") for i in range(1, 8))
    assert book.error_from(len(book.view), -1) == 5
    assert book.error_from(5, -1) == 1
    assert book.error_from(1, -1) is None
    assert book.error_from(1, 1) == 5
    assert [s.text for s in book.event_of(book.view[6])] == ["[ERROR] a", "b"]


def test_a_known_failure_without_a_level_is_an_error_too() -> None:
    (report,) = display_lines(line(1, f"REPORT RequestId: {RIDS[0]}\tDuration: 1.00 ms\tStatus: timeout"))
    (calm,) = display_lines(line(2, f"REPORT RequestId: {RIDS[0]}\tDuration: 1.00 ms"))
    assert report.bad
    assert not calm.bad


def test_a_secret_is_hidden_but_at_hand() -> None:
    first, second = display_lines(line(1, "login\npassword=hunter2"))
    assert first.raw is None
    assert "hunter2" not in plain(render(second, 80))
    assert "hunter2" in plain(render(second, 80, revealed=True))
    assert copies([first, second], None) == (("copy", "login\npassword=•••"),)
    labels = copies([first, second], second)
    assert [text for _, text in labels] == ["", "login\npassword=•••", "login\npassword=hunter2"]
    (odd,) = display_lines(line(2, "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY9"))
    assert [text for _, text in copies([odd], None)] == ["", odd.text]
    assert list(file_lines([first, second]))[1].split() == ["password=•••"]
    assert next(iter(file_lines([first]))) == "2026-07-01T14:03:23.000Z        login"


def test_matches_are_marked_in_words_not_in_times() -> None:
    pieces = marked(
        spans(("14:03", "faint"), ("WARN ", "log_warn"), ("a14b", "log_warn")), parse_search("14")[0]
    )
    assert pieces == (
        Span("14:03", "faint"), Span("WARN ", "log_warn"), Span("a", "log_warn"), Span("14", MATCH),
        Span("b", "log_warn"),
    )  # fmt: skip


def test_smart_case_and_refused_patterns() -> None:
    assert parse_search("err")[0].found("ERR")
    assert not parse_search("Err")[0].found("ERR")
    pattern, note = parse_search(r"(a)\1")
    assert "backreference" in note
    assert pattern.spans(r"x (A)\1") == [(2, 7)]
    refused = parse_filter("!(?=x)")
    assert "lookaround" in refused.note
    assert not refused.matches("a (?=X) b")
    assert parse_filter("a.*b.*c").slow
    assert not NO_FILTER.active


@given(st.text(alphabet="ab 受\u0301", max_size=60), st.integers(1, 30), st.integers(0, 12))
def test_wrapping_loses_nothing_and_fits(text: str, width: int, indent: int) -> None:
    rows = wrapped(spans((text[:7], "faint"), text[7:]), width, 10_000, indent)
    margin = 0 if indent > width // 3 else indent
    assert "".join(plain(r)[margin * bool(i) :] for i, r in enumerate(rows)) == text
    if width > 1:
        assert all(width_of(r) <= width for r in rows)
    cut = wrapped(spans(text), width, 2, indent)
    assert len(cut) <= 2
    assert (plain(cut[-1]).rstrip().endswith("…")) == (len(wrapped(spans(text), width, 99, indent)) > 2)


# -- older pages -----------------------------------------------------------------------------------


def older(first: int, last: int) -> list[tuple[Key, LogLine]]:
    return [(KEY, parse(scene.NOW + i, str(i), "s", f"line {i}")) for i in range(first, last + 1)]


def numbered_down(lines: list[tuple[Key, LogLine]], first: int) -> list[Fresh]:
    return [Fresh(line, first + i) for i, (_, line) in enumerate(lines)]


@given(
    st.integers(0, 30),
    st.integers(1, 30),
    st.sampled_from(["", "line 1", "!line 2"]),
    st.booleans(),
    st.sampled_from(["", "line 2"]),
)
def test_older_lines_end_up_as_if_they_had_been_there(
    held: int, new: int, filter_: str, by_request: bool, search: str
) -> None:
    grown, whole = LogBook(), LogBook()
    for book in (grown, whole):
        book.look_for(parse_search(search)[0] if search else None)
        book.ask(parse_filter(filter_), errors_only=False, by_request=by_request)
    whole.append([line(i, f"line {i}") for i in range(1 - new, held + 1)])
    grown.append([line(i, f"line {i}") for i in range(1, held + 1)])
    grown.prepend([line(i, f"line {i}") for i in range(1 - new, 1)], scene.NOW - new)
    for book in (grown, whole):
        book.finish()
    assert texts(grown.view) == texts(whole.view)
    assert texts(grown.hits) == texts(whole.hits)
    assert grown.seam() == pytest.approx(scene.NOW - new - 0.001)


def test_the_seam_brings_nothing_twice_and_loses_no_equal_line() -> None:
    book = LogBook()
    book.append([line(3, "line 3"), line(1, "line 1"), line(4, "line 4"), line(4, "line 4")])
    assert book.seam() == scene.NOW + 4  # a late line is not the oldest for sure
    page = [*older(0, 4), *older(4, 4), *older(4, 4)]
    assert [said.text for _, said in book.unknown(page)] == ["line 0", "line 2", "line 4"]
    book.prepend([], scene.NOW)
    assert len(book.unknown(page)) == len(page)  # pages do not overlap each other
    assert LogBook().seam() is None


def test_newest_lines_make_room_and_come_back_when_followed_again() -> None:
    book = LogBook(keep=10)
    book.append([line(i, f"line {i}") for i in range(1, 9)])
    book.prepend([line(i, f"line {i}") for i in range(-4, 1)], scene.NOW - 4)
    book.finish()
    assert (len(book), book.cut) == (10, True)
    assert [s.text for s in book.view] == [f"line {i}" for i in range(-4, 6)]
    assert book.append([line(9, "line 9\nits second")]) == 2  # counted, not taken
    assert len(book) == 10
    book.clear()
    assert not book.cut
    assert book.append([line(9, "line 9")]) == 1


def test_a_ring_that_turns_on_asks_for_its_own_oldest_lines_again() -> None:
    book = LogBook(keep=5)
    book.append([line(i, f"line {i}") for i in range(1, 5)])
    book.prepend([line(0, "line 0")], scene.NOW)
    book.finish()
    book.append([line(i, f"line {i}") for i in range(5, 8)])
    assert book.since is None
    assert book.seam() == scene.NOW + 7
