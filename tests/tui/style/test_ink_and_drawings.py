from __future__ import annotations

import ast
import inspect
from operator import itemgetter
from pathlib import Path

import pytest

from lambdatop import tui
from lambdatop.tui.search import MAX_CHARS, parse_filter
from lambdatop.tui.style.spans import Item, bar, clip, fit, plain, spans, width_of, wrapped
from lambdatop.tui.style.theme import BAR, SPARK, to_ascii
from lambdatop.tui.widgets.charts import gauge, resample, sparkline
from lambdatop.tui.widgets.columns import Column, header, in_order, place
from lambdatop.tui.widgets.rows import Rows

# -- ink -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", range(0, 16))
@pytest.mark.parametrize("text", ["", "abc", "orders-worker", "受注ワーカー", "a受b注c"])
def test_fit_takes_exactly_its_width(text: str, width: int) -> None:
    for align in ("left", "right"):
        assert width_of(fit(spans((text, "muted"), ("!", "critical")), width, align)) == width


def test_fit_aligns_and_cuts() -> None:
    assert plain(fit(spans("12"), 5, "right")) == "   12"
    assert plain(fit(spans("12"), 5)) == "12   "
    assert plain(fit(spans("orders-", ("worker", "critical")), 9)) == "orders-w…"
    assert plain(fit(spans("ab", "cd"), 4)) == "abcd"
    assert clip("受注ワーカー", 5) == "受注…"


def test_bar_drops_the_least_important_first() -> None:
    left = [Item(spans("name")), Item(spans("identity"), 6), Item(spans("endpoint"), 3)]
    right = [Item(spans("OPERATOR"))]
    assert plain(bar(left, right, 40)) == "name  identity  endpoint        OPERATOR"
    assert plain(bar(left, right, 30)) == "name  endpoint        OPERATOR"
    assert plain(bar(left, right, 16)) == "name    OPERATOR"


@pytest.mark.parametrize("width", range(0, 60))
@pytest.mark.parametrize("text", ["  ", "no function", "  受注ワーカー waits for ワ", "a-word-that-is-long"])
def test_wrapped_lines_fit_and_lose_nothing_but_blanks(text: str, width: int) -> None:
    lines = wrapped(spans((text, "muted"), (" and more", "critical")), width, 2)
    assert all(width_of(line) <= max(4, width) for line in lines)
    joined = "".join(plain(line) for line in lines)
    assert joined.replace(" ", "") == f"{text} and more".replace(" ", "")
    assert all(plain(line).startswith("  ") for line in lines[1:])


def test_wrapped_lines_break_at_blanks_and_keep_their_colours() -> None:
    lines = wrapped(spans(("  the first", "muted"), (" and the last", "critical")), 13, 4)
    assert [plain(line) for line in lines] == ["  the first", "    and the", "    last"]
    assert {piece.slot for piece in lines[2]} == {"", "critical"}


# -- filter ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [("orders", "ORDERS-worker", "emails"), ("^o.*r$", "orders-worker", "emails"),
     ("!orders", "emails", "orders"), ("[orders", "x[ORDERS", "orders"), ("!(a", "b", "(a)"),
     ("", "anything", "")],
)  # fmt: skip
def test_filter(text: str, yes: str, no: str) -> None:
    wanted = parse_filter(text)
    assert wanted.matches(yes)
    assert not no or not wanted.matches(no)


def test_filter_that_is_no_expression_says_literal() -> None:
    assert parse_filter("[x").note == "literal"
    assert parse_filter("x").note == ""
    assert not parse_filter("!").active
    assert len(parse_filter("x" * 5000).text) == MAX_CHARS


# -- drawings --------------------------------------------------------------------------------------


def test_sparkline_tells_missing_from_zero() -> None:
    assert plain(sparkline((None, 0.0, 5.0, 10.0), 4)) == f" ·{SPARK[4]}{SPARK[7]}"
    assert plain(sparkline((), 4)) == "    "
    assert plain(sparkline((0.0, 0.0), 2)) == "··"


def test_sparkline_marks_minutes_with_errors() -> None:
    pieces = sparkline((10.0, 10.0), 2, (0.5, 1.0))
    assert [p.slot for p in pieces] == ["spark", "spark_error"]


def test_sparkline_shows_all_values_in_its_width() -> None:
    assert resample((1.0, 3.0, None, None, 5.0, None), 3) == [2.0, None, 5.0]
    assert len(plain(sparkline(tuple(float(i) for i in range(60)), 12))) == 12


def test_gauge() -> None:
    assert plain(gauge(0.5, 4)) == BAR[-1] * 2 + "··"
    assert plain(gauge(0.001, 4))[0] == BAR[0]
    assert plain(gauge(0.0, 4)) == "····"
    assert plain(gauge(2.0, 4)) == BAR[-1] * 4
    assert plain(gauge(None, 4)) == "    "


def test_ascii_keeps_the_width_and_leaves_nothing_else() -> None:
    text = "orders → worker ▁▂▃▄▅▆▇█ ●○ 3.4\u00d7 … ünïcode"
    changed = to_ascii(text)
    assert changed.isascii()
    assert len(changed) == len(text)
    assert "orders > worker" in changed


# -- columns ---------------------------------------------------------------------------------------


def column(id: str, width: int, **more: int) -> Column[str]:
    return Column(id, id, width, lambda row, frame, width: spans(row), sort=str, **more)  # type: ignore[arg-type]


COLUMNS = (
    column("name", 10, flex=1, wish=20),
    column("a", 6),
    column("b", 6, rank=1),
    column("c", 6, rank=7),
)


@pytest.mark.parametrize(
    ("width", "ids"),
    [(120, "name a b c"), (41, "name a b c"), (40, "name a b"), (24, "name a b"), (23, "name a")],
)
def test_narrow_screens_drop_columns_by_rank(width: int, ids: str) -> None:
    placed, gap = place(COLUMNS, width)
    assert " ".join(p.column.id for p in placed) == ids
    assert sum(p.width for p in placed) + gap * (len(placed) - 1) == width


def test_flexible_columns_give_way_before_others_are_cut() -> None:
    placed, _ = place(COLUMNS, 15)
    assert [(p.column.id, p.width) for p in placed] == [("name", 8), ("a", 6)]


def test_header_marks_the_sorted_column() -> None:
    placed, gap = place(COLUMNS, 24)
    pieces = header(placed, gap, "a", True)
    assert [p.text for p in pieces if p.slot == "accent"] == ["a▾"]


def test_order_keeps_equals_and_puts_unknown_last() -> None:
    rows = Rows(list(enumerate([3, None, 5, 3, None, 1])), itemgetter(0))
    by_value: Column[tuple[int, int | None]] = Column("v", "v", 3, lambda r, f, w: (), sort=itemgetter(1))
    assert in_order(rows, by_value, True).keys() == [2, 0, 3, 5, 1, 4]
    assert in_order(rows, by_value, False).keys() == [5, 0, 3, 2, 1, 4]
    assert in_order(rows, None, True).keys() == [0, 1, 2, 3, 4, 5]


def test_rows_that_come_in_order_are_not_ordered_again() -> None:
    rows = Rows([("a", 1), ("b", 2)], itemgetter(0), ("v", True))
    by_value: Column[tuple[str, int]] = Column("v", "v", 3, lambda r, f, w: (), sort=itemgetter(1))
    assert in_order(rows, by_value, True) is rows
    assert in_order(rows, by_value, False).keys() == ["a", "b"]
    assert in_order(rows.only(lambda row: True), by_value, True).items == rows.items
    assert (rows.find("b", 1), rows.find("b"), rows.find("c", 7)) == (1, 1, None)
    many = Rows(range(1_000), str)
    assert all(many.find(str(i), near) == i for i in (0, 255, 256, 999) for near in (0, 300, 5_000))
    assert Rows((), str).find("a", 3) is None


def test_every_sign_that_the_console_writes_has_a_likeness_in_ascii() -> None:
    """A question mark means "not known" on screen; a sign without a likeness would become one."""
    root = Path(inspect.getfile(tui)).parent
    files = [f for f in sorted(root.rglob("*.py")) if f.name != "search.py" and f.parent.name != "terminal"]
    written = {
        sign
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for sign in node.value
        if not sign.isascii()
    }
    assert "≈" in written
    assert {sign for sign in written if to_ascii(sign) == "?"} == set()
