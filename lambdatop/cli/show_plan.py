"""Print a plan or a refusal."""

from __future__ import annotations

from lambdatop.cli import stdio
from lambdatop.domain.plans.plan import Proposal
from lambdatop.report.text.plan import proposal_text


def show(proposal: Proposal, *, as_json: bool) -> None:
    """Print a plan or a refusal as data."""
    if as_json:
        from lambdatop.report.json.snapshot import plan_json

        stdio.document(plan_json(proposal))
    else:
        stdio.data(proposal_text(proposal))
