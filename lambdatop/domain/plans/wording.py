"""Share words of several plans: values, counts, spans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdatop.domain.facts.function import Reserved
from lambdatop.domain.facts.not_read import NotKnown


def reserved_words(value: Reserved) -> str:
    """Return reserved concurrency in words: absent, 0 and n are three different things."""
    if value is None:
        return "none (unreserved)"
    return "0 (throttled to zero)" if value == 0 else str(value)


def count(many: int, what: str, several: str = "") -> str:
    """Return `1 message`, `2 messages`; a plan writes thousands as they are typed."""
    return f"{many} {what if many == 1 else several or what + 's'}"


def start_words(waiting: int, where: str = "") -> str:
    """Return `about 2 messages wait in orders and are delivered from then on`, `about 1 message waits …`.

    Not "start at once": how many run at the same time depends on what delivers them.
    """
    s, are = ("s", "is") if waiting == 1 else ("", "are")
    return f"about {count(waiting, 'message')} wait{s}{where} and {are} delivered from then on"


def setting_words(settings: Mapping[str, Any]) -> str:
    """Return settings as people type them: `batch_size 5, max_concurrency none, bisect_on_error yes`."""
    return ", ".join(f"{name} {_typed(value)}" for name, value in settings.items())


def _typed(value: Any) -> Any:
    if isinstance(value, Mapping):  # pollers
        low, high = value.get("MinimumPollers"), value.get("MaximumPollers")
        return high if low == high else f"{low}-{high}"
    return (
        {None: "none", True: "yes", False: "no"}[value] if value is None or isinstance(value, bool) else value
    )


def owner_warning(stack: str | NotKnown | None) -> tuple[str, ...]:
    """Return what infrastructure as code will do with a manual change."""
    if not stack or isinstance(stack, NotKnown):
        return ()
    return (f"CloudFormation stack {stack} owns it: its next deployment may put the old value back",)
