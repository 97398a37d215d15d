"""Rules about the files themselves."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import defaultdict
from pathlib import Path

from lambdatop.aws.sdk.walls.allowlist import READS

MOST_LINES = 500
MOST_LINES_OF_A_FUNCTION = 60
LEAST_LINES = 40
SMALL = {
    # The contract's exit codes, and verbs of the command line: each has a file of its own.
    "cli/exit_codes.py", "cli/commands/policy.py", "cli/commands/version.py",
    # One source, pane or operation each, found by its file.
    "aws/collectors/mappings.py", "aws/collectors/schedules.py", "aws/collectors/pipes.py",
    "aws/collectors/state_machines.py", "aws/sources.py", "tui/panes/registry.py",
    "demo/patches/loops.py", "demo/patches/quotas.py", "demo/patches/sampler.py",
    # Imported from so many sides that every larger module would make a circle.
    "aws/sdk/wire/fast_serializer.py", "aws/sdk/wire/metering.py", "domain/cooperative.py",
    "domain/detectors/spec.py", "domain/mitigations/elsewhere.py", "domain/ports/log_export.py",
    "domain/snapshots/finish.py", "engine/unexpected.py", "tui/bindings.py",
    # One widget each.
    "tui/app/login.py", "tui/dialogs/ask.py", "tui/logview/search_line.py",
}  # fmt: skip
"""Modules below the least length, with the reason why they stay; functions of the demo are not counted."""
OTHER_TESTS = {"architecture", "bench", "corpus", "faults", "foreign", "fuzz", "scenes"}
"""Folders of tests of the whole, and of what tests themselves stand on."""
TOP_LEVEL = {
    ".ci", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md",
    "config.example.yaml", "docs", "lambdatop", "pyproject.toml", "requirements", "tests", "themes", "tools",
}  # fmt: skip
# Child processes of the demo speak to their parent, or are Lambda functions whose log it is.
DEMO_CHILDREN = re.compile(r"demo/(functions/.+|process/(supervisor|server)|emulator/runtime_worker)\.py$")
HARMLESS: frozenset[str] = frozenset().union(*READS.values())
"""What read-only mode may send although its name begins like a change: queries and the live tail."""

MUTATION = re.compile(
    r"(Put|Update|Delete|Create|Purge|Start(?!Date|Timestamp)|Send|Add|Remove|Set|Tag|Untag|Invoke(?!ErrorCount)|Publish|Disable|Enable)[A-Z]\w+"
)
# What changes things is named where it is planned and where it is sent; the allowlist names token exchange.
MAY_NAME_MUTATIONS = re.compile(
    r"lambdatop/(aws/(mutation/mutator|sdk/walls/allowlist)|domain/mitigations/\w+|demo/.+)\.py$"
)


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def test_nothing_strange_lies_at_the_top_level(root: Path) -> None:
    """Ten files of a journal were committed there once: a tool's working directory was the project's."""
    found = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=False)
    assert {name.partition("/")[0] for name in found.stdout.splitlines()} <= TOP_LEVEL


def test_no_file_is_longer_than_the_cap(root: Path) -> None:
    files = [f for folder in ("lambdatop", "tests", "tools") for f in (root / folder).rglob("*.py")]
    assert len(files) > 1000
    long = {str(f): n for f in files if (n := len(f.read_text(encoding="utf-8").splitlines())) > MOST_LINES}
    assert long == {}


def test_no_file_is_a_fragment(root: Path) -> None:
    package = root / "lambdatop"
    found = set()
    for file in package.rglob("*.py"):
        name = file.relative_to(package).as_posix()
        if file.name in ("__init__.py", "__main__.py") or name.startswith("demo/functions/"):
            continue
        if len(file.read_text(encoding="utf-8").splitlines()) < LEAST_LINES:
            found.add(name)
    assert found == SMALL


def test_no_function_is_longer_than_a_screen(sources: tuple[Path, ...]) -> None:
    long = [
        f"{file}: {node.name}"
        for file in sources
        for node in ast.walk(tree(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []


def test_tests_stand_in_the_folder_of_what_they_test(root: Path) -> None:
    """A folder of tests is one of the package or of OTHER_TESTS; a test called like one module is there."""
    package, tests = root / "lambdatop", root / "tests"
    folders = defaultdict[str, set[str]](set)
    for file in package.rglob("*.py"):
        folders[file.stem].add(file.parent.relative_to(package).as_posix())
    for file in tests.rglob("test_*.py"):
        folder = file.parent.relative_to(tests).as_posix()
        if folder not in OTHER_TESTS:
            assert (package / folder).is_dir(), f"{folder} is no folder of the package"
            homes = folders[file.stem.removeprefix("test_")]
            assert len(homes) != 1 or folder in homes, f"{file.relative_to(root)} belongs into {homes}"


def test_every_file_says_why_it_exists(sources: tuple[Path, ...]) -> None:
    assert [str(f) for f in sources if not ast.get_docstring(tree(f))] == []


def test_only_the_command_line_writes_to_stdout(sources: tuple[Path, ...], root: Path) -> None:
    found = []
    for file in sources:
        name = file.relative_to(root).as_posix()
        if name.startswith("lambdatop/cli/") or DEMO_CHILDREN.search(name):
            continue
        found += [f"{name}:{line}" for line in _writes(tree(file))]
    assert found == []


def _writes(module: ast.Module) -> list[int]:
    """Return lines that print or touch `sys.stdout`."""
    lines = []
    for node in ast.walk(module):
        printing = isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
        stdout = isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout", "sys.__stdout__")
        if isinstance(node, ast.expr) and (printing or stdout):
            lines.append(node.lineno)
    return lines


def test_one_file_sends_what_changes_aws(sources: tuple[Path, ...], root: Path) -> None:
    found = []
    for file in sources:
        name = file.relative_to(root).as_posix()
        if MAY_NAME_MUTATIONS.search(name):
            continue
        texts = (text for text in _texts(tree(file)) if MUTATION.fullmatch(text))
        found += [f"{name}: {text}" for text in texts if text not in HARMLESS]
    assert found == []
    mutator = (root / "lambdatop/aws/mutation/mutator.py").read_text(encoding="utf-8")
    assert set(MUTATION.findall(mutator)), "the rule still recognises what it forbids elsewhere"


def _texts(module: ast.Module) -> list[str]:
    constants = [node.value for node in ast.walk(module) if isinstance(node, ast.Constant)]
    return [value for value in constants if isinstance(value, str)]


def test_nothing_is_named_after_nothing(sources: tuple[Path, ...]) -> None:
    assert [f.name for f in sources if f.name in ("utils.py", "helpers.py", "common.py")] == []
    managers = [
        f"{f.name}:{n.name}"
        for f in sources
        for n in ast.walk(tree(f))
        if isinstance(n, ast.ClassDef) and n.name.endswith("Manager")
    ]
    assert managers == []


def test_every_module_postpones_its_annotations(sources: tuple[Path, ...]) -> None:
    late = [
        str(f)
        for f in sources
        if "functions" not in f.parts
        and any(not isinstance(n, ast.Expr) for n in tree(f).body)
        and "from __future__ import annotations" not in f.read_text(encoding="utf-8")
    ]
    assert late == []
