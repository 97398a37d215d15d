"""Few dependencies, each with a reason, each locked by hash."""

from __future__ import annotations

import gzip
import json
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import audit_deps
import botocore
import build_pyz
import install
import pytest
from botocore.model import ServiceId
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lambdatop.aws.mutation import mutator
from lambdatop.aws.sdk.walls.allowlist import CREDENTIALS, READS

LOCKS = ("requirements/pyz.txt", "requirements/dev.txt")
NEWEST = "requirements/newest.txt"
TOOLS = ("requirements/awscli.txt", "requirements/awslogs.txt", "requirements/foreign.txt")
_LINE = re.compile(
    r"[a-z0-9.-]+==\S+ \\|    --hash=sha256:[0-9a-f]{64}( \\)?|    # ?.*|(# The following .*)?"
)


def pins(root: Path, lock: str) -> dict[str, str]:
    """Return the locked versions by name."""
    return dict(build_pyz.locked((root / lock).read_text(encoding="utf-8")).keys())


def direct(root: Path, *extras: str) -> list[Requirement]:
    """Return the requirements of pyproject.toml."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    more = [line for extra in extras for line in project["optional-dependencies"][extra]]
    return [Requirement(line) for line in (*project["dependencies"], *more)]


def build_needs(root: Path) -> list[Requirement]:
    """Return the requirements for building the package."""
    return asked(root, "requirements/build.in")


def asked(root: Path, file: str) -> list[Requirement]:
    """Return the requirements of an input of a lock file."""
    lines = (root / file).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("lock", [*LOCKS, NEWEST, *TOOLS])
def test_every_line_of_a_lock_has_a_version_and_a_hash(root: Path, lock: str) -> None:
    text = (root / lock).read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if not _LINE.fullmatch(line)] == []
    assert (
        len(pins(root, lock))
        == len(re.findall(r"^[a-z]", text, re.MULTILINE))
        > (20 if lock not in TOOLS else 5)
    )


def test_the_locks_satisfy_pyproject(root: Path) -> None:
    for lock, wanted in (
        (LOCKS[0], direct(root)),
        (LOCKS[1], [*direct(root, "demo", "dev"), *build_needs(root)]),
        (NEWEST, [*direct(root, "dev"), *build_needs(root), *asked(root, "requirements/newest.in")]),
        *((lock, asked(root, lock.replace(".txt", ".in"))) for lock in TOOLS),
    ):
        found = pins(root, lock)
        for need in wanted:
            assert found[canonicalize_name(need.name)] in need.specifier, (lock, need)


def test_the_makefile_installs_nothing_by_any_other_way(root: Path) -> None:
    """Each environment is made by `tools/install.py`, whose ranges are those of the lock's input."""
    text = (root / "Makefile").read_text(encoding="utf-8")
    installs = re.findall(r"^\t(.*(?:pip install|install\.py).*)$", text, re.MULTILINE)
    # The tools that write locks are pinned by the Makefile itself; they install nothing of ours.
    [_] = [line for line in installs if line.startswith("$(LOCKS)/bin/pip install")]
    others = [shlex.split(line) for line in installs if "tools/install.py $(LOCKED_ONLY) " in line]
    assert len(others) == len(installs) - 1
    for words in others:
        lock, *ranges = words[words.index("$(LOCKED_ONLY)") + 1 :]
        if "--own" in ranges:
            del ranges[ranges.index("--own") : ranges.index("--own") + 2]
        given = {str(Requirement(word)) for word in ranges}
        file = "requirements/" + lock + ".in"
        assert given == ({str(r) for r in asked(root, file)} if lock != "dev" else set()), lock


def test_what_ships_is_what_is_tested(root: Path) -> None:
    tested = pins(root, LOCKS[1])
    assert {name: tested.get(name) for name in pins(root, LOCKS[0])} == pins(root, LOCKS[0])


def test_every_dependency_has_a_reason(root: Path) -> None:
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Releases and dependencies")[2]
    tables = [set(re.findall(r"^\| `([a-z0-9-]+)` \| \w", t, re.MULTILINE)) for t in text.split("\n|---")[1:]]
    needed, brought, worked_with = tables
    assert needed == {canonicalize_name(r.name) for r in direct(root)}
    assert brought == set(pins(root, LOCKS[0])) - needed
    own = {canonicalize_name(r.name) for r in [*direct(root, "demo", "dev"), *build_needs(root)]}
    assert worked_with == own - needed


def test_the_one_file_has_the_models_of_the_services_in_use() -> None:
    used = {*READS, *CREDENTIALS}
    data = Path(botocore.__file__).parent / "data"
    ids, names = set(), set()
    for service in build_pyz.SERVICES:
        model = max((data / service).glob("*/service-2.json.gz"))
        metadata = json.loads(gzip.decompress(model.read_bytes()))["metadata"]
        ids.add(ServiceId(metadata["serviceId"]).hyphenize())
        names.add(service)
    assert ids == used
    assert {service for service, _ in mutator.ALLOWED} <= names


class Pip:
    """Answers for pip, by what its arguments hold."""

    def __init__(self, says: str) -> None:
        self.says = says
        self.calls: list[list[str]] = []

    def run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.calls.append(command)
        locked = "--require-hashes" in command
        return subprocess.CompletedProcess(command, int(locked and self.says != ""), "", self.says)


ABSENT = "ERROR: No matching distribution found for textual==8.2.8\n"
TAMPERED = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n"


@pytest.mark.parametrize(
    ("says", "argv", "code", "unhashed"),
    [
        ("", [], 0, False),
        (ABSENT, [], 0, True),
        (ABSENT, ["--locked-only"], 1, False),
        (TAMPERED, [], 1, False),
        (TAMPERED + ABSENT, [], 1, False),
        ("ERROR: something else\n", [], 1, False),
    ],
)
@pytest.mark.parametrize("lock", [["dev", "--own", "demo,dev"], ["awscli", "awscli>=1.46,<2"]])
def test_hashes_are_given_up_only_where_the_index_lacks_a_version(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    says: str,
    argv: list[str],
    code: int,
    unhashed: bool,
    lock: list[str],
) -> None:
    pip = Pip(says)
    monkeypatch.setattr(subprocess, "run", pip.run)
    assert install.main([*argv, *lock]) == code
    fetching = [c for c in pip.calls if "--require-hashes" not in c and "--no-deps" not in c]
    assert bool(fetching) is unhashed
    told = capsys.readouterr().err
    assert ("WITHOUT hashes" in told) is unhashed
    assert ("nothing was installed" in told) is (says == ABSENT and code == 1)


@pytest.mark.parametrize(
    ("rows", "code", "sentence"),
    [
        ([{"name": "six", "version": "1", "vulns": []}], 0, "1 packages audited, no known vulnerability"),
        ([{"name": "six", "skip_reason": "not found"}], 2, "NOT AUDITED"),
        ([{"name": "six", "version": "1", "vulns": [{"id": "PYSEC-1"}]}], 1, "six 1: PYSEC-1"),
        (None, 2, "NOT AUDITED, the database could not be asked: no route"),
    ],
)
def test_a_package_that_was_not_audited_is_not_called_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: list[object] | None, code: int, sentence: str
) -> None:
    said = "" if rows is None else json.dumps({"dependencies": rows})
    tool = tmp_path / "pip-audit"
    tool.write_text(f"#!/bin/sh\necho 'no route' >&2\ncat <<'EOF'\n{said}\nEOF\n", encoding="utf-8")
    tool.chmod(0o755)
    assert audit_deps.main([str(tool), "requirements/pyz.txt"]) == code
    assert sentence in capsys.readouterr().out


def test_ci_installs_only_what_is_locked(root: Path) -> None:
    lines = (root / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    locked, first = lines.index('export LOCKED="${LOCKED-only}"'), lines.index("make lint")
    assert locked < first
