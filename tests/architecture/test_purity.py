"""The domain neither reads nor writes anything outside, and never asks what time it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

MODULES = """
__future__ abc array base64 binascii bisect collections collections.abc contextlib copy dataclasses
datetime decimal difflib enum fractions functools hashlib heapq html itertools json math msgspec
msgspec.structs operator re shlex statistics string struct textwrap traceback types typing unicodedata
urllib.parse weakref zlib
"""
PURE = frozenset(MODULES.split())
"""What computes from its arguments alone. import-linter forbids modules by name and cannot see what is built
in, nor what a module that does both is used for."""
IN_PART = {
    "concurrent.futures": {"Future"},  # only as a type, in a port
    "importlib": {"import_module"},  # registries find their own modules
    "logging": {"getLogger"},  # what failed, with its traceback, for the person who mends it
    "pathlib": {"PurePath"},
    "pkgutil": {"iter_modules"},
    "sys": {"intern"},
}
"""What does more than that, and what of it is used."""
BUILT_IN = frozenset({"open", "input", "print", "exec", "eval", "compile", "breakpoint", "__import__"})
CLOCK = frozenset({"now", "today", "utcnow"})
"""Of `datetime` and `date`: the only clock is the engine's, and the time of a snapshot is an argument."""


def _impure(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of everything that reaches outside."""
    whole = {a.asname or a.name for n in ast.walk(module) if isinstance(n, ast.Import) for a in n.names}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, a.name) for a in node.names if not _may_import(a.name))
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            names = (a.name for a in node.names)
            bad = names if not _may_import(source) else (n for n in names if not _may_use(source, n))
            yield from ((node.lineno, f"{source}.{name}") for name in bad)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in BUILT_IN:
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            clock = node.attr in CLOCK and owner.rpartition(".")[2] in ("datetime", "date")
            if clock or (owner in whole and not _may_use(owner, node.attr)):
                yield node.lineno, f"{owner}.{node.attr}"


def _may_import(name: str) -> bool:
    return name in PURE or name in IN_PART or name.partition(".")[0] == "lambdatop"


def _may_use(module: str, name: str) -> bool:
    return module not in IN_PART or name in IN_PART[module]


def test_the_domain_is_pure(root: Path) -> None:
    found = [
        f"{file.relative_to(root)}:{line}: {name}"
        for file in sorted((root / "lambdatop" / "domain").rglob("*.py"))
        for line, name in _impure(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "from pathlib import Path\nPath('/etc/hostname').read_text()",
        "import pathlib\npathlib.Path('/etc/hostname').read_text()",
        "with open('/etc/hostname') as file: pass",
        "import io",
        "from os import environ",
        "import time",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import date\ndate.today()",
        "import sys\nsys.stdout.write('')",
        "from random import random",
        "import threading",
        "print(1)",
    ],
)
def test_the_rule_sees_what_reaches_outside(text: str) -> None:
    assert list(_impure(ast.parse(text)))
