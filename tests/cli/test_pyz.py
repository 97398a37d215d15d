"""The one-file delivery: how it unpacks, and (`make pyz-test`) the built file in an empty environment."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import build_pyz
import pytest
from fakes.hostile import HostileStub, running
from fakes.terminal import Terminal
from pythons import interpreters

from lambdatop import __version__
from lambdatop.cli import exit_codes

BUILT = os.environ.get("LAMBDATOP_PYZ", "")
needs_pyz = pytest.mark.skipif(not BUILT, reason="make pyz-test builds the file first")
PYTHON = os.path.realpath(sys.executable)
"""Without this environment's packages."""

MAIN = b"""
import sys
def main():
    print(__file__)
    print(*sys.path)
    return 3
"""
SMALL = {"lambdatop/__init__.py": b"", "lambdatop/cli/__init__.py": MAIN, "lambdatop/data.json": b"{}"}


class Place:
    """An archive to run, with a home, a directory to stand in and one for temporary files, all empty."""

    def __init__(self, root: Path, archive: Path) -> None:
        self.archive = archive
        self.home, self.work, self.temporary = (root / name for name in ("home", "work", "temporary"))
        for path in (self.home, self.work, self.temporary):
            path.mkdir(mode=0o700, parents=True)
        self.environ = {"PATH": "/usr/bin", "HOME": str(self.home), "TMPDIR": str(self.temporary)}

    def run(self, *argv: str, python: str = PYTHON, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the archive and nothing else."""
        return subprocess.run(
            [python, "-I", str(self.archive), *argv],
            env=self.environ | more,
            cwd=self.work,
            capture_output=True,
            text=True,
            timeout=60,
        )

    @property
    def cache(self) -> Path:
        """Where it unpacks."""
        return self.home / ".cache" / "lambdatop"

    def unpacked(self) -> list[Path]:
        """Return the unpacked files."""
        return sorted(self.cache.iterdir())

    def left(self) -> list[Path]:
        """Return what was written outside of HOME."""
        return [*self.work.iterdir(), *self.temporary.iterdir()]


@pytest.fixture
def small(tmp_path: Path) -> Place:
    archive = tmp_path / "small.pyz"
    archive.write_bytes(build_pyz.packed(SMALL))
    return Place(tmp_path, archive)


def test_it_unpacks_once_into_a_directory_of_ones_own(small: Place) -> None:
    first, second = small.run(), small.run()
    assert (first.returncode, first.stderr) == (3, "")
    assert second.stdout == first.stdout
    (home,) = small.unpacked()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(small.cache.stat().st_mode) == 0o700
    assert first.stdout.startswith(str(home))
    assert small.left() == []


def test_only_the_archive_and_the_standard_library_are_importable(small: Place, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    ran = subprocess.run(
        [sys.executable, str(small.archive)],
        env=small.environ | {"PYTHONPATH": str(tmp_path / "elsewhere")},
        capture_output=True,
        text=True,
    )
    paths = ran.stdout.splitlines()[1].split()
    assert paths[0].startswith(str(small.cache))
    assert not [path for path in paths[1:] if "packages" in path or str(tmp_path) in path]
    assert len(paths) > 1


def test_what_was_cut_short_is_unpacked_anew(small: Place) -> None:
    small.run()
    (home,) = small.unpacked()
    (home / "lambdatop" / "data.json").write_bytes(b"")
    (home / "lambdatop" / "cli" / "__init__.py").unlink()
    assert small.run().returncode == 3
    assert (home / "lambdatop" / "data.json").read_bytes() == b"{}"


def test_first_runs_at_the_same_time_agree(small: Place) -> None:
    with ThreadPoolExecutor(4) as pool:
        codes_ = list(pool.map(lambda _: small.run().returncode, range(4)))
    assert codes_ == [3] * 4
    assert len(small.unpacked()) == 1


def test_what_a_killed_first_run_left_is_removed_when_it_is_old(small: Place) -> None:
    for name in (".new-old", ".new-young"):
        (small.cache / name).mkdir(parents=True)
    small.cache.chmod(0o700)
    os.utime(small.cache / ".new-old", (0, 0))
    small.run()
    assert [p.name for p in small.unpacked()[:-1]] == [".new-young"]


@pytest.mark.parametrize("what", ["parent", "directory", "unpacked", "link", "file", "no home"])
def test_where_others_could_put_code_nothing_is_run_from(small: Place, tmp_path: Path, what: str) -> None:
    small.run()
    (home,) = small.unpacked()
    (home / "lambdatop" / "cli" / "__init__.py").write_bytes(b"def main():\n    return 66\n")
    if what == "parent":
        small.cache.parent.chmod(0o777)
    elif what == "directory":
        small.cache.chmod(0o770)
    elif what == "unpacked":
        home.chmod(0o777)
    elif what == "link":
        home.rename(tmp_path / "moved")
        home.symlink_to(tmp_path / "moved")
    elif what == "file":
        small.cache.rename(tmp_path / "moved")
        small.cache.write_text("")
    else:
        small.environ.pop("HOME")
    ran = small.run()
    assert ran.returncode == 3
    assert ran.stderr.startswith("lambdatop: unpacking into a temporary directory for this run: ")
    assert ran.stdout.startswith(str(small.temporary))
    assert small.left() == [], "the temporary directory is gone"


def test_the_same_files_give_the_same_bytes_whatever_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_pyz.packed(SMALL)
    assert build_pyz.packed(dict(reversed(SMALL.items()))) == first
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    later = build_pyz.packed(SMALL)
    assert later != first, "the time that was asked for stands in it"
    assert build_pyz.packed(SMALL) == later


def test_only_python_and_data_of_wheels_are_taken() -> None:
    taken = [
        "yarl/_url.py",
        "msgspec/_core.cpython-311-x86_64-linux-gnu.so",
        "yarl-1.0.dist-info/licenses/LICENSE",
        "botocore/data/endpoints.json",
        "botocore/data/sqs/2012-11-05/service-2.json.gz",
        "botocore/cacert.pem",
    ]
    left = [
        "yarl/_quoting_c.cpython-311-x86_64-linux-gnu.so",
        "yarl-1.0.dist-info/RECORD",
        "yarl-1.0.data/scripts/yarl",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "botocore/data/sqs/2012-11-05/examples-1.json",
    ]
    assert [name for name in taken + left if build_pyz.is_needed(name)] == taken


def test_a_wheel_that_is_not_in_the_lock_ends_the_build(tmp_path: Path) -> None:
    wheel = tmp_path / "six-1.0-py3-none-any.whl"
    wheel.write_bytes(b"what was locked")
    lock = f"six==1.0 \\\n    --hash=sha256:{hashlib.sha256(b'what was locked').hexdigest()}\n"
    assert build_pyz.checked([wheel], lock) == [wheel]
    with pytest.raises(SystemExit, match=r"no wheel for six==1\.0"):
        build_pyz.checked([], lock)
    wheel.write_bytes(b"something else")
    with pytest.raises(SystemExit, match=r"is not what requirements/pyz\.txt names"):
        build_pyz.checked([wheel], lock)


def test_a_machine_without_its_compiled_part_is_told(tmp_path: Path) -> None:
    archive = tmp_path / "other.pyz"
    archive.write_bytes(build_pyz.packed(SMALL | {"fast/_core.cpython-299-vax-linux-gnu.so": b""}))
    ran = Place(tmp_path, archive).run()
    assert ran.returncode == 1
    assert f"{os.uname().machine} with cpython" in ran.stderr


def test_an_old_python_is_told_what_it_lacks(small: Place) -> None:
    starter = (build_pyz.ROOT / "tools" / "pyz_main.py").read_text(encoding="utf-8")
    old = "import sys\nsys.version_info = (3, 6, 8)\nsys.version = '3.6.8 (default)'\n"
    ran = subprocess.run([PYTHON, "-I", "-c", old + starter], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (1, "lambdatop needs Python 3.11 or newer, this is 3.6.8\n")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("pyz"), Path(BUILT))


@pytest.fixture(scope="module")
def stub() -> Iterator[HostileStub]:
    with running(HostileStub()) as hostile:
        hostile.answers = "strings"
        yield hostile


@pytest.fixture
def at(stub: HostileStub) -> dict[str, str]:
    return {
        "LAMBDATOP_ENDPOINT_URL": stub.url,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@needs_pyz
def test_commands_that_need_no_aws(built: Place) -> None:
    assert built.run("--version").stdout == f"lambdatop {__version__}\n"
    assert json.loads(built.run("policy", "read-only").stdout)["Statement"]
    assert built.run("config", "check").returncode == exit_codes.DONE
    demo = built.run("demo", "--headless", "5")
    assert demo.returncode == exit_codes.USAGE
    assert "the demo needs the emulator" in demo.stderr
    assert built.left() == []


@needs_pyz
def test_what_asks_aws(built: Place, at: dict[str, str]) -> None:
    doctor = json.loads(built.run("doctor", "--json", **at).stdout)
    assert {c["group"] for c in doctor["checks"]} >= {"credentials", "identity", "terminal"}
    shot = built.run("snapshot", "--json", **at)
    assert shot.returncode == exit_codes.DONE
    assert json.loads(shot.stdout)["functions"]
    assert built.run("snapshot", "--markdown", **at).stdout.startswith(f"# lambdatop {__version__}")
    assert built.left() == []


@needs_pyz
def test_the_console(built: Place, at: dict[str, str]) -> None:
    environ = built.environ | at | {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
    with Terminal([PYTHON, "-I", BUILT], environ, 120, 40) as terminal:
        terminal.wait_for(lambda screen: re.search(r"(?s)1 hot functions.*zq\d{3}", screen) is not None)
        terminal.press("q")
        assert terminal.wait_for_exit() == exit_codes.DONE
    assert built.left() == []


@needs_pyz
@pytest.mark.parametrize("version", interpreters())
def test_every_python_of_this_machine_runs_it(built: Place, at: dict[str, str], version: str) -> None:
    shot = built.run("snapshot", "--json", python=interpreters()[version], **at)
    assert shot.returncode == exit_codes.DONE, shot.stderr
    assert json.loads(shot.stdout)["functions"]


@needs_pyz
def test_only_msgspec_is_compiled_and_only_models_in_use_are_in_it(built: Place) -> None:
    (home,) = built.unpacked()
    names = [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()]
    compiled = [name for name in names if name.endswith((".so", ".pyd"))]
    assert {name.partition(".")[0] for name in compiled} == {"msgspec/_core"}
    assert len(compiled) == len(build_pyz.PYTHONS) * len(build_pyz.MACHINES)
    models = {path.name for path in (home / "botocore" / "data").iterdir() if path.is_dir()}
    assert models == set(build_pyz.SERVICES)
