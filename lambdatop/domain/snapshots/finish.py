"""Finish a plan: all that a planner cannot know is put in here, and nowhere else. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from lambdatop.domain.plans.command import Place
from lambdatop.domain.plans.plan import Plan, Proposal
from lambdatop.domain.snapshots.savings import saving
from lambdatop.domain.state.snapshot import Snapshot


def finished(
    proposal: Proposal, place: Place, changes_refused: str, latest: Snapshot | None = None
) -> Proposal:
    """Return the proposal as a person sees it and the executor carries it out; a refusal unchanged.

    `place` is where the commands by hand have to go. `changes_refused` ("" for no reason) is why nothing may
    be changed there: the plan may be read, and warns first of all. What it saves is by the `latest` snapshot.
    """
    if not isinstance(proposal, Plan):
        return proposal
    return replace(
        proposal,
        place=place,
        steps=tuple(replace(step, place=place) for step in proposal.steps),
        warnings=(changes_refused, *proposal.warnings) if changes_refused else proposal.warnings,
        saves=saving(proposal, latest) if latest else None,
    )
