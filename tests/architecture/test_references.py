"""What docstrings and comments say of other files and modules holds: those exist."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

FILE = re.compile(r"(?<![\w./-])(?:[\w-]+/)*[\w-]+\.(?:py|md|toml)\b(?!\.)")
MODULE = re.compile(r"`((?:lambdatop\.)?(?:aws|cli|config|demo|domain|engine|report|storage|tui)\.[\w.]+)`")
ELSEWHERE = {
    "build/bench.md": "made by `make bench`, in no checkout",
}
"""Names of files that are not the project's, and whose they are."""


def _said(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each comment and docstring of a source."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.Expr) or not isinstance(child.value, ast.Constant):
                continue
            if isinstance(child.value.value, str):
                yield child.lineno, child.value.value


def _stale(root: Path, files: frozenset[str], text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each file or module that a source mentions and nobody has."""
    if not FILE.search(text) and not MODULE.search(text):
        return  # parsing all the project takes long
    for line, words in _said(text):
        for name in FILE.findall(words):
            if name not in ELSEWHERE and name not in files:
                yield line, name
        for name in MODULE.findall(words):
            if not _is_module(root, name.removeprefix("lambdatop.")):
                yield line, name


def _files(root: Path) -> frozenset[str]:
    """Return the names of all files, each also without the folders at its front."""
    folders = ("lambdatop", "tests", "tools", "docs")
    below = (f for folder in folders for f in (root / folder).rglob("*.*"))
    found = (f.relative_to(root).parts for f in (*root.glob("*.*"), *below))
    return frozenset("/".join(parts[n:]) for parts in found for n in range(len(parts)))


def _is_module(root: Path, name: str) -> bool:
    """Return whether a dotted name is a module, or something that stands in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        place = root / "lambdatop" / Path(*parts[:length])
        file = place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__init__.py"
        if file.is_file() and length == len(parts):
            return True
        if file.is_file():
            return re.search(rf"\b{re.escape(parts[length])}\b", file.read_text(encoding="utf-8")) is not None
    return False


def test_files_and_modules_that_are_mentioned_exist(root: Path) -> None:
    files = _files(root)
    stale = [
        f"{file.relative_to(root)}:{line}: {name}"
        for folder in ("lambdatop", "tests", "tools")
        for file in sorted((root / folder).rglob("*.py"))
        for line, name in _stale(root, files, file.read_text(encoding="utf-8"))
    ]
    assert stale == []


@pytest.mark.parametrize(
    "words",
    [
        "see `facts/gone.py`",
        "(gone.py)",
        "gone.md, section 1",
        "`domain.gone.build`",
        "`domain.sanitize.gone`",
    ],
)
def test_the_rule_sees_what_is_gone(root: Path, words: str) -> None:
    assert [n for n, _ in _stale(root, _files(root), f'"""{words}."""\n')] == [1]
    assert [n for n, _ in _stale(root, _files(root), f"# {words}.\n")] == [1]
