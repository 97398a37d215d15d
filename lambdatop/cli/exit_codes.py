"""Define the exit codes."""

from __future__ import annotations

DONE = 0
FAILED = 1
USAGE = 2
FAIL_ON_MET = 3
READ_ONLY = 4
UNKNOWN = 5
INTERRUPTED = 130

OF_RESULT = {
    "applied": DONE,
    "refused": FAILED,
    "not-sent": FAILED,
    "drift": FAILED,
    "expired": FAILED,
    "read-only": READ_ONLY,
    "unknown": UNKNOWN,
}
"""Exit code of each `ResultKind`."""
