"""Lead from a proposal to its outcome on the command line: show, confirm, execute, report."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambdatop.cli import exit_codes, stdio
from lambdatop.cli.compose import Parts, mitigation_flow
from lambdatop.cli.context import Context
from lambdatop.cli.show import show_plan
from lambdatop.cli.terminal.signals import PatientEnds
from lambdatop.domain.errors import RefusedReadOnly, UsageError
from lambdatop.domain.plans.plan import Plan, Proposal
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.ports.console import Result
from lambdatop.domain.ports.storage import JournalStore
from lambdatop.report.text.plan import proposal_text, result_text

if TYPE_CHECKING:
    from lambdatop.engine.mutating.executor import Executor

Propose = Callable[[Backend, "Executor"], Awaitable[Proposal]]


def refuse_read_only(context: Context) -> None:
    """Stop before anything is connected.

    Raises:
        RefusedReadOnly: this run may not change anything.
    """
    if context.settings.read_only:
        origin = context.loaded.origins["read_only"]
        raise RefusedReadOnly(f"read-only mode ({origin}): nothing was sent; --write allows changes")


def refuse_read_only_account(backend: Backend) -> None:
    """Stop once it is known that the configuration holds this account to read-only.

    Raises:
        RefusedReadOnly: nothing may be changed in this account.
    """
    forced = backend.identified.forced
    if forced:
        raise RefusedReadOnly(f"read-only mode ({forced}): nothing was sent; --write allows changes")


async def carry_out(
    context: Context,
    parts: Parts,
    propose: Propose,
    *,
    confirm: str | None,
    as_json: bool,
    asked_for: str | None = None,
) -> int:
    """Propose, have it confirmed, execute, report; returns the exit code.

    `asked_for` is how the user called the target.
    """
    async with mitigation_flow(context, parts) as (backend, executor):
        refuse_read_only_account(backend)
        refuse_foreign_endpoint(backend)
        await settle_intents(executor)
        proposal = await propose(backend, executor)
        if not isinstance(proposal, Plan):
            show_plan(proposal, as_json=as_json)
            return exit_codes.FAILED
        _refuse_destructive(context, proposal)
        names = await executor.proposals.names_of(proposal)
        if not confirmed(proposal, confirm, asked_for, names):
            stdio.message("not confirmed; nothing was sent")
            return exit_codes.FAILED
        called = tuple(dict.fromkeys(name for name in (asked_for, confirm, *names) if name))
        with PatientEnds(executor) as ends:
            try:
                result = await executor.execute(proposal, parts.clock.now(), called)
            except asyncio.CancelledError:
                if not ends.given_up:
                    raise
                result = _given_up(parts.journal, proposal)
            # Before the connection is closed: whoever interrupts that must not hide what was done.
            _report(result, as_json)
    interrupted = ends.number and result.kind == "not-sent"
    return exit_codes.INTERRUPTED if interrupted else exit_codes.OF_RESULT[result.kind]


def _given_up(journal: JournalStore, plan: Plan) -> Result:
    """Return what the journal shows of a plan whose end nobody waits for any more."""
    own = [e for e in journal.read() if e.id == plan.id or e.id.rpartition(".")[0] == plan.id]
    unsure = [e for e in own if e.outcome in ("open", "unknown")]
    if unsure:
        words = "It was interrupted while the call was on its way: whether it was applied is not known."
        return Result("unknown", words, unsure[-1])
    if any(e.outcome == "applied" for e in own):
        words = "It was interrupted after the call: AWS accepted it; it was not read back."
        return Result("applied" if not plan.steps else "not-sent", words, own[-1])
    return Result("not-sent", "It was interrupted; nothing was sent.")


def refuse_foreign_endpoint(backend: Backend) -> None:
    """Raise UsageError where nothing may be changed, nor the journal by what is answered there."""
    if backend.changes_refused:
        raise UsageError(backend.changes_refused)


async def settle_intents(executor: Executor) -> bool:
    """Find out what became of intents whose end nobody saw, and say so; whether none is left."""
    for entry in await executor.recover():
        stdio.message(f"note: entry {entry.id} ({entry.mitigation} {entry.target.id}): {entry.detail}")
    left = await executor.unsettled()
    for entry in left:
        why = "its process may be at work, its request may still arrive for 2 min, its target may change"
        if entry.outcome == "unknown":
            begins = "AWS accepted it without effect" if entry.accepted else "its answer was lost"
            why = f"{begins}, and its effect may still show within two minutes"
        stdio.message(
            f"note: entry {entry.id} ({entry.mitigation} {entry.target.id}) is still {entry.outcome}: {why}, "
            "or the target could not be read"
        )
    for plan in await executor.halfway():
        stdio.message(f"note: {plan.sentence}")
    return not left


def _refuse_destructive(context: Context, plan: Plan) -> None:
    if plan.tier == "T3" and not context.settings.allow_destructive:
        origin = context.loaded.origins["allow_destructive"]
        raise UsageError(f"{plan.mitigation} cannot be undone, and allow_destructive is false ({origin})")


def confirmed(
    plan: Plan, typed: str | None, asked_for: str | None = None, names: Collection[str] = ()
) -> bool:
    """Return whether somebody confirmed, by `--confirm` or on the terminal.

    Where nothing can be lost (confirm "key"), any unambiguous name of the target will do. An undo also takes
    `names`, those that its change was made with. Raises: UsageError: `--confirm` holds another name, or there
    is neither a name nor a terminal.
    """
    by_key = plan.confirm == "key"
    wanted = plan.target.key.id if by_key else plan.confirm
    if typed is not None:
        own = (plan.target.name, plan.target.arn, asked_for) if by_key else ()
        if typed in (wanted, *own, *names):
            return True
        raise UsageError(f"--confirm {typed!r} does not match; this plan needs --confirm {wanted!r}")
    stdio.words(proposal_text(plan))
    with _ctrl_c_at_once():
        answer = stdio.ask(f"{'Press y and Enter' if by_key else f'Type {wanted}'} to do it: ")
    if answer is None:
        raise UsageError(f"there is no terminal to ask on; confirm with --confirm {wanted!r}")
    return answer.strip() in (("y", "Y") if by_key else (wanted, *names))


@contextmanager
def _ctrl_c_at_once() -> Iterator[None]:
    """Let Ctrl-C interrupt a read from the terminal.

    Asyncio's handler only cancels a task, which does not wake it.
    """
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def _report(result: Result, as_json: bool) -> None:
    """Print how it ended; where that fails it is said on stderr, for the change is made all the same."""
    try:
        if as_json:
            from lambdatop.report.json.snapshot import result_json

            stdio.document(result_json(result))
        else:
            stdio.data(result_text(result))
    except stdio.NotPrinted as error:
        stdio.message(str(error))
        stdio.words(result_text(result))
    if result.kind == "unknown":
        stdio.message("the outcome is not known: see `lambdatop journal --open` before you try again")
    if result.entry is not None and result.entry.can_undo:
        stdio.message(f"undo with: lambdatop undo {result.entry.id}")
