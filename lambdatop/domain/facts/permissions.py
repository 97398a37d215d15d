"""Describe what the caller may do, as far as IAM can simulate it; it only advises and blocks nothing.

A simulation knows neither session policies, resource control policies nor what holds at the moment of the
call (MFA, source address, tags), so a "no" hides nothing and a "yes" promises nothing. Answers are about
functions, queues and rules at large: a policy that names single ones may allow more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

Permission = Literal["yes", "no", "unknown"]

SIGNS: Mapping[Permission, str] = {"yes": "yes", "no": "no", "unknown": "?"}
"""Each answer in at most three characters."""


class Permissions(Struct, frozen=True):
    """Answers at `at` (s since the epoch), by IAM action (`lambda:PutFunctionConcurrency`).

    An action that is not in `answers` was not asked about. `why` says in one sentence what stands in the way
    of those that are not known, "" when nothing does.
    """

    at: float
    answers: Mapping[str, Permission]
    why: str = ""

    def of(self, actions: Iterable[str]) -> Permission:
        """Return whether all of these are allowed: no if one is not, unknown if one is unknown.

        No actions give unknown.
        """
        found = {self.answers.get(action, "unknown") for action in actions}
        if "no" in found:
            return "no"
        return "yes" if found == {"yes"} else "unknown"

    def missing(self, actions: Iterable[str]) -> tuple[str, ...]:
        """Return those of the actions that are not allowed, in their order."""
        return tuple(action for action in actions if self.answers.get(action) == "no")

    def words(self, actions: Iterable[str]) -> str:
        """Return one clause for a person, without a full stop."""
        asked = tuple(actions)
        missing = self.missing(asked)
        if missing:
            return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} probably not allowed"
        if self.of(asked) == "yes":
            return "allowed, as far as IAM can simulate it"
        open_ = [action for action in asked if self.answers.get(action, "unknown") == "unknown"]
        if self.why:
            return f"not known: {self.why.rstrip('.')}"
        return f"not known whether {', '.join(open_)} is allowed" if open_ else "not known"
