"""Read aliases and EventBridge rules before a change: single targets that no collector lists."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec.structs import replace

from lambdatop.aws.facts.resources import arn_text, seconds
from lambdatop.aws.reads.callers import CallerReads
from lambdatop.aws.reads.gaps import Gaps, not_known
from lambdatop.aws.reads.single_reads import Parts
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.errors import Denied, NotThere, SourceError
from lambdatop.domain.facts.arns import bus_arn, function_arn
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.keys import Key, Scope, parse_arn
from lambdatop.domain.plans.finding import Ref
from lambdatop.domain.plans.situation import AliasSituation, RuleSituation, VersionFacts
from lambdatop.domain.sanitize import clean_line, clean_name

DEFAULT_BUS = "default"
MOST_BUSES = 100
"""Event buses of a region by default (EventBridge user guide, "Amazon EventBridge quotas")."""
STATES_READ = 5
"""Versions whose state is read, a call each: the newest, to which a rollback usually goes."""


def split_alias(key: Key) -> tuple[str, str]:
    """Return function and alias of an alias key."""
    function, _, alias = key.id.partition(":")
    return function, alias


def split_rule(key: Key) -> tuple[str, str]:
    """Return bus and name of a rule key."""
    bus, _, name = key.id.rpartition("/")
    return bus or DEFAULT_BUS, name


class Aliases:
    """Reads aliases and rules of one scope; every method raises SourceError kinds."""

    def __init__(self, api: Api, scope: Scope, callers: CallerReads | None = None) -> None:
        self._api = api
        self._scope = scope
        self._parts = Parts(api, scope)
        self._callers = callers or CallerReads(api, scope)

    async def alias_state(self, key: Key) -> dict[str, Any]:
        """Read the control fields of an alias."""
        function, alias = split_alias(key)
        return alias_state(await self._get(function_arn(self._scope, function), alias))

    async def rule_state(self, key: Key) -> dict[str, Any]:
        """Read the control fields of a rule."""
        bus, name = split_rule(key)
        answer = await self._describe(bus, name)
        return {"rule_state": clean_name(str(answer.get("State") or ""))}

    async def alias(self, key: Key) -> AliasSituation:
        """Read an alias; itself and the versions are essential."""
        function, alias = split_alias(key)
        gaps, at, parts, owner = Gaps(), self._api.now(), self._parts, Key(self._scope, "function", function)
        read, address = gaps.read, function_arn(self._scope, function)
        answer, versions = await asyncio.gather(self._get(address, alias), self._versions(address))
        mappings, principals, provisioned, stack, looked = await asyncio.gather(
            read("lambda:ListEventSourceMappings", "triggers that bypass it are", parts.mappings_of(owner)),
            read("lambda:GetPolicy", "callers that bypass it are", parts.principals(address, ())),
            read(
                "lambda:ListProvisionedConcurrencyConfigs",
                "provisioned concurrency is",
                parts.provisioned(address),
            ),
            read(
                "lambda:ListTags",
                "whether a stack owns it is",
                parts.stack((arn_text(answer.get("AliasArn")),)),
            ),
            self._callers.of(owner),
        )
        state = alias_state(answer)
        return AliasSituation(
            ref=Ref(key, arn_text(answer.get("AliasArn")), key.id),
            at=at,
            function=owner,
            name=alias,
            version=state["version"],
            weights=tuple(sorted(state["weights"].items())),
            revision_id=state["revision_id"],
            versions=versions,
            bypass=mappings
            if isinstance(mappings, NotKnown)
            else tuple(m for m in mappings if _qualifier(m.function_arn) != alias),
            policy_principals=principals,
            provisioned=provisioned
            if isinstance(provisioned, NotKnown)
            else sum(n for qualifier, n in provisioned if qualifier == alias),
            stack=stack,
            gaps=tuple(gaps.sentences),
            looked_for=looked,
        )

    async def rule(self, key: Key) -> RuleSituation:
        """Read a rule; itself is essential."""
        bus, name = split_rule(key)
        gaps, at = Gaps(), self._api.now()
        answer = await self._describe(bus, name)
        targets = await gaps.read("events:ListTargetsByRule", "what it sends to is", self._targets(bus, name))
        schedule = answer.get("ScheduleExpression")
        return RuleSituation(
            ref=Ref(key, arn_text(answer.get("Arn")), key.id.removeprefix(f"{DEFAULT_BUS}/")),
            at=at,
            name=name,
            bus=bus,
            state=clean_name(str(answer.get("State") or "")),
            managed_by=clean_name(str(answer.get("ManagedBy") or "")),
            schedule=clean_line(str(schedule), 256) if schedule else "",
            targets=targets,
            gaps=tuple(gaps.sentences),
        )

    async def find_alias(self, function: str, alias: str | None) -> list[Key]:
        """Find the alias of a function; without a name, all that it has."""
        names = await self._parts.aliases(function)
        wanted = [n for n in names if alias in (None, n)]
        return [Key(self._scope, "alias", f"{function}:{n}") for n in wanted]

    async def find_rule(self, bus: str, name: str) -> list[Key]:
        """Find the rule of this name on a bus, if there is one."""
        await self._describe(bus, name)
        return [Key(self._scope, "rule", f"{bus}/{name}")]

    async def rules_of(self, *arns: str) -> tuple[list[Key], str]:
        """Find the rules that send to a function or its aliases: of the default bus, and of listed ones.

        The second value says why there may be others, "" where these are all.

        Raises:
            SourceError: none was found, and not every bus was looked at.
        """
        others, unread = await self._other_buses()
        on = [(bus, arn) for bus in (DEFAULT_BUS, *others) for arn in arns]
        lists = await asyncio.gather(*(self._rules_on(bus, arn) for bus, arn in on))
        found = list(dict.fromkeys(key for keys in lists for key in keys))
        if unread is not None and not found:
            raise unread
        return found, str(unread) if unread is not None else ""

    async def _rules_on(self, bus: str, function_arn: str) -> list[Key]:
        on = {} if bus == DEFAULT_BUS else {"EventBusName": bus_arn(self._scope, bus)}
        pages = self._api.pages(
            "events", "ListRuleNamesByTarget", token="NextToken", TargetArn=function_arn, **on
        )
        names = [str(n) async for page in pages for n in page.get("RuleNames") or ()]
        return [Key(self._scope, "rule", f"{bus}/{clean_name(n)}") for n in names]

    async def _other_buses(self) -> tuple[list[str], SourceError | None]:
        """Return the account's own buses, MOST_BUSES at most, and why others were not read, if any."""
        names: list[str] = []
        try:
            async for page in self._api.pages("events", "ListEventBuses", token="NextToken"):
                listed = (clean_name(str(bus.get("Name") or "")) for bus in page.get("EventBuses") or ())
                names += [name for name in listed if name not in ("", DEFAULT_BUS)]
                if len(names) > MOST_BUSES:
                    words = f"Rules of the first {MOST_BUSES} event buses were looked for; there are more."
                    return names[:MOST_BUSES], SourceError(f"{words} Name the rule: BUS/RULE.")
        except (Denied, NotThere) as error:
            return [], error
        return names, None

    async def _get(self, function: str, alias: str) -> dict[str, Any]:
        return await self._api.read("lambda", "GetAlias", FunctionName=function, Name=alias)

    async def _describe(self, bus: str, name: str) -> dict[str, Any]:
        """Read a rule; the bus is named by its ARN, so that no other account's rule of this name is meant."""
        address = bus_arn(self._scope, bus)
        return await self._api.read("events", "DescribeRule", Name=name, EventBusName=address)

    async def _versions(self, function: str) -> tuple[VersionFacts, ...]:
        pages = self._api.pages(
            "lambda", "ListVersionsByFunction", token="Marker", next_token="NextMarker", FunctionName=function
        )
        found = [_version(v) async for page in pages for v in page["Versions"]]
        newest = [v.version for v in found if v.version.isdigit()][-STATES_READ:]
        states = dict(
            zip(newest, await asyncio.gather(*(self._state(function, v) for v in newest)), strict=True)
        )
        return tuple(replace(v, state=states.get(v.version, v.state)) for v in found)

    async def _state(self, function: str, version: str) -> str | NotKnown:
        """Read a version's state: Active, Pending, Inactive or Failed; the list of versions lacks it."""
        try:
            answer = await self._api.read(
                "lambda", "GetFunctionConfiguration", FunctionName=function, Qualifier=version
            )
        except SourceError as error:
            return not_known(error, "lambda", "GetFunctionConfiguration")
        return clean_name(str(answer.get("State") or ""))

    async def _targets(self, bus: str, name: str) -> tuple[str, ...]:
        bus = bus_arn(self._scope, bus)
        pages = self._api.pages("events", "ListTargetsByRule", token="NextToken", Rule=name, EventBusName=bus)
        return tuple([arn_text(t.get("Arn")) async for page in pages for t in page["Targets"]])


def alias_state(answer: dict[str, Any]) -> dict[str, Any]:
    """Return version, weights and revision of a GetAlias answer."""
    weights = (answer.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return {
        "version": clean_name(str(answer.get("FunctionVersion") or "")),
        "weights": {clean_name(str(v)): float(share) for v, share in weights.items()},
        "revision_id": clean_name(str(answer.get("RevisionId") or "")),
    }


def rule_of_arn(text: str) -> tuple[str, str] | None:
    """Return bus and name of a rule's ARN, None for any other."""
    arn = parse_arn(text)
    if arn is None or arn.service != "events" or not arn.resource.startswith("rule/"):
        return None
    bus, _, name = arn.resource.removeprefix("rule/").rpartition("/")
    return bus or DEFAULT_BUS, name


def _version(answer: dict[str, Any]) -> VersionFacts:
    return VersionFacts(
        version=clean_name(str(answer.get("Version") or "")),
        code_sha256=clean_name(str(answer.get("CodeSha256") or "")),
        modified=seconds(answer.get("LastModified")),
        state=clean_name(str(answer.get("State") or "")),
        description=clean_line(str(answer.get("Description") or ""), 100),
        durable=bool(answer.get("DurableConfig")),
    )


def _qualifier(arn: str) -> str | None:
    parsed = parse_arn(arn)
    return parsed.qualifier if parsed else None
