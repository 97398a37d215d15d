"""Run the pure tests on every supported Python of this machine beside the one that runs this.

Each gets an environment of its own, `.venv-<version>`, with what requirements/dev.txt locks. A machine
without another Python says so and passes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pythons import VERSIONS, interpreters

ROOT = Path(__file__).resolve().parent.parent
PURE = ("tests/config", "tests/domain", "tests/report", "tests/storage")


def main(arguments: list[str]) -> int:
    """Test each Python, with `arguments` for tools/install.py; return the first exit code that is not 0."""
    own = "{}.{}".format(*sys.version_info)
    others = {version: path for version, path in interpreters().items() if version != own}
    missing = [version for version in VERSIONS if version != own and version not in others]
    if missing:
        sys.stdout.write(f"Not tested, because not on this machine: Python {', '.join(missing)}\n")
    for version, path in others.items():
        python = ROOT / f".venv-{version}" / "bin" / "python"
        installed = python.parent.parent / ".installed"
        lock = ROOT / "requirements" / "dev.txt"
        steps = [
            [path, "-m", "venv", str(python.parent.parent)],
            [str(python), "tools/install.py", *arguments, "dev", "--own", "dev"],
        ]
        if installed.exists() and installed.stat().st_mtime > lock.stat().st_mtime:
            steps = []
        steps.append([str(python), "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *PURE])
        sys.stdout.write(f"Python {version} ({path})\n")
        sys.stdout.flush()
        for step in steps:
            if code := subprocess.run(step, cwd=ROOT).returncode:
                return code
        installed.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
