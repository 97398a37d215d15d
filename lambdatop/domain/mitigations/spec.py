"""Describe a mitigation: what it acts on, what it sends, its key, and when it has nothing to act on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct

from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.keys import Key, Kind
from lambdatop.domain.plans.command import Words
from lambdatop.domain.plans.journal import Entry
from lambdatop.domain.plans.plan import Call, Proposal, Tier

PlanFunction = Callable[[Any, Mapping[str, Any], float, str], Proposal]
Recall = Callable[[Iterable[Entry], Key], Mapping[str, Any]]
"""Makes fields of the situation of the journal's entries and the target."""
Check = Callable[[str, object], object]
"""Parses the value of a setting, by its name; raises UsageError where no target could take it."""
Saves = Literal["runs", "some runs", "runs by a trigger", "runs above a cap", "async attempts", "receives"]
"""What is no longer paid for once a mitigation has been applied; `snapshots/savings.py` computes it."""


class Ask(Struct, frozen=True):
    """What a console asks before it can plan: a question with `{target}`, and an example of an answer.

    With `param` the answer is that setting's value, else it is `K=V`, several apart by blanks.
    """

    question: str
    placeholder: str
    param: str = ""


class UndoCalls(Struct, frozen=True):
    """Calls that take a mitigation back by sending the former state: (service, operation) of each."""

    calls: tuple[tuple[str, str], ...]
    command: Callable[[Call], Words]
    iam: tuple[str, ...]


class MitigationSpec(Struct, frozen=True):
    """Everything that is known of a mitigation; each planner's module exports its own in SPECS.

    `order` is its place in lists. `hotkey` is the key in the console, `label` its word in the footer,
    `does` its line in the help, `footer` how early it stands in the footer (the lowest first).

    `params` names the settings that `--set` accepts, `checks` parse those whose range or choice is known
    before anything of a target is; `ask` is there when it needs one of them. `looks_at`
    are control fields that no other plan needs, read for this one only: the others must not wait for them.
    `queues` are settings that may name a queue; the planner gets its ARN.

    `nothing` says of a function what it lacks where there is no candidate. Of event source mappings only
    those are candidates that are enabled, or not, as `enabled` says; `dead_letters` leaves only the queues
    that are dead-letter queues. `remembers` fills its first setting in from what was there before, by the
    journal. `never_fits` says why it can do nothing to a function of such a configuration, "" where it
    may: a console asks for no value then. `recalls` puts into its situation what it has done to the target
    before. `refused_for_s` is how long SQS refuses it again. `stops` and `starts` say that it is meant to end
    or to begin invocations.
    `saves` is None where it saves nothing by its nature.

    `calls` are all that its plans and their undos send, as (service, operation); nothing else is sent.
    `iam` are the actions that these need and the operator policy allows, `iam_elevated` those that only
    the elevated one allows (what they do cannot be undone, or a role is passed on), `iam_encrypted` what a
    queue with a key of KMS adds, and `iam_of_settings` what only plans with some setting, or of some
    functions, need (the operator policy allows it).

    `undo` are the calls among these that an undo may send. `final` says by operation, of the others and of
    plans without an undo, why nothing takes them back. A call that several mitigations send stands in one of
    them.
    """

    name: str
    order: int
    kind: Kind
    tier: Tier
    summary: str
    plan: PlanFunction
    hotkey: str
    label: str
    does: str
    footer: int
    params: tuple[str, ...] = ()
    checks: tuple[tuple[str, Check], ...] = ()
    ask: Ask | None = None
    looks_at: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    nothing: str = "nothing to act on"
    enabled: bool | None = None
    dead_letters: bool = False
    remembers: bool = False
    never_fits: Callable[[FunctionFacts], str] | None = None
    recalls: Recall | None = None
    refused_for_s: float = 0.0
    stops: bool = False
    starts: bool = False
    saves: Saves | None = None
    calls: tuple[tuple[str, str], ...] = ()
    iam: tuple[str, ...] = ()
    iam_elevated: tuple[str, ...] = ()
    iam_encrypted: tuple[str, ...] = ()
    iam_of_settings: tuple[str, ...] = ()
    undo: tuple[UndoCalls, ...] = ()
    final: tuple[tuple[str, str], ...] = ()

    @property
    def policy(self) -> str:
        """The policy that its plainest plan needs, as `lambdatop policy` names it."""
        return "operator" if self.iam else "operator-elevated"
