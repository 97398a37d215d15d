"""No circle of imports: neither of files nor of folders."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ON_TOP = {
    "lambdatop.__main__",
    "lambdatop.aws.connect",
    "lambdatop.aws.sources",
    "lambdatop.cli.__init__",
    "lambdatop.cli.commands.completion",
    "lambdatop.cli.compose",
    "lambdatop.cli.mutate",
    "lambdatop.cli.parser",
    "lambdatop.cli.run",
    "lambdatop.domain.detectors.documentation",
    "lambdatop.domain.detectors.grouping",
    "lambdatop.domain.detectors.registry",
    "lambdatop.domain.diagnosis",
    "lambdatop.domain.error_words",
    "lambdatop.engine.engine",
    "lambdatop.engine.housekeeping",
    "lambdatop.engine.thread",
}
"""Files that find, start or compose what stands in folders below their own, whose other files these share."""


def _imported(file: Path) -> Iterator[tuple[str, str]]:
    """Yield what a file imports, in functions and for types too: modules, and names in them or ""."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


@pytest.fixture(scope="module")
def imports(root: Path) -> Mapping[str, set[str]]:
    """Return the files that each file of the package imports."""
    files = {
        ".".join(file.relative_to(root).with_suffix("").parts): file
        for file in sorted((root / "lambdatop").rglob("*.py"))
    }
    found = defaultdict[str, set[str]](set)
    for name, file in files.items():
        for module, inside in _imported(file):
            ways = (f"{module}.{inside}", f"{module}.{inside}.__init__", module, f"{module}.__init__")
            wanted = next((way for way in ways if way in files), name)
            found[name] |= {wanted} - {name}
    return found


def _circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return a circle, in its order; nothing where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_file_imports_itself_by_others(imports: Mapping[str, set[str]]) -> None:
    """Imports inside functions and for types count, too: files of one circle are understood together only."""
    assert len(imports) > 500
    assert _circle(imports) == []


def _folders(imports: Mapping[str, set[str]], apart: set[str]) -> Mapping[str, set[str]]:
    """Return the folders that each folder imports; some files count as folders of their own."""

    def folder(name: str) -> str:
        return name if name in apart else name.rpartition(".")[0]

    graph = defaultdict[str, set[str]](set)
    for name, found in imports.items():
        graph[folder(name)] |= {folder(one) for one in found} - {folder(name)}
    return graph


def test_no_folder_imports_itself_by_others(imports: Mapping[str, set[str]]) -> None:
    assert _circle(_folders(imports, ON_TOP)) == []
    needless = [name for name in ON_TOP if not _circle(_folders(imports, ON_TOP - {name}))]
    assert needless == []
