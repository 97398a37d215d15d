"""Installs the development environment as `requirements/dev.txt` has it: every file by its hash.

An index that lacks one of the locked versions (a mirror, a later year) would leave the project without tests.
So then, and only then, the ranges of pyproject.toml count; that is said, and `--locked-only` forbids it. A
file whose hash is wrong is never installed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
ABSENT = ("No matching distribution found", "Could not find a version that satisfies")
WRONG = "DO NOT MATCH THE HASHES"


def main() -> int:
    """Install; pip's exit code."""
    lock = ROOT / "requirements" / "dev.txt"
    done = subprocess.run([*PIP, "--require-hashes", "-r", str(lock)], stderr=subprocess.PIPE, text=True)
    sys.stderr.write(done.stderr)
    if done.returncode == 0:
        # The lock holds the build backend too, so nothing more is fetched.
        own = [*PIP, "--no-deps", "--no-build-isolation", "-e", str(ROOT)]
        return subprocess.run(own).returncode
    absent = any(words in done.stderr for words in ABSENT) and WRONG not in done.stderr
    if not absent or "--locked-only" in sys.argv:
        return done.returncode
    sys.stderr.write(
        "This index does not offer every version of requirements/dev.txt; installing what pyproject.toml "
        "allows instead, WITHOUT hashes. `make install LOCKED=only` forbids that.\n"
    )
    return subprocess.run([*PIP, "-e", f"{ROOT}[demo,dev]"]).returncode


if __name__ == "__main__":
    sys.exit(main())
