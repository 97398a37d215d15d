"""Words that several plans share: command lines, values, spans."""

from __future__ import annotations

import shlex
from dataclasses import replace

from lambdatop.domain.function import Reserved
from lambdatop.domain.plan import Plan, Proposal
from lambdatop.domain.scope import Scope
from lambdatop.domain.spans import span as span
from lambdatop.domain.unread import NotKnown


def reserved_words(value: Reserved) -> str:
    """Reserved concurrency in words: absent, 0 and n are three different things."""
    if value is None:
        return "none (unreserved)"
    return "0 (throttled to zero)" if value == 0 else str(value)


def cli(scope: Scope, *words: str) -> str:
    """The equivalent `aws` command, quoted for a shell."""
    return shlex.join(("aws", *words, "--region", scope.region))


def same_place(proposal: Proposal, profile: str | None, endpoint: str) -> Proposal:
    """The proposal with command lines that go where lambdatop is connected to.

    Without this a line copied out of the demo would reach a real account. Several endpoints (one per
    service) come from the environment, where `aws` finds them too.
    """
    if not isinstance(proposal, Plan):
        return proposal
    words = ["--region", proposal.scope.region]
    plain = shlex.join(words)
    words += ["--profile", profile] if profile else []
    words += ["--endpoint-url", endpoint] if endpoint and "," not in endpoint else []
    full = shlex.join(words)
    return _with_words(proposal, plain, full)


def _with_words(plan: Plan, plain: str, full: str) -> Plan:
    return replace(
        plan,
        cli=plan.cli.replace(plain, full),
        undo_note=plan.undo_note.replace(plain, full),
        steps=tuple(_with_words(step, plain, full) for step in plan.steps),
    )


def owner_warning(stack: str | NotKnown | None) -> tuple[str, ...]:
    """What infrastructure as code will do with a change made by hand."""
    if not stack or isinstance(stack, NotKnown):
        return ()
    return (f"CloudFormation stack {stack} owns it: its next deployment may put the old value back",)
