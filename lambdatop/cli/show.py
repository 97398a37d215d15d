"""Print a snapshot, a plan or a refusal in the form that was asked for."""

from __future__ import annotations

from lambdatop.cli import stdio
from lambdatop.domain.plans.plan import Proposal
from lambdatop.domain.state.snapshot import Snapshot
from lambdatop.domain.units import plural
from lambdatop.report.text.plan import proposal_text
from lambdatop.report.text.snapshot import snapshot_text


def show(snapshot: Snapshot, form: str) -> None:
    """Print a snapshot as JSON or text, and on stderr what is missing in it."""
    if form == "json":
        from lambdatop.report.json.snapshot import snapshot_json

        stdio.document(snapshot_json(snapshot))
    else:
        stdio.data(snapshot_text(snapshot))
    note_gaps(snapshot)


def note_gaps(snapshot: Snapshot) -> None:
    """Name on stderr each source that is not well, and how many reads brought nothing."""
    for source in snapshot.sources:
        if source.state != "ok":
            stdio.message(f"note: {source.name} is {source.state}: {source.error or 'no answer yet'}")
    reads = sum(gap.targets for gap in snapshot.gaps)
    if reads:
        were, them = ("was", "it") if reads == 1 else ("were", "them")
        stdio.message(
            f"note: {plural(reads, 'read')} brought nothing or {were} not made; "
            f"the output lists {them} as not seen"
        )


def show_plan(proposal: Proposal, *, as_json: bool) -> None:
    """Print a plan or a refusal as data."""
    if as_json:
        from lambdatop.report.json.snapshot import plan_json

        stdio.document(plan_json(proposal))
    else:
        stdio.data(proposal_text(proposal))
