"""A process that writes into the journal as fast as it can: `journal_writer.py DIR SIDE PREFIX COUNT`.

After each intent it appends the id to SIDE, which stands for the call that AWS would see.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(directory: str, side: str, prefix: str, count: int) -> None:
    """Write intents, effects and outcomes."""
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
    from fakes.entries import AT, entry

    from lambdatop.storage.journal_file import JournalFile

    journal = JournalFile(Path(directory))
    effects = os.open(side, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for i in range(count):
        journal.intent(entry(f"{prefix}-{i}"))
        os.write(effects, f"{prefix}-{i}\n".encode())
        journal.outcome(f"{prefix}-{i}", AT, "applied", "", None)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
