"""What the caller may do: iam:SimulatePrincipalPolicy over every action that a mitigation needs.

Whatever fails here only makes answers unknown: this check is advice, and an identity that may not simulate
its own permissions is not a problem that the console should show as an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from lambdatop.aws.sdk.api import Api
from lambdatop.aws.spec import CollectorSpec
from lambdatop.domain.errors import Denied, Missing, SourceError
from lambdatop.domain.facts.permissions import Permission, Permissions
from lambdatop.domain.keys import Arn, Scope, parse_arn
from lambdatop.domain.mitigations.iam_policy import ANY_NAME, resource_of
from lambdatop.domain.mitigations.registry import iam_actions
from lambdatop.domain.ports.aws import View
from lambdatop.domain.sanitize import clean_line, clean_name
from lambdatop.domain.sources import PERMISSIONS
from lambdatop.domain.state.events import Event, PermissionsObserved

ACTIONS_A_CALL = 100
_KEYS_SHOWN = 4


class PermissionsSource:
    """Simulates the identity that `identity` (an ARN from STS) belongs to; never fails."""

    name = PERMISSIONS.name

    def __init__(self, api: Api, scope: Scope, identity: str, actions: Sequence[str] | None = None) -> None:
        self._api = api
        self._scope = scope
        self._caller = parse_arn(identity)
        self._actions = tuple(iam_actions() if actions is None else actions)
        self._principal = ""

    async def collect(self, view: View) -> Sequence[Event]:
        """Return one complete set of answers."""
        at = self._api.now()
        answers, why = await self._ask()
        everything: dict[str, Permission] = dict.fromkeys(self._actions, "unknown")
        permissions = Permissions(at, everything | answers, why)
        return (PermissionsObserved(self._scope, at, permissions),)

    def pace_floor(self, view: View) -> tuple[float, str]:
        """Return no least pace: the configured pace stands."""
        return 0.0, ""

    async def _ask(self) -> tuple[dict[str, Permission], str]:
        """Return the answers there are, and why there are not more of them."""
        try:
            principal, problem = await self._source_arn()
            if problem:
                return {}, problem
            found = await self._simulated(principal, self._actions, "")
        except SourceError as error:
            return {}, str(error)
        self._principal = principal
        why = await self._narrowed(principal, found)
        return {action: answer for action, (answer, _) in found.items()}, why or _conditions(found)

    async def _source_arn(self) -> tuple[str, str]:
        """Return the ARN that IAM simulates for this caller, or why there is none.

        IAM simulates a session's role, not the session; the role's ARN holds its path.
        """
        caller = self._caller
        if self._principal:
            return self._principal, ""
        kind, _, rest = caller.resource.partition("/") if caller else ("", "", "")
        if caller is None or caller.resource == "root" or not rest:
            who = "the account's root user" if caller and caller.resource == "root" else "this identity"
            return "", f"IAM does not simulate {who}, so nothing is known of its permissions beforehand."
        if caller.service == "iam" and kind in ("user", "role"):
            return _arn_text(caller, caller.resource), ""
        if caller.service == "sts" and kind == "assumed-role":
            return await self._role_arn(caller, rest.partition("/")[0]), ""
        return "", "IAM simulates users and roles only, so nothing is known of this identity's permissions."

    async def _role_arn(self, caller: Arn, name: str) -> str:
        try:
            answer = await self._api.read("iam", "GetRole", RoleName=name)
        except Denied as denied:
            # Role names are unique in an account, so without the path this is the role, or none at all.
            bare = f"arn:{caller.partition}:iam::{caller.account}:role/{name}"
            try:
                await self._simulated(bare, self._actions[:1], "")
            except Missing:
                raise denied from None
            return bare
        return str((answer.get("Role") or {}).get("Arn") or "")

    async def _narrowed(self, principal: str, found: dict[str, tuple[Permission, str]]) -> str:
        """Ask again, for this account's resources, about what is not allowed on every resource.

        A policy that names resources allows nothing on `*`; without this, a policy as narrow as
        lambdatop's own would look like no permission at all. Returns why something is not known.
        """
        narrow: dict[str, list[str]] = {}
        for action, (answer, word) in found.items():
            pattern = self._pattern(action)
            if answer == "no" and word == "implicitDeny" and pattern:
                narrow.setdefault(pattern, []).append(action)
        why = ""
        for pattern, actions in narrow.items():
            try:
                # What IAM does not answer this time is not known, whatever it answered about `*`.
                found |= dict.fromkeys(actions, ("unknown", ""))
                found |= {} if why else await self._simulated(principal, actions, pattern)
            except SourceError as error:
                why = str(error)
        return why

    def _pattern(self, action: str) -> str:
        """Return all resources of this account and region for an action as a pattern, "" when not known."""
        pattern = resource_of(action)
        if pattern == "*" or self._caller is None:
            return ""
        known = {
            "arn:aws:": f"arn:{self._caller.partition}:",
            "REGION": self._scope.region,
            "ACCOUNT_ID": self._scope.account,
        }
        for word, value in (known | dict.fromkeys(ANY_NAME, "*")).items():
            pattern = pattern.replace(word, value)
        return pattern

    async def _simulated(
        self, principal: str, actions: Sequence[str], resource: str
    ) -> dict[str, tuple[Permission, str]]:
        """Return each action's answer, with IAM's decision or the context keys that it lacks."""
        found: dict[str, tuple[Permission, str]] = {}
        region = {
            "ContextKeyName": "aws:RequestedRegion",
            "ContextKeyValues": [self._scope.region],
            "ContextKeyType": "string",
        }
        more: dict[str, Any] = {"ResourceArns": [resource]} if resource else {}
        for some in _portions(actions, ACTIONS_A_CALL):
            async for page in self._api.pages(
                "iam",
                "SimulatePrincipalPolicy",
                token="Marker",
                PolicySourceArn=principal,
                ActionNames=list(some),
                ContextEntries=[region],
                **more,
            ):
                for result in page.get("EvaluationResults") or ():
                    found[clean_name(str(result.get("EvalActionName") or ""))] = _verdict(result)
        asked = {action.lower(): action for action in actions}
        return {asked[name.lower()]: answer for name, answer in found.items() if name.lower() in asked}


SPEC = CollectorSpec(
    source=PERMISSIONS,
    make=lambda opened: PermissionsSource(opened.api, opened.scope, opened.identity),
)


def _verdict(result: Mapping[str, Any]) -> tuple[Permission, str]:
    lacking = list(result.get("MissingContextValues") or ())
    for one in result.get("ResourceSpecificResults") or ():
        lacking += one.get("MissingContextValues") or ()
    if lacking:
        return "unknown", ", ".join(sorted({clean_name(str(key)) for key in lacking}))
    decision = str(result.get("EvalDecision") or "")
    if decision not in ("allowed", "implicitDeny", "explicitDeny"):
        return "unknown", ""
    return ("yes" if decision == "allowed" else "no"), decision


def _conditions(found: Mapping[str, tuple[Permission, str]]) -> str:
    """Return which conditions of the policies a simulation cannot evaluate, "" when there are none."""
    words = (word for answer, word in found.values() if answer == "unknown" and word)
    keys = sorted({key for word in words for key in word.split(", ")})
    if not keys:
        return ""
    more = f" and {len(keys) - _KEYS_SHOWN} more" if len(keys) > _KEYS_SHOWN else ""
    named = f"{', '.join(keys[:_KEYS_SHOWN])}{more}"
    return f"the policy depends on {named}, which a simulation cannot evaluate."


def _portions(actions: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    rest: Iterable[str] = iter(actions)
    while portion := tuple(islice(rest, size)):
        yield portion


def _arn_text(arn: Arn, resource: str) -> str:
    return clean_line(f"arn:{arn.partition}:{arn.service}:{arn.region}:{arn.account}:{resource}", 2048)
