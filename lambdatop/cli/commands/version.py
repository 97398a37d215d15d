"""lambdatop version: what `lambdatop --version` prints, and with what it runs."""

from __future__ import annotations

import argparse
import platform
from importlib.metadata import PackageNotFoundError, version

from lambdatop import __version__
from lambdatop.cli import exit_codes, stdio

BESIDE = ("textual", "aiobotocore", "botocore", "msgspec")
"""Packages whose version decides how it behaves."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace) -> int:
    """Print the versions; those that are not known are left out."""
    found = {"lambdatop": __version__, "python": platform.python_version()}
    for name in BESIDE:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # in the single file they have no metadata
            continue
    if args.json:
        stdio.document(found)
    else:
        first, *rest = (f"{name} {number}" for name, number in found.items())
        stdio.data(f"{first} ({', '.join(rest)})\n")
    return exit_codes.DONE
