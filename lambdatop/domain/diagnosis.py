"""Describe what `lambdatop doctor` found: checks with a verdict each, and the words for figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct, field

from lambdatop.domain.facts.permissions import Permission, Permissions
from lambdatop.domain.mitigations.iam_policy import PolicyName
from lambdatop.domain.mitigations.registry import REGISTRY
from lambdatop.domain.units import span

Verdict = Literal["ok", "warn", "fail", "unknown"]

GROUPS = ("credentials", "identity", "endpoints", "clock", "permissions", "terminal", "paths", "versions")
"""In the order in which a person wants to read them."""

SKEW_WARNS_S = 60.0
SKEW_FAILS_S = 240.0
"""AWS refuses signatures that are five minutes off; a clock that drifts gets there."""

SLOW_MS = 1_000.0
"""An endpoint that needs longer for its first byte makes every round of the console late."""

EXPIRES_SOON_S = 900.0
ACTIONS_NAMED = 4


class Check(Struct, frozen=True):
    """One line: what was checked, the result, and what to do where it is not ok ("" otherwise)."""

    group: str
    name: str
    state: Verdict
    detail: str
    do: str = ""


class Report(Struct, frozen=True):
    """Everything found at `at` (s since the epoch); `permissions` by IAM action."""

    at: float
    checks: tuple[Check, ...]
    permissions: Mapping[str, Permission] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether any check failed; warnings and what is not known do not count."""
        return any(check.state == "fail" for check in self.checks)

    def grouped(self) -> Iterable[tuple[str, tuple[Check, ...]]]:
        """Return the groups that have checks, in reading order."""
        for group in GROUPS:
            checks = tuple(check for check in self.checks if check.group == group)
            if checks:
                yield group, checks


def skew(seconds: float | None) -> Check:
    """Return the check of this machine's clock against AWS's (s ahead; None when no time was received)."""
    if seconds is None:
        return Check("clock", "skew", "unknown", "no answer told its time")
    # The Date header has whole seconds, so nothing below one says anything.
    words = "less than 1.5 s" if abs(seconds) < 1.5 else f"{abs(seconds):.0f} s"
    way = "" if abs(seconds) < 1.5 else (" ahead of the answers" if seconds > 0 else " behind the answers")
    detail = f"{words}{way}"
    if abs(seconds) < SKEW_WARNS_S:
        return Check("clock", "skew", "ok", detail)
    do = "Set this machine's clock (`timedatectl set-ntp true`): AWS refuses signatures that are 5 min off."
    return Check("clock", "skew", "warn" if abs(seconds) < SKEW_FAILS_S else "fail", detail, do)


def expiry(expires_at: float | None, now: float) -> Check:
    """Return the check of how long the credentials live (s since the epoch)."""
    if expires_at is None:
        return Check("credentials", "expiry", "ok", "no expiry time is given")
    left = expires_at - now
    if left <= 0:
        return Check("credentials", "expiry", "fail", "expired", "Log in again.")
    words = f"in {span(left)}"
    if left < EXPIRES_SOON_S:
        return Check("credentials", "expiry", "warn", words, "Log in again before you change anything.")
    return Check("credentials", "expiry", "ok", words)


def permission_checks(
    answers: Mapping[str, Permission], policies: Mapping[PolicyName, Iterable[str]], why: str = ""
) -> tuple[Check, ...]:
    """Return one check for each policy; `why` explains the ones that are not known.

    A missing permission to read is a gap on the screen, one to change is a choice: neither fails.
    """
    checks = []
    for name, asked in policies.items():
        actions = tuple(asked)
        denied = [a for a in actions if answers.get(a) == "no"]
        unknown = [a for a in actions if answers.get(a, "unknown") == "unknown"]
        allowed = len(actions) - len(denied) - len(unknown)
        detail = f"{allowed} yes, {len(denied)} no, {len(unknown)} unknown"
        if denied:
            do = f"No: {_named(denied)}. `lambdatop policy {name}` prints what to allow."
            state: Verdict = "warn" if name == "read-only" else "ok"
            checks.append(Check("permissions", name, state, detail, do if state == "warn" else ""))
        elif unknown:
            do = f"Not known: {why.rstrip('.')}." if why else ""
            checks.append(Check("permissions", name, "unknown", detail, do))
        else:
            checks.append(Check("permissions", name, "ok", detail))
    return tuple(checks)


def mitigation_checks(answers: Mapping[str, Permission]) -> tuple[Check, ...]:
    """Return one check each for mitigations that are allowed, that are denied, and that are not known.

    An action that only some of its plans need (an encrypted queue, a drain) does not count against it.
    """
    found: dict[Permission, list[str]] = {"yes": [], "no": [], "unknown": []}
    for name, one in REGISTRY.items():
        needed = Permissions(0.0, answers)
        actions = one.iam or one.iam_elevated
        missing = needed.missing(actions)
        found[needed.of(actions)].append(f"{name} ({', '.join(missing)})" if missing else name)
    rows: tuple[tuple[Permission, str, Verdict], ...] = (
        ("yes", "mitigations allowed", "ok"),
        ("no", "not allowed", "ok"),
        ("unknown", "not known", "unknown"),
    )
    return tuple(
        Check("permissions", title, state, ", ".join(found[answer]))
        for answer, title, state in rows
        if found[answer]
    )


def _named(actions: list[str]) -> str:
    more = f" and {len(actions) - ACTIONS_NAMED} more" if len(actions) > ACTIONS_NAMED else ""
    return f"{', '.join(actions[:ACTIONS_NAMED])}{more}"
