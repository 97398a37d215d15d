"""Cells and tables of the audit report: everything foreign is made harmless here, once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lambdatop.domain.loglines.redact import redact
from lambdatop.domain.sanitize import clean_line
from lambdatop.report.text.table import Row, markdown_cell, markdown_table

CELL_MAX = 2000
"""Characters of one value; the rest is counted."""


def cell(text: str) -> str:
    """Return a value on one line, its secrets masked, without any Markdown markup."""
    return markdown_cell(plain(text))


def plain(text: str) -> str:
    """Return a value on one line, its secrets masked."""
    return redact(clean_line(text, CELL_MAX))[0]


def table(head: Row, rows: Iterable[Row], right: Sequence[int] = (), empty: str = "none") -> str:
    """Return a table of such values; `empty` where there are none."""
    body = [[plain(value) for value in row] for row in rows]
    return markdown_table(head, body, right) if body else cell(empty)
