"""Whether the tests would notice: each small fault of `mutations.py` in the modules that must not fail.

    python tools/mutants.py [--list] [--only WORDS] [TARGET | MODULE ...]

`mutants.toml` says which modules are examined, by which tests, and which faults are none, with the reason.
A fault that no test notices survives; the run fails when a score is below the floor, and when something is
excused that is not there any more. Each fault is tried in a forked process that imports the faulty module
instead of the real one, so that no file is touched and constants and tables count too.

Why not a tool from the index: mutmut 3 changes functions only, and here patterns, tables and constants
decide (which secrets are hidden, which reads are allowed); cosmic-ray starts Python anew for each fault.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import tempfile
import time
import tomllib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import CodeType, ModuleType

from mutations import Mutant, mutants

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "tools" / "mutants.toml"
FLOOR = 0.95
AT_ONCE = os.cpu_count() or 1
QUIET = ("-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider")
IGNORED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
HEAVY = ("pytest", "_pytest.assertion.rewrite", "hypothesis.strategies", "aiobotocore.session", "aiohttp.web")
"""Imported once, before the forks, with the plugins of pytest: it halves the time of a fault."""
PATIENCE = 4.0
"""A fault may slow the tests by this factor (and `EXTRA_S`) before it counts as noticed: it hangs."""
EXTRA_S = 20.0


@dataclass(frozen=True)
class Target:
    """One module and the tests that concern it, those that notice most first."""

    module: str
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        """As Python imports it."""
        return self.module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@dataclass
class Child:
    """A fork at work."""

    target: Target
    mutant: Mutant | None
    began: float
    limit_s: float


class _Faulty(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from code that was compiled here."""

    def __init__(self, target: Target, code: CodeType) -> None:
        self._target, self._code = target, code

    def find_spec(
        self, name: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return ours, for the one name."""
        if name != self._target.name:
            return None
        file = ROOT / self._target.module
        places = [str(file.parent)] if file.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            name, file, loader=self, submodule_search_locations=places
        )

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """Take the usual kind of module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the faulty code."""
        exec(self._code, module.__dict__)


def targets(chosen: Sequence[str]) -> list[Target]:
    """Return the targets of `mutants.toml`, or those of them whose target or module was named."""
    found = []
    for name, about in tomllib.loads(SETTINGS.read_text(encoding="utf-8"))["target"].items():
        for pattern in about["modules"]:
            for file in sorted(ROOT.glob(pattern)):
                module = file.relative_to(ROOT).as_posix()
                if not chosen or name in chosen or any(module.endswith(word) for word in chosen):
                    found.append(Target(module, tuple(about["tests"])))
    return found


def excused() -> dict[str, dict[str, str]]:
    """Return excused faults: by module, the name of the fault and why no test can notice it."""
    settings = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))
    found: dict[str, dict[str, str]] = {}
    for entry in settings.get("same", ()):
        found.setdefault(entry["module"], {})[entry["fault"]] = entry["why"]
    return found


def _run_tests(target: Target, mutant: Mutant | None, tree: ast.Module, output: Path) -> int:
    """Run the tests on the module with the fault, in the fork; return pytest's exit code."""
    sink = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    if mutant is not None:
        try:
            code = mutant.code(tree, str(ROOT / target.module))
        except SyntaxError:
            return 1  # Python itself notices
        sys.meta_path.insert(0, _Faulty(target, code))
    import pytest

    base = f"--basetemp={output.parent / f'temp-{os.getpid()}'}"
    return int(pytest.main([*QUIET, *IGNORED, base, *target.tests]))


class Run:
    """The faults of one module, `AT_ONCE` of them at a time."""

    def __init__(self, target: Target, directory: Path) -> None:
        self.target = target
        self._directory = directory
        self._tree = ast.parse((ROOT / target.module).read_text(encoding="utf-8"))
        self.mutants = mutants(self._tree)
        self._children: dict[int, Child] = {}

    def baseline(self) -> float:
        """Return the seconds that the tests take without a fault; end the program when they fail."""
        began = time.monotonic()
        pid = self._fork(None)
        _, status = os.waitpid(pid, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            text = self._output(pid).read_text(encoding="utf-8", errors="replace")
            sys.exit(f"The tests of {self.target.module} fail without a fault:\n{text[-3000:]}")
        return time.monotonic() - began

    def survivors(self, chosen: list[Mutant], limit_s: float) -> list[Mutant]:
        """Return those that no test notices."""
        waiting, survived = deque(chosen), []
        while waiting or self._children:
            while waiting and len(self._children) < AT_ONCE:
                mutant = waiting.popleft()
                pid = self._fork(mutant)
                self._children[pid] = Child(self.target, mutant, time.monotonic(), limit_s)
            for pid, code in self._ended():
                child = self._children.pop(pid)
                if code == 0 and child.mutant is not None:
                    survived.append(child.mutant)
                    print(f"  survived: {child.mutant.label}", flush=True)
        return survived

    def _output(self, pid: int) -> Path:
        return self._directory / f"{pid}.log"

    def _fork(self, mutant: Mutant | None) -> int:
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            os.setsid()
            code = _run_tests(self.target, mutant, self._tree, self._output(os.getpid()))
        finally:
            os._exit(code)

    def _ended(self) -> list[tuple[int, int]]:
        """Wait for one child, and give its exit code; what hangs is killed with all it started."""
        while True:
            for pid, child in self._children.items():
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(pid, signal.SIGKILL)
                    return [(pid, os.waitstatus_to_exitcode(status))]
                if time.monotonic() - child.began > child.limit_s:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(pid, signal.SIGKILL)
            time.sleep(0.01)


def examine(target: Target, only: str, same: dict[str, str], directory: Path) -> tuple[int, int, list[str]]:
    """Try one module: how many faults count, how many were noticed, and what is wrong with the excuses."""
    run = Run(target, directory)
    chosen = [one for one in run.mutants if only in one.label and one.label not in same]
    took_s = run.baseline()
    print(f"{target.module}: {len(chosen)} faults, {took_s:.1f} s without one", flush=True)
    left = run.survivors(chosen, took_s * PATIENCE + EXTRA_S)
    noticed = len(chosen) - len(left)
    wrong = []
    if not only:
        known = {one.label for one in run.mutants}
        wrong = [f"{target.module}: excused, but not there: {label}" for label in same if label not in known]
    print(
        f"{target.module}: {noticed} of {len(chosen)} noticed, {_percent(noticed, len(chosen))}", flush=True
    )
    return len(chosen), noticed, wrong


def _percent(noticed: int, count: int) -> str:
    return f"{noticed / count:.1%}" if count else "nothing to notice"


def main(argv: Sequence[str] | None = None) -> int:
    """Run; return 1 when something survived that should not have, or an excuse is stale."""
    asked = argparse.ArgumentParser(description="Tries small faults in the modules that must not fail.")
    asked.add_argument("--list", action="store_true", help="name the faults, try none")
    asked.add_argument("--only", default="", help="only faults whose name holds this")
    asked.add_argument("chosen", nargs="*", help="targets of mutants.toml, or ends of module paths")
    options = asked.parse_args(argv)
    os.chdir(ROOT)
    found = targets(options.chosen)
    if not found:
        sys.exit(f"Nothing in {SETTINGS.name} is called {' or '.join(options.chosen)}.")
    if options.list:
        for target in found:
            for one in mutants(ast.parse(Path(target.module).read_text(encoding="utf-8"))):
                print(f"{target.module}: {one.label}")
        return 0
    for name in (*HEAVY, *(plugin.value for plugin in entry_points(group="pytest11"))):
        importlib.import_module(name)
    same, rows, wrong = excused(), [], []
    with tempfile.TemporaryDirectory(prefix="lambdatop-mutants-") as directory:
        for target in found:
            count, noticed, stale = examine(
                target, options.only, same.get(target.module, {}), Path(directory)
            )
            rows.append((target.module, count, noticed))
            wrong += stale
    return _report(rows, wrong)


def _report(rows: list[tuple[str, int, int]], wrong: list[str]) -> int:
    print()
    for module, count, noticed in rows:
        print(f"{module:48} {noticed:5} of {count:5}  {_percent(noticed, count)}")
    count, noticed = sum(row[1] for row in rows), sum(row[2] for row in rows)
    print(f"{'all':48} {noticed:5} of {count:5}  {_percent(noticed, count)}")
    print("\n".join(wrong))
    low = [row for row in rows if row[2] < FLOOR * row[1]]
    return 1 if wrong or low else 0


if __name__ == "__main__":
    sys.exit(main())
