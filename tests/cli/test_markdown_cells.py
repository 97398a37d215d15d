"""A cell of a report is text: no link, picture, footnote, person or issue comes out of it.

The parser is markdown-it with its linkifier. What GitHub does to the text that is left (people, issues,
pictures, and addresses whatever is escaped) is tested on the text outside of code; by hand, the same cells
went through GitHub's own cmark-gfm.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lambdatop.report.text.table import markdown_table

PARSER = MarkdownIt("gfm-like", {"linkify": True})
TEXT = {"text", "text_special", "code_inline"}
ACTS = re.compile(r"@[\w-]|#\d|\bGH-\d|:[a-z+-][\w+-]*:", re.IGNORECASE | re.ASCII)
"""What acts in the finished page, wherever it stands outside of code."""


def cell(text: str) -> list[tuple[str, str]]:
    """Return types and contents of the parts that a cell with this text is rendered as."""
    tokens = [t for t in PARSER.parse(markdown_table(("A",), [[text]])) if t.type == "inline"]
    assert len(tokens) == 2, "the head and one cell"
    return [(child.type, child.content) for child in tokens[1].children or ()]


def harmless(text: str) -> None:
    parts = cell(text)
    assert {kind for kind, _ in parts} <= TEXT
    assert "".join("".join(t for _, t in parts).split()) == "".join(text.split()), "it reads as it was"
    outside = "".join(t if kind != "code_inline" else "\n" for kind, t in parts)
    assert not ACTS.search(outside)


@pytest.mark.parametrize(
    "text",
    [
        "mailto:x@evil",
        "mailto:x@evil.com",
        "ops@corp.io",
        "a\\@b.co",
        "x <a@b.co>",
        "a@b@c.de",
        "xmpp:a@b.cd/e",
        "www.evil.com",
        "WWW.evil.com",
        "http://evil",
        "HTTPS://user:pass@evil.io/#1",
        "ftp://x.io",
        "//evil.com",
        "evil.com",
        "@ops, look",
        "@org/team",
        "#12",
        "org/repo#3",
        "GH-7",
        ":tada:",
        ":+1::-1:",
        "#1:tada:@ops",
        "_`@a`_",
        "~@a~",
        "x@y.zz|`",
        "[^1]: note [^1]",
        "![i](http://x.io)",
        "<img src=x>",
        "&#64;ops",
        "[a]: http://x.io",
    ],
)
def test_nothing_of_it_acts(text: str) -> None:
    harmless(text)
    harmless(f"before {text} after")
    harmless(text * 2)


def test_what_looks_like_it_stays_readable() -> None:
    arn = "arn:aws:lambda:eu-central-1:111122223333:function:orders"
    assert markdown_table(("A",), [[arn]]).splitlines()[-1] == f"| `{arn}` |"
    moment = "2027-01-15T08:00:00Z"
    assert markdown_table(("A",), [[moment]]).splitlines()[-1] == f"| {moment} |"


EVIL = st.sampled_from([*"@#:./\\`|~_*[]()<>!&^-ab1", "GH-1", "www.", "http://", "mailto:", "x.io"])


@given(st.lists(EVIL, min_size=1, max_size=12).map("".join))
def test_no_mixture_of_it_acts(text: str) -> None:
    harmless(f"x{text}x")
