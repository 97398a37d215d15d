"""Share words of several plans: command lines, values, spans."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from lambdatop.domain.facts.function import Reserved
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.keys import Scope
from lambdatop.domain.plans.plan import Plan, Proposal
from lambdatop.domain.units import span as span


def reserved_words(value: Reserved) -> str:
    """Return reserved concurrency in words: absent, 0 and n are three different things."""
    if value is None:
        return "none (unreserved)"
    return "0 (throttled to zero)" if value == 0 else str(value)


def count(many: int, what: str) -> str:
    """Return `1 message`, `2 messages`."""
    return f"{many} {what}{'' if many == 1 else 's'}"


def start_words(waiting: int, where: str = "") -> str:
    """Return `about 2 messages wait in orders and start at once`, `about 1 message waits …`."""
    s = "s" if waiting == 1 else ""
    return f"about {count(waiting, 'message')} wait{s}{where} and start{s} at once"


def setting_words(settings: Mapping[str, Any]) -> str:
    """Return settings as people type them: `batch_size 5, max_concurrency none, bisect_on_error yes`."""
    typed = {None: "none", True: "yes", False: "no"}
    return ", ".join(
        f"{name} {typed[value] if value is None or isinstance(value, bool) else value}"
        for name, value in settings.items()
    )


def cli(scope: Scope, *words: str) -> str:
    """Return the equivalent `aws` command, quoted for a shell."""
    return shlex.join(("aws", *words, "--region", scope.region))


def option(name: str, value: str) -> tuple[str, ...]:
    """Return an option of an `aws` command.

    A value like `--debug`, a valid function name, is joined by `=`.
    """
    return (f"{name}={value}",) if value.startswith("-") else (name, value)


def same_place(proposal: Proposal, profile: str | None, endpoint: str) -> Proposal:
    """Return the proposal with command lines that use lambdatop's own profile and endpoint.

    Without this a line copied out of the demo would reach a real account. Several endpoints (one per service)
    come from the environment, where `aws` finds them too.
    """
    if not isinstance(proposal, Plan):
        return proposal
    more = option("--profile", profile) if profile else ()
    more += option("--endpoint-url", endpoint) if endpoint and "," not in endpoint else ()
    return _with_words(proposal, more)


def _with_words(plan: Plan, more: tuple[str, ...]) -> Plan:
    steps = tuple(_with_words(step, more) for step in plan.steps)
    lines = [step.cli for step in steps] or [_longer(plan.cli, more)]
    before, command, after = command_in(plan.undo_note)
    note = f"{before} ({_longer(command, more)}){after}" if command else plan.undo_note
    return replace(plan, cli="\n".join(lines), undo_note=note, steps=steps)


def command_in(note: str) -> tuple[str, str, str]:
    """Return text before the `aws` command in parentheses, the command ("" for none), and the text after."""
    before, found, rest = note.partition(" (aws ")
    at = 0
    while at < len(rest) and rest[at] != ")":
        quote = rest[at]
        if quote in ("'", '"'):  # what is quoted may hold a parenthesis
            at = rest.find(quote, at + 1)
            if at == -1:
                return note, "", ""
        at += 1
    return (before, f"aws {rest[:at]}", rest[at + 1 :]) if found else (note, "", "")


def _longer(command: str, more: tuple[str, ...]) -> str:
    """Return a command with more words, parsed and quoted anew."""
    return shlex.join((*shlex.split(command), *more)) if command else ""


def owner_warning(stack: str | NotKnown | None) -> tuple[str, ...]:
    """Return what infrastructure as code will do with a manual change."""
    if not stack or isinstance(stack, NotKnown):
        return ()
    return (f"CloudFormation stack {stack} owns it: its next deployment may put the old value back",)
