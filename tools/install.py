"""Installs what a lock file under `requirements/` names: every file by its hash.

An index that lacks one of the locked versions (a mirror, a later year) would leave the project without tests.
So then, and only then, the ranges count; that is said, and `--locked-only` forbids it. A file whose hash is
wrong is never installed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
ABSENT = ("No matching distribution found", "Could not find a version that satisfies")
WRONG = "DO NOT MATCH THE HASHES"


def main(arguments: list[str]) -> int:
    """Install; pip's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lock", help="name of a lock file, such as dev")
    parser.add_argument("ranges", nargs="*", help="what counts where the index lacks a locked version")
    parser.add_argument("--own", metavar="EXTRAS", help="install this checkout, too, in place")
    parser.add_argument("--locked-only", action="store_true", help="fail where a locked version is missing")
    asked = parser.parse_intermixed_args(arguments)
    lock = ROOT / "requirements" / f"{asked.lock}.txt"
    done = subprocess.run([*PIP, "--require-hashes", "-r", str(lock)], stderr=subprocess.PIPE, text=True)
    sys.stderr.write(done.stderr)
    if done.returncode == 0:
        # The lock holds the build backend too, so nothing more is fetched.
        own = [*PIP, "--no-deps", "--no-build-isolation", "-e", str(ROOT)]
        return subprocess.run(own).returncode if asked.own else 0
    if WRONG in done.stderr or not any(words in done.stderr for words in ABSENT):
        return done.returncode
    lacks = f"This index does not offer every version of requirements/{lock.name}; "
    if asked.locked_only:
        sys.stderr.write(
            f"{lacks}nothing was installed, because LOCKED=only. With `LOCKED=` (empty) versions in the "
            "allowed ranges are installed instead, without hashes: only where you trust the index.\n"
        )
        return done.returncode
    sys.stderr.write(
        f"{lacks}installing what the ranges allow instead, WITHOUT hashes. `make install LOCKED=only` "
        "forbids that.\n"
    )
    own_ranges = ["-e", f"{ROOT}[{asked.own}]"] if asked.own else []
    return subprocess.run([*PIP, *own_ranges, *asked.ranges]).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
