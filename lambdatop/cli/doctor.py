"""Check credentials, permissions, endpoints and terminal (not in this version)."""

from __future__ import annotations

import argparse

from lambdatop.domain.errors import NotInThisVersion


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments, as they will be."""
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace) -> int:
    """Say that it is not there.

    Raises:
        NotInThisVersion: always.
    """
    raise NotInThisVersion(
        "doctor is not in this version; `lambdatop snapshot` shows the state of each source"
    )
