"""Compose plans of several plans in order: confirmed once, each with a journal entry of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from msgspec.structs import replace

from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.not_read import NOT_ASKED, NotKnown
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.mitigations.triggers import plan_disable_trigger
from lambdatop.domain.plans.command import WayBack
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.plan import Plan, Refusal, Wait
from lambdatop.domain.plans.situation import MappingSituation

DISABLED_WITHIN_S = 600.0
"""AWS takes 80 to 90 s as a rule; terraform waits for ten minutes."""


def in_steps(
    mitigation: str, target: Ref, title: str, steps: Sequence[Plan], *, confirm: str, lost: str = ""
) -> Plan:
    """Return one plan made of several; losses, warnings and permissions of each are kept, once.

    The whole has the most severe tier of its steps. `lost` replaces what the steps state.
    """
    begin, last = steps[0], steps[-1]
    # No surer than that of the step whose events may be lost sooner.
    unsure = any(s.deadline_latest is not None for s in steps)
    first = _first(chain(*((s.deadline, s.deadline_latest) for s in steps)))
    return replace(
        begin,
        id=begin.id.rpartition(".")[0],
        mitigation=mitigation,
        target=target,
        title=title,
        tier=max(step.tier for step in steps),
        before={},
        after={},
        undo=None,
        way_back=WayBack("every step is undone by itself, the newest first (u, or lambdatop undo)"),
        lost=lost or "; ".join(_once(s.lost for s in steps)),
        in_flight="; ".join(_once(s.in_flight for s in steps)),
        takes_effect="; ".join(_once(s.takes_effect for s in steps)),
        confirm=confirm,
        command=(),
        iam_actions=_once(chain.from_iterable(s.iam_actions for s in steps)),
        blast_radius=_once(chain.from_iterable(s.blast_radius for s in steps)),
        warnings=_once(chain.from_iterable(s.warnings for s in steps)),
        unknowns=_once(chain.from_iterable(s.unknowns for s in steps)),
        alternatives=(),
        transient=(),
        deadline=None if unsure else first,
        deadline_latest=first if unsure else None,
        wait=None,
        steps=(*steps[:-1], replace(last, wait=None)),
    )


def _first(moments: Iterable[float | None]) -> float | None:
    return min((at for at in moments if at is not None), default=None)


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def step_id(plan_id: str, number: int) -> str:
    """Return the id of a step, and so of its journal entry: the plan's id and its number, from 1."""
    return f"{plan_id}.{number}"


_UNQUALIFIED = 6
"""Colons in the ARN of a function without a version or an alias."""


def disable_steps(
    mappings: Sequence[MappingFacts],
    queue_of: Callable[[str], QueueFacts | NotKnown],
    now: float,
    plan_id: str,
    oldest_age_s: float | NotKnown = NOT_ASKED,
    dead_letters: bool | NotKnown = NOT_ASKED,
    timeout_s: int | NotKnown = NOT_ASKED,
) -> tuple[Plan, ...] | Refusal:
    """Return steps that disable these queue triggers, sent beside each other, then waited for together.

    A Refusal where one cannot be switched now: AWS takes a minute and more for each, so one after the other
    would leave the last ones running for long.

    `queue_of` gives the source of an ARN, or why it was not read, `oldest_age_s` the age of the oldest
    message, `dead_letters` whether these are other queues' failures, and `timeout_s` how long the function
    may run, which a version or an alias may have otherwise.
    """
    steps: list[Plan] = []
    for mapping in mappings:
        ref = Ref(mapping.key, mapping.uuid, mapping.label)
        queue = queue_of(mapping.source_arn)
        runs_s = timeout_s if mapping.function_arn.count(":") == _UNQUALIFIED else NOT_ASKED
        situation = MappingSituation(
            ref, now, mapping, queue, oldest_age_s=oldest_age_s, dead_letters=dead_letters, timeout_s=runs_s
        )
        step = plan_disable_trigger(situation, {}, now, step_id(plan_id, len(steps) + 1))
        if isinstance(step, Refusal):
            return step
        words = f"until {ref.name} is Disabled"
        more = len(steps) + 1 < len(mappings)
        steps.append(replace(step, wait=Wait(words, DISABLED_WITHIN_S, with_next=more)))
    return tuple(steps)
