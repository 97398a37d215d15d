"""Print the minimal IAM policy for reading or operating."""

from __future__ import annotations

import argparse
import json

from lambdatop.aws.sdk.walls.allowlist import read_actions
from lambdatop.cli import exit_codes, stdio
from lambdatop.domain.mitigations.iam_policy import PLACEHOLDERS, POLICIES, Policy, PolicyName, policy


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "policy",
        choices=POLICIES,
        metavar="POLICY",
        help=f"{', '.join(POLICIES)}; operator and operator-elevated come on top of read-only",
    )


def run(args: argparse.Namespace) -> int:
    """Print one policy; what must be filled in, and what may be left out, is said on stderr."""
    made = printed_policy(args.policy)
    stdio.document(made.document)
    text = json.dumps(made.document)
    stdio.message(f"note: replace {', '.join(p for p in PLACEHOLDERS if p in text)} before you use it")
    for sid, words in made.optional.items():
        stdio.message(f"note: {sid}: {words}")
    stdio.message("note: in another partition (aws-cn, aws-us-gov, …) replace arn:aws: too")
    if args.policy != "read-only":
        stdio.message("note: attach it beside the read-only policy, which it does not repeat")
    return exit_codes.DONE


def printed_policy(name: PolicyName) -> Policy:
    """Return a policy with the reads of this version."""
    return policy(name, read_actions())
