"""Commands and the composition root; the only room that writes to stdout."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run lambdatop's command line and return its exit code; `python -m lambdatop` and the script call it."""
    from lambdatop.cli.run import run

    return run(sys.argv[1:] if argv is None else argv)
