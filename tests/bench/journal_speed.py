"""What a long journal costs: start, append, memory, and reading all of it.

    PYTHONPATH=tests python -m bench.journal_speed [ENTRIES] [TARGETS]

Writes ENTRIES changes (intent and outcome, each with fsync only for the measured ones) on TARGETS functions.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fakes.entries import AT, SCOPE, entry

from lambdatop.domain.keys import Key
from lambdatop.storage import secure_files
from lambdatop.storage.journal_file import JournalFile

MEASURED = 500
READ = """
import sys, time, resource
from pathlib import Path
from lambdatop.storage.journal_file import JournalFile
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.perf_counter()
journal = JournalFile(Path(sys.argv[1]))
count = len(journal.read())
if sys.argv[2] == "all":
    count += sum(len(part) for part in journal.older())
seconds = time.perf_counter() - began
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base
print(f"{count:,} entries in {seconds * 1000:,.0f} ms, {grown / 1024:,.0f} MB more")
"""


def change(journal: JournalFile, number: int, targets: int) -> None:
    """Append one applied change."""
    journal.intent(entry(f"{number:036d}", target=Key(SCOPE, "function", f"f{number % targets}")))
    journal.outcome(f"{number:036d}", AT, "applied", "", {"reserved_concurrency": 0})


def main(entries: int, targets: int) -> None:
    """Write, then measure."""
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "j"
        journal, sync = JournalFile(directory), secure_files.sync
        secure_files.sync = lambda fd: None
        began = time.perf_counter()
        for number in range(entries - MEASURED):
            change(journal, number, targets)
        print(f"writing without fsync: {(time.perf_counter() - began) / entries * 500:.2f} ms a record")
        secure_files.sync = sync
        took = []
        for number in range(entries - MEASURED, entries):
            began = time.perf_counter()
            change(journal, number, targets)
            took.append((time.perf_counter() - began) * 500)
        took.sort()
        files = sorted(directory.iterdir())
        print(f"append with fsync: median {took[len(took) // 2]:.2f} ms, 99 of 100 {took[-6]:.2f} ms")
        print(
            f"slowest of {MEASURED}, which began the file anew or waited for the disk: {took[-1] * 2:.1f} ms"
        )
        print(f"{len(files)} files, journal.jsonl {(directory / 'journal.jsonl').stat().st_size:,} bytes")
        print(f"writer's memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
        for what in ("newest", "all"):
            done = subprocess.run(
                [sys.executable, "-c", READ, str(directory), what], capture_output=True, text=True
            )
            print(f"reading {what}: {done.stdout.strip()}{done.stderr}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, int(sys.argv[2]) if len(sys.argv) > 2 else 50)
