"""Archives invoices. What it unpacks into /tmp stays there."""

from __future__ import annotations

import os
import tempfile
from typing import Any

SPACE = 512 * 1024 * 1024
UNPACKED = 96 * 1024 * 1024
FULL_DISK = "/dev/full"
"""Answers every write as a disk without space does; the demo does not fill this machine's."""

DIRECTORY = tempfile.mkdtemp(prefix="invoice-archiver-")
LEFT: list[str] = []


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Unpack one archive. Raises OSError (ENOSPC) when what earlier calls left has filled /tmp."""
    path = os.path.join(DIRECTORY, f"{event['invoice']}.tar")
    used = sum(os.path.getsize(left) for left in LEFT)
    print(f"invoice {event['invoice']}: {used >> 20} MB of {SPACE >> 20} MB used in /tmp")
    if used + UNPACKED > SPACE:
        path = FULL_DISK
    with open(path, "wb", buffering=0) as file:
        file.write(b"invoice")
        file.truncate(UNPACKED)  # A hole: no byte of it is on this machine's disk.
    LEFT.append(path)
    return {"files": len(LEFT)}
