"""Who may import whom: statically by import-linter, and for real in a subprocess."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HEAVY = ("textual", "rich", "aiobotocore", "botocore", "boto3", "ministack", "yaml")
HEADLESS = (
    ("--help",),
    ("snapshot", "--help"),
    ("mitigate", "--help"),
    ("demo", "--help"),
    ("policy", "read-only"),
    ("config", "show"),
    ("journal", "--json"),
    ("demo", "--list"),
    ("mitigate", "throttle_to_zero", "f", "--read-only"),
)
CONNECTING = (
    ("snapshot", "--json", "--wait", "5"),
    ("logs", "orders-worker"),
    ("doctor", "--json"),
    ("mitigate", "throttle_to_zero", "orders-worker", "--confirm", "orders-worker"),
)

PROBE = """
import json, sys
from lambdatop.cli import main
code = main(sys.argv[1:])
loaded = sorted({name.partition(".")[0] for name in sys.modules})
rooms = sorted({".".join(name.split(".")[:2]) for name in sys.modules if name.startswith("lambdatop.")})
sys.stderr.write("\\n" + json.dumps({"code": code, "loaded": loaded, "rooms": rooms}))
"""


def probe(home: Path, *argv: str, **variables: str) -> dict[str, Any]:
    """Run the command line and tell what was imported on the way."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LAMBDATOP_", "XDG_"))}
    environ = {**kept, "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", **variables}
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, *argv], env=environ, capture_output=True, text=True, timeout=60
    )
    found: dict[str, Any] = json.loads(ran.stderr.rsplit("\n", 1)[-1])
    return found


COMPUTING = {
    "cost",
    "detectors",
    "figures",
    "graph",
    "log_analysis",
    "polling",
    "quotas",
    "snapshots",
    "state",
}
"""Packages of the domain whose functions compute. Their types and constants may be shown anywhere."""
ASKED_FOR = {("report/json/snapshot.py", "log_summary")}
"""Functions whose results are too expensive for every snapshot: computed only on request."""


def computing(path: Path) -> list[str]:
    """Return the functions of computing packages that a module imports; modules count, for they hold some."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lambdatop.domain."):
            if (node.module or "").split(".")[2] in COMPUTING:
                found += [name.name for name in node.names if not name.name.lstrip("_")[0].isupper()]
        elif isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name.startswith("lambdatop.domain")]
    return found


def test_what_renders_computes_nothing(root: Path) -> None:
    package = root / "lambdatop"
    paths = [*(package / "report").rglob("*.py"), *(package / "tui/pages").rglob("*.py")]
    found = {(str(path.relative_to(package)), name) for path in paths for name in computing(path)}
    assert found == ASKED_FOR, "compute it in the domain and read it from the Snapshot"


def test_the_import_contracts_hold(root: Path, tmp_path: Path) -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    ran = subprocess.run(
        [str(lint), "--cache-dir", str(tmp_path)], cwd=root, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "8 kept, 0 broken" in ran.stdout


@pytest.mark.parametrize("argv", HEADLESS, ids=" ".join)
def test_without_a_connection_nothing_heavy_is_imported(tmp_path: Path, argv: tuple[str, ...]) -> None:
    found = probe(tmp_path, *argv)
    assert not set(HEAVY) & set(found["loaded"])
    if argv == ("--help",):
        assert not {"asyncio", "ssl", "platformdirs", "logging"} & set(found["loaded"])
    assert "lambdatop.tui" not in found["rooms"]
    # A printed policy holds the list of reads, which stands beside the code that sends them.
    assert argv[0] == "policy" or "lambdatop.aws" not in found["rooms"]


@pytest.mark.parametrize("argv", CONNECTING, ids=lambda argv: argv[0])
def test_a_command_that_connects_imports_no_console(tmp_path: Path, argv: tuple[str, ...]) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION": "eu-central-1"}
    found = probe(tmp_path, *argv, "--endpoint-url", "http://127.0.0.1:1", **keys)
    assert found["code"] == 1
    assert "aiobotocore" in found["loaded"], "it really tried"
    assert not {"textual", "rich", "ministack", "boto3"} & set(found["loaded"])
    assert not {"lambdatop.tui", "lambdatop.demo"} & set(found["rooms"])
