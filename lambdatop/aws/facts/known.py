"""Return what the World already knows of one scope: the resources that a source asks about.

The engine decides which source waits for which at the start; a source asks about what it finds here.
"""

from __future__ import annotations

from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import View


def functions(view: View, scope: Scope) -> tuple[FunctionFacts, ...]:
    """Return the functions of the scope."""
    return tuple(f for f in view.world.functions.values() if f.key.scope == scope)


def mappings(view: View, scope: Scope) -> tuple[MappingFacts, ...]:
    """Return the event source mappings of the scope."""
    return tuple(m for m in view.world.mappings.values() if m.key.scope == scope)


def queues(view: View) -> tuple[QueueFacts, ...]:
    """Return the queues read so far, those of other accounts that feed this scope included."""
    return tuple(h.facts for h in view.world.queues.values())
