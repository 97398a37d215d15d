"""Asks pip-audit about every locked version, and does not take silence for a clean bill.

pip-audit skips what its database does not know and still says "No known vulnerabilities found"; with a mirror
that serves no advisories that is everything. Here a package that was not audited fails, with a sentence.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

CLEAN, VULNERABLE, UNKNOWN = 0, 1, 2


def main(argv: Sequence[str]) -> int:
    """Audit each lock file; return 1 with vulnerabilities, 2 when some package could not be audited."""
    tool, *locks = argv
    return max(audit(tool, lock) for lock in locks)


def audit(tool: str, lock: str) -> int:
    """Audit one lock file; return a sentence and an exit code."""
    command = [tool, "--disable-pip", "--no-deps", "--progress-spinner=off", "--format=json", "-r", lock]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        rows = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        sys.stdout.write(f"{lock}: NOT AUDITED, the database could not be asked: {last}\n")
        return UNKNOWN
    skipped = [row["name"] for row in rows if "skip_reason" in row]
    found = [(row["name"], row["version"], v["id"]) for row in rows for v in row.get("vulns", ())]
    for name, version, advisory in found:
        sys.stdout.write(f"{lock}: {name} {version}: {advisory}\n")
    if skipped:
        sys.stdout.write(
            f"{lock}: NOT AUDITED: the database knows nothing about {len(skipped)} of {len(rows)} packages "
            f"({', '.join(skipped[:5])}{', …' if len(skipped) > 5 else ''}).\n"
        )
    if not skipped and not found:
        sys.stdout.write(f"{lock}: {len(rows)} packages audited, no known vulnerability.\n")
    return VULNERABLE if found else UNKNOWN if skipped else CLEAN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
