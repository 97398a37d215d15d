"""Print the minimal IAM policy for reading or operating."""

from __future__ import annotations

import argparse
import json
import re
from importlib.resources import files

from lambdatop.cli import codes, streams

POLICIES = ("read-only", "operator", "operator-elevated")
_PLACEHOLDERS = re.compile(
    r"ACCOUNT_ID|\bREGION\b|LAMBDATOP_ROLE_WITH_PATH|SCHEDULER_ROLE_PREFIX|DLQ_NAME_PATTERN|BUCKET_PATTERN"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "policy", choices=POLICIES, help="operator and operator-elevated come on top of read-only"
    )


def run(args: argparse.Namespace) -> int:
    """Print one policy; what must be filled in is said on stderr."""
    text = read_policy(args.policy)
    streams.document(json.loads(text))
    holes = sorted(set(_PLACEHOLDERS.findall(text)))
    if holes:
        streams.say(f"note: replace {', '.join(holes)} before you use it")
    if args.policy != "read-only":
        streams.say("note: attach it beside the read-only policy, which it does not repeat")
    return codes.DONE


def read_policy(name: str) -> str:
    """The text of a policy that lambdatop ships."""
    return files("lambdatop.cli").joinpath("policies", f"{name}.json").read_text(encoding="utf-8")
