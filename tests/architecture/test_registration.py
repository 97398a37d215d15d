"""Each thing is registered once: no second file lists detectors, mitigations, sources, panes or settings."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdatop.aws.sdk.walls.allowlist import iam_action, read_actions
from lambdatop.aws.sdk.walls.sent_reads import SENT
from lambdatop.aws.sources import COLLECTORS
from lambdatop.config.schema import OPTIONS
from lambdatop.domain import sources as source_table
from lambdatop.domain.detectors.registry import REGISTRY
from lambdatop.domain.mitigations.registry import REGISTRY as MITIGATIONS
from lambdatop.domain.sources import SOURCES, SourceSpec
from lambdatop.tui.panes.registry import PANES
from lambdatop.tui.panes.spec import PaneSpec
from lambdatop.tui.panes.table_base import TablePane

THRESHOLDS = "lambdatop/domain/settings/thresholds.py"
OTHER_MEANING = {"throttled", "error_rate", "timeouts", "async_amplification"}
"""Names that are also a state of a source, a field of a row, a word of the emulator."""
MAY_NAME_MITIGATIONS = (
    "lambdatop/domain/mitigations/",
    "lambdatop/domain/detectors/rules/",
    "lambdatop/demo/patches/",
)
TABLES = [spec for spec in PANES if spec.widget is TablePane]
"""Panes that are rows under columns; the others have keys of their own, which screens act on."""
MOST_FILES = 2
"""Files of the package that name a detector: its own, and its thresholds or one that depends on it."""
TABLE = "lambdatop/domain/sources.py"
CONSTANTS = {const: one.name for const, one in vars(source_table).items() if isinstance(one, SourceSpec)}
ASK_ABOUT_SOURCES = {
    "lambdatop/aws/reads/callers.py",  # reads for three sources and for plans
    "lambdatop/cli/commands/logs.py",  # follows logs
    "lambdatop/cli/compose.py",  # lists functions for commands about logs
    "lambdatop/cli/commands/snapshot.py",  # has failed without the list of functions
    "lambdatop/domain/quotas/account.py",
    "lambdatop/domain/quotas/rows.py",
    "lambdatop/domain/snapshots/builder.py",
    "lambdatop/domain/snapshots/caller_rows.py",
    "lambdatop/domain/snapshots/not_known.py",
    "lambdatop/domain/snapshots/storm_rows.py",
    "lambdatop/domain/state/world.py",
    "lambdatop/engine/engine.py",  # wakes metrics and logs when somebody looks elsewhere
    "lambdatop/report/audit/report.py",
    "lambdatop/report/audit/tables.py",
    "lambdatop/report/text/not_known.py",
    "lambdatop/report/text/snapshot.py",
}
"""Files that say why one fact is not known, or wake one source. A new source needs none of them."""
LIST_OTHER_THINGS = {
    "lambdatop/domain/graph/topology.py",  # fields of the World
    "lambdatop/report/json/snapshot.py",  # keys of the JSON
}
ASKING = ("source", "pace", "source_ages")
"""Methods of the console that take the names of sources."""


@pytest.fixture(scope="module")
def named_in(root: Path) -> dict[str, set[str]]:
    """Return the detectors and mitigations named by each file: as a text, or as the name of a field."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in sorted((root / "lambdatop").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            word = None
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                word = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                word = node.target.id
            if word is not None and (word in REGISTRY or word in MITIGATIONS):
                found[file.relative_to(root).as_posix()].add(word)
    return found


@pytest.mark.parametrize("name", sorted(REGISTRY.keys() - OTHER_MEANING))
def test_a_detector_is_registered_in_its_own_file(named_in: dict[str, set[str]], name: str) -> None:
    files = {file for file, names in named_in.items() if name in names}
    assert f"lambdatop/domain/detectors/rules/{name}.py" in files
    assert len(files) <= MOST_FILES, files


def test_only_the_thresholds_list_many_detectors(named_in: dict[str, set[str]]) -> None:
    many = {file for file, names in named_in.items() if len(names & REGISTRY.keys()) > MOST_FILES}
    assert many == {THRESHOLDS}


@pytest.mark.parametrize("name", MITIGATIONS)
def test_a_mitigation_is_registered_beside_its_planner(named_in: dict[str, set[str]], name: str) -> None:
    """Besides, detectors suggest it, planners advise it, and the emulator has operations of such names."""
    files = {file for file, names in named_in.items() if name in names}
    assert [file for file in files if not file.startswith(MAY_NAME_MITIGATIONS)] == []


def _module_of(name: str) -> str:
    return COLLECTORS[name].make.__module__


@pytest.fixture(scope="module")
def described_in(root: Path) -> dict[str, set[str]]:
    """Return sources by the files that import their description."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in sorted((root / "lambdatop").rglob("*.py")):
        path = file.relative_to(root).as_posix()
        text = file.read_text(encoding="utf-8")
        if "sources" in text and path != TABLE:
            for const in _names(ast.parse(text)) & CONSTANTS.keys():
                found[CONSTANTS[const]].add(path)
    return found


def _names(tree: ast.Module) -> set[str]:
    """Return what a file imports from the table of sources, or takes of it as an attribute."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "lambdatop.domain.sources":
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "sources":
            found.add(node.attr)
    return found


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_is_described_once_and_read_by_one_module(
    described_in: dict[str, set[str]], name: str
) -> None:
    assert COLLECTORS[name].source is SOURCES[name]
    own = f"{_module_of(name).replace('.', '/')}.py"
    assert own in (f"lambdatop/aws/collectors/{name}.py", f"lambdatop/aws/{name}/collector.py")
    assert own in described_in[name]
    assert described_in[name] - {own} <= ASK_ABOUT_SOURCES


def test_the_files_that_ask_about_sources_are_all_needed(described_in: dict[str, set[str]]) -> None:
    assert set().union(*described_in.values()) >= ASK_ABOUT_SOURCES


def test_nobody_else_lists_sources(root: Path) -> None:
    listing = {
        file.relative_to(root).as_posix()
        for file in (root / "lambdatop").rglob("*.py")
        if any(len(names & SOURCES.keys()) > 2 for names in _listed(file))
    }
    assert {path for path in listing if not path.startswith("lambdatop/demo/")} == LIST_OTHER_THINGS


def _listed(file: Path) -> Iterator[set[object]]:
    """Yield the texts of each tuple, list and set of a file, and the keys of each mapping."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
            entries = node.keys if isinstance(node, ast.Dict) else node.elts
            yield {entry.value for entry in entries if isinstance(entry, ast.Constant)}


def test_panes_ask_about_sources_that_there_are(root: Path) -> None:
    asked = set()
    for file in (root / "lambdatop/tui").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ASKING:
                asked |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    assert asked
    assert asked <= SOURCES.keys()


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_says_which_permissions_it_needs(name: str) -> None:
    """What its module sends is found at the call sites; what it names besides is sent for it elsewhere."""
    iam = SOURCES[name].iam
    module = _module_of(name).removeprefix("lambdatop.aws.")
    sent = {iam_action(*call) for call, modules in SENT.items() if module in modules}
    assert sent <= set(iam)
    assert set(iam) <= set(read_actions())
    assert set(SOURCES[name].each_function) <= set(iam)
    assert {iam_action(service, operation) for service, operation, _ in COLLECTORS[name].trials} <= set(iam)


def _words(tree: ast.AST) -> set[str]:
    """Return every text of a file, and every module that it imports from."""
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return texts | {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}


def test_a_setting_is_named_by_its_field(root: Path) -> None:
    """No second file has a list of keys; one names the setting that others must not exceed."""
    keys = {option.path for option in OPTIONS if "." in option.path}
    naming = {
        file.relative_to(root).as_posix(): words
        for file in sorted((root / "lambdatop").rglob("*.py"))
        if (words := keys & _words(ast.parse(file.read_text(encoding="utf-8"))))
    }
    assert naming == {"lambdatop/domain/settings/fields.py": {"metrics.history_min"}}


def test_every_pane_is_found_in_the_folder(root: Path) -> None:
    files = sorted((root / "lambdatop/tui/panes").glob("*.py"))
    named = [f.stem for f in files if "\nSPEC" in f.read_text(encoding="utf-8")]
    assert sorted(spec.name for spec in PANES) == named
    assert len({spec.key for spec in PANES}) == len(PANES)
    assert {name for spec in PANES for name in spec.sources} <= SOURCES.keys()


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_a_pane_is_registered_in_its_own_file(root: Path, spec: PaneSpec[Any]) -> None:
    """Nothing else of the console names it, its title or its module; the stylesheet has no rule for it.

    A pane may be called like its source, of which other panes may ask.
    """
    module = f"lambdatop.tui.panes.{spec.name}"
    own = {spec.name, spec.title, spec.does, module, f"#{spec.name}", f"#{spec.name}-table"} - SOURCES.keys()
    files = sorted((root / "lambdatop/tui").rglob("*.py"))
    naming = [f for f in files if own & _words(ast.parse(f.read_text(encoding="utf-8")))]
    assert naming == [root / f"{module.replace('.', '/')}.py"]
    assert f"#{spec.name}" not in (root / "lambdatop/tui/app/app.tcss").read_text(encoding="utf-8")
