"""Build `dist/lambdatop.pyz`: lambdatop and all it needs, in one file for every Linux machine.

What comes from others are wheels of `requirements/pyz.txt`, each with its hash checked by pip and again here.
The compiled parts of aiohttp, yarl, multidict, frozenlist, propcache, wrapt and PyYAML are left out: each of
these falls back to its own pure Python. msgspec has none: its compiled part is in the file once for each
Python, machine and C library of `PYTHONS` and `MACHINES` (names differ), so that one file serves all.
The emulator of the demo and the SDK's models of the services that lambdatop never calls are left out.
Licences stay in.

The same input gives the same bytes (with the same zlib): wheels for one fixed platform whoever builds, names
in order, one time for all entries (SOURCE_DATE_EPOCH, or the first that a zip file knows).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "pyz.txt"
SHEBANG = b"#!/usr/bin/env python3\n"
NOT_OFFERED = 3
"""Exit code when the index does not have what the lock names."""

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MACHINES = (
    *(("any", "manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64"),),
    *(("manylinux2014_aarch64", "manylinux_2_17_aarch64"),),
    *(("musllinux_1_2_x86_64",), ("musllinux_1_2_aarch64",)),
)
"""The names that wheels have for one machine and C library. All packages are fetched for the first Python and
machine, whoever builds: their Python files are the same everywhere."""
COMPILED = ("msgspec",)
"""Packages that do not run without their compiled part."""

SERVICES = (
    "cloudtrail", "cloudwatch", "dynamodb", "events", "iam", "kinesis", "lambda", "logs", "pipes", "pricing",
    "s3", "scheduler", "service-quotas", "signin", "sns", "sqs", "sso", "sso-oidc", "stepfunctions", "sts",
)  # fmt: skip
"""Directories of botocore's models: what lambdatop calls, and what credential providers call."""

_UNUSED = (".so", ".pyd", ".pyx", ".pxd", ".pxi", ".pyi", ".c", ".h", ".scm")
_LICENCES = re.compile(r"[^/]+\.dist-info/(METADATA|LICEN[CS]E[^/]*|NOTICE[^/]*|licenses/.+)")
_LOCKED = re.compile(r"^([a-z0-9.-]+)==(\S+)((?:\s*\\\n\s+--hash=sha256:[0-9a-f]{64})+)", re.MULTILINE)


class NotOffered(Exception):
    """The index lacks a locked file."""


def main() -> int:
    """Build; 0, or 3 when the index does not offer the locked wheels."""
    parser = argparse.ArgumentParser(description="Build lambdatop.pyz from the lock file.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "lambdatop.pyz")
    parser.add_argument(
        "--wheels", type=Path, help="keep downloads here (default build/wheels-<hash of the lock>)"
    )
    args = parser.parse_args()
    lock = LOCK.read_text(encoding="utf-8")
    wheels = args.wheels or ROOT / "build" / f"wheels-{_sha256(lock.encode())[:16]}"
    try:
        files = contents(checked(fetched(wheels, lock), lock))
    except NotOffered as error:
        sys.stderr.write(f"{error}\n")
        return NOT_OFFERED
    archive = packed(files)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    fresh = args.out.with_name(f"{args.out.name}.new")
    fresh.write_bytes(archive)
    fresh.chmod(0o755)
    fresh.replace(args.out)
    sys.stdout.write(
        f"{args.out.name}: {len(files)} files, {len(archive) / 1e6:.1f} MB, sha256 {_sha256(archive)}\n"
    )
    return 0


def locked(lock: str) -> dict[tuple[str, str], frozenset[str]]:
    """Return the hashes of a lock file by name and version."""
    return {
        (name, version): frozenset(re.findall(r"sha256:([0-9a-f]{64})", hashes))
        for name, version, hashes in _LOCKED.findall(lock)
    }


def fetched(wheels: Path, lock: str) -> list[Path]:
    """Return a wheel for every line of the lock, one for each machine of what is compiled; download them."""
    wheels.mkdir(parents=True, exist_ok=True)
    done = wheels / "complete"
    if not done.exists():
        _download(wheels, LOCK, PYTHONS[0], MACHINES[0])
        compiled = wheels / "compiled.txt"
        compiled.write_text(
            "".join(m[0] + "\n" for m in _LOCKED.finditer(lock) if m[1] in COMPILED), encoding="utf-8"
        )
        for python in PYTHONS:
            for names in MACHINES:
                _download(wheels, compiled, python, names)
        done.touch()
    return sorted(wheels.glob("*.whl"))


def _download(wheels: Path, lock: Path, python: str, names: Sequence[str]) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version", python, "--implementation", "cp"]
    command += [word for abi in (f"cp{python.replace('.', '')}", "abi3", "none") for word in ("--abi", abi)]
    command += [word for name in names for word in ("--platform", name)]
    done = subprocess.run([*command, "-d", str(wheels), "-r", str(lock)], stderr=subprocess.PIPE, text=True)
    if "No matching distribution found" in done.stderr:
        raise NotOffered(
            f"the package index does not offer what requirements/pyz.txt names:\n{done.stderr.strip()}"
        )
    if done.returncode:
        sys.exit(done.stderr)


def checked(wheels: list[Path], lock: str) -> list[Path]:
    """Return the same wheels; the run ends when one is not in the lock, or a line of the lock has none."""
    wanted = locked(lock)
    found = set()
    for wheel in wheels:
        name, version = wheel.name.split("-")[:2]
        key = (re.sub(r"[-_.]+", "-", name).lower(), version)
        if _sha256(wheel.read_bytes()) not in wanted.get(key, frozenset()):
            sys.exit(f"{wheel} is not what requirements/pyz.txt names; remove it and build again")
        found.add(key)
    if missing := wanted.keys() - found:
        sys.exit(f"no wheel for {', '.join('=='.join(key) for key in sorted(missing))}")
    return wheels


def contents(wheels: list[Path]) -> dict[str, bytes]:
    """Return everything to unpack, by path."""
    files = dict(own_files())
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not name.endswith("/") and is_needed(name):
                    data = archive.read(name)
                    if files.setdefault(name, data) != data:
                        sys.exit(f"{wheel.name} would replace {name}")
    return files


def own_files() -> Iterator[tuple[str, bytes]]:
    """Yield the package as a wheel would hold it."""
    for base, inside in ((ROOT / "lambdatop", "lambdatop"), (ROOT / "themes", "lambdatop/_themes")):
        for path in sorted(base.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{inside}/{path.relative_to(base).as_posix()}", path.read_bytes()
    yield "LICENSE-lambdatop", (ROOT / "LICENSE").read_bytes()


def is_needed(name: str) -> bool:
    """Return whether a wheel's file belongs in: Python, data, licences, `COMPILED`; no foreign commands."""
    top, _, rest = name.partition("/")
    if top.endswith(".dist-info"):
        return _LICENCES.fullmatch(name) is not None
    if top in COMPILED and name.endswith(".so"):
        return True
    if top.endswith(".data") or name.endswith(_UNUSED) or name.startswith("textual/demo/"):
        return False
    if name.startswith("botocore/data/"):
        parts = rest.split("/")[1:]
        return len(parts) == 1 or (parts[0] in SERVICES and not parts[-1].startswith("examples-"))
    return True


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return archive: a starter, a list of what must be there, and the content as a zip file of its own."""
    tools = ROOT / "tools"
    starters = {"__main__.py": "pyz_main.py", "pyz_start.py": "pyz_start.py"}
    outer = {inside: (tools / name).read_bytes() for inside, name in starters.items()}
    digest = hashlib.sha256()
    for name, data in [*outer.items(), *sorted(files.items())]:
        digest.update(f"{name}\0{_sha256(data)}\n".encode())
    sizes = {name: len(data) for name, data in sorted(files.items())}
    compiled = sorted({name.partition(".")[0] for name in files if name.endswith(".so")})
    whole = {"hash": digest.hexdigest()[:32], "files": sizes, "compiled": compiled}
    manifest = json.dumps(whole, separators=(",", ":"))
    outer |= {"manifest.json": manifest.encode(), "content.zip": _zip(files)}
    return SHEBANG + _zip(outer, stored=("content.zip",))


def _zip(files: Mapping[str, bytes], stored: tuple[str, ...] = ()) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _time())
            entry.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3
            archive.writestr(entry, data, compresslevel=9)
    return buffer.getvalue()


def _time() -> tuple[int, int, int, int, int, int]:
    """Return the time; zip files know none before 1980."""
    given = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "0")))
    return given[:6] if given[0] >= 1980 else (1980, 1, 1, 0, 0, 0)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
