"""Find the Python interpreters of this machine that lambdatop supports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
_SAY = "import os, sys; print('%d.%d' % sys.version_info[:2], os.path.realpath(sys.executable))"


def interpreters() -> dict[str, str]:
    """Return the path of one interpreter of each version found: this one, on the PATH, or beside this one."""
    found = {"{}.{}".format(*sys.version_info): os.path.realpath(sys.executable)}
    beside = Path(sys.base_prefix).parent  # where pyenv and uv keep each version in a folder of its own
    for version in VERSIONS:
        name = f"python{version}"
        folders = [Path(p) for p in os.get_exec_path()] + sorted(beside.glob(f"*{version}*/bin"))
        for path in (folder / name for folder in folders):
            if version not in found and path.is_file():
                ran = subprocess.run([path, "-I", "-c", _SAY], capture_output=True, text=True, timeout=60)
                if ran.returncode == 0 and ran.stdout.startswith(f"{version} "):
                    found[version] = ran.stdout.split(maxsplit=1)[1].strip()
    return found
