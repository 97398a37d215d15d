"""Refuse to plan on an answer that came from another account or region than the connection's.

Credentials that change hands between two reads bring the state of a namesake. The call itself could not reach
it (it names this account, see `facts/arns.py`), but the plan would state what is not so.
"""

from __future__ import annotations

from lambdatop.domain.facts.arns import is_elsewhere
from lambdatop.domain.keys import Scope
from lambdatop.domain.plans.plan import Refusal
from lambdatop.domain.plans.situation import QueueSituation, Situation

_HINT = "Nothing was sent. See whose the credentials are (lambdatop doctor), and connect anew."


def answered_elsewhere(mitigation: str, scope: Scope, s: Situation) -> Refusal | None:
    """Return why the answers about this target are not of the connection's `scope`; None when they are."""
    if s.ref.key.kind != "mapping" and is_elsewhere(scope, s.ref.arn):  # a mapping's is its UUID
        return _refusal(mitigation, scope, s, s.ref.arn)
    if isinstance(s, QueueSituation) and _owner(s.facts.url) != scope.account:
        return _refusal(mitigation, scope, s, s.facts.url)
    return None


def _owner(url: str) -> str | None:
    """Return the account in a queue's URL (https://host/account/name), the only thing that SQS receives."""
    parts = url.rstrip("/").rsplit("/", 2)
    return parts[1] if len(parts) == 3 else None


def _refusal(mitigation: str, scope: Scope, s: Situation, told: str) -> Refusal:
    reason = f"AWS calls {s.ref.name} {told}, which is not in {scope}, where this connection is."
    return Refusal(mitigation, s.ref, reason, _HINT)
