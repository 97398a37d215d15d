"""Find the one target that a person means by a name, ARN, UUID or URL."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable

from lambdatop.aws.reads.aliases import DEFAULT_BUS, Aliases, rule_of_arn
from lambdatop.aws.reads.gaps import ENDS_THE_ROUND
from lambdatop.aws.reads.queues import QueueReader
from lambdatop.aws.reads.single_reads import list_mappings
from lambdatop.aws.sdk.api import Api
from lambdatop.aws.targets.callers import WORDS as CALLERS
from lambdatop.aws.targets.callers import Callers, named_by
from lambdatop.domain.errors import Denied, Missing, SourceError, TargetNotFound
from lambdatop.domain.facts.arns import function_arn, partition, queue_arn
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.keys import Key, Scope, parse_arn
from lambdatop.domain.sanitize import clean_line, clean_name

_UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_FUNCTION_NAME = re.compile(r"^[A-Za-z0-9_.-]{1,140}(:(\$LATEST|[A-Za-z0-9_-]+))?$")
"""Dots stand in the names of Lambda@Edge's replicas only, which no one creates by that name."""
_REPLICA = re.compile(r"^([a-z]{2}(?:-[a-z]+)+-\d)\.(.+)$")
_QUEUE_NAME = re.compile(r"^[A-Za-z0-9_-]{1,80}(\.fifo)?$")
_RULE_NAME = re.compile(r"^[.A-Za-z0-9_-]{1,64}$")
_AWS_QUEUE_HOST = re.compile(
    r"^https?://(?:sqs(?:-fips)?\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.(?:amazonaws\.com|api\.aws)",
    re.IGNORECASE,
)
_PARTIAL = re.compile(
    r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(?P<account>\d{12}):)?"
    r"(?P<kind>function:)?(?P<rest>[A-Za-z0-9_-]+(?::(?:\$LATEST|[A-Za-z0-9_-]+))?)"
)
"""What AWS takes in the place of a function's ARN: with parts of it left out (pattern of FunctionName)."""
_NEAREST = 5


class Finder:
    """Finds targets in one scope; every method raises LambdatopError kinds."""

    def __init__(
        self, api: Api, scope: Scope, queues: QueueReader, aliases: Aliases, callers: Callers
    ) -> None:
        self._api = api
        self._scope = scope
        self._queues = queues
        self._aliases = aliases
        self._callers = callers

    async def find(self, target: str, kinds: Collection[str]) -> Key:
        """Find the one thing that `target` means, of these kinds.

        A mapping may also be named by its function or its queue when it is the only one there; an alias, a
        rule, a schedule, a pipe or a state machine by the function that it invokes.
        Raises TargetNotFound with the candidates when several match, with near names when none does.
        """
        text = self._whole(target.strip())
        found = await self._exact(text, kinds)
        if len(found) == 1:
            return found[0]
        if found:
            raise TargetNotFound(
                f"{_shown(text)} can mean several things: name one of {', '.join(map(_label, found))}.",
                tuple(map(_label, found)),
            )
        raise await self._nothing(text, kinds)

    async def _exact(self, text: str, kinds: Collection[str]) -> list[Key]:
        name, wanted = self._name_of(text)
        leads_on = wanted == "function" and bool({"alias", "rule", *CALLERS} & set(kinds))
        if wanted is not None and wanted not in kinds and not leads_on and not _names_mapping(wanted, kinds):
            raise TargetNotFound(f"{_shown(text)} is a {wanted}; this needs a {' or '.join(sorted(kinds))}.")
        found: list[Key] = []
        if "function" in kinds and wanted in (None, "function"):
            found += await self._function(name)
            self._check_whole(text, found, kinds)
        if "queue" in kinds and wanted in (None, "queue"):
            found += await self._queue(name)
        if "mapping" in kinds:
            found += await self._mapping(name, wanted)
        if "alias" in kinds:
            found += await self._alias(text)
        if "rule" in kinds:
            found += await self._rule(text)
        for kind in (kind for kind in CALLERS if kind in kinds):
            found += await self._caller(kind, text, wanted)
        return found

    def _whole(self, text: str) -> str:
        """Return the ARN for a part of one (`123456789012:function:f`, `function:f:live`), else the text."""
        part = _PARTIAL.fullmatch(text)
        if part is None or not (part["region"] or part["account"] or part["kind"]):
            return text
        account, region = part["account"] or self._scope.account, part["region"] or self._scope.region
        return function_arn(Scope(account, region), part["rest"])

    def _check_whole(self, text: str, functions: list[Key], kinds: Collection[str]) -> None:
        """Refuse the name of a version or of an alias for what is about the whole function."""
        arn = parse_arn(text)
        named = arn.resource.removeprefix("function:") if arn else text
        if functions and ":" in named and "alias" not in kinds:
            name = functions[0].id
            raise TargetNotFound(
                f"{_shown(text)} names a version or an alias; this is about the whole function: "
                f"write {name}.",
                (name,),
            )

    def _name_of(self, text: str) -> tuple[str, str | None]:
        """Return the bare name or UUID, and the kind when the spelling leaves no doubt."""
        arn = parse_arn(text)
        if arn is not None:
            self._check_scope(arn.account, arn.region, text)
            if arn.partition not in ("aws", partition(arn.region)):  # some servers write aws everywhere
                words = f"names the partition {clean_name(arn.partition)}; {arn.region} is in"
                raise TargetNotFound(f"{_shown(text)} {words} {partition(arn.region)}.")
            if arn.service == "sqs":
                return arn.resource, "queue"
            if arn.service == "lambda" and arn.resource.startswith("event-source-mapping:"):
                return arn.resource.split(":", 1)[1], "mapping"
            if arn.service == "lambda" and arn.resource.startswith("function:"):
                return arn.name, "function"
            if rule_of_arn(text):
                return arn.resource, "rule"
            if (caller := named_by(text)) is not None:
                return caller[1], caller[0]
            raise TargetNotFound(f"{_shown(text)} is not the ARN of something that can be changed here.")
        if "://" in text:
            return self._queue_of_url(text), "queue"
        if _UUID.match(text.lower()):
            return text.lower(), "mapping"
        if _FUNCTION_NAME.match(text):
            return text.split(":")[0], None
        return text, None

    def _queue_of_url(self, text: str) -> str:
        """Return the queue's name; a URL that names another account or region is refused."""
        parts = text.rstrip("/").rsplit("/", 2)
        if len(parts) != 3 or not parts[1].isdigit():
            raise TargetNotFound(f"{_shown(text)} is not a queue URL (https://host/account/name).")
        host = _AWS_QUEUE_HOST.match(parts[0])
        region = (host.group(1) or host.group(2)).lower() if host else self._scope.region
        self._check_scope(parts[1], region, text)
        return parts[2]

    def _check_scope(self, account: str, region: str, text: str) -> None:
        if (account, region) != (self._scope.account, self._scope.region):
            raise TargetNotFound(
                f"{_shown(text)} belongs to account {clean_name(account)} in {clean_name(region)}, "
                f"this is {self._scope.account} in {self._scope.region}: choose --profile and --region."
            )

    async def _function(self, name: str) -> list[Key]:
        if not _FUNCTION_NAME.match(name):
            return []
        try:
            answer = await self._api.read("lambda", "GetFunctionConfiguration", FunctionName=name)
        except Missing:
            return []
        except (*ENDS_THE_ROUND, Denied):
            raise
        except SourceError:
            if "." not in name:
                raise
            return []  # what takes no such name has no such function; the sentence comes from its list
        return [Key(self._scope, "function", clean_name(str(answer.get("FunctionName") or name)))]

    async def _queue(self, name: str) -> list[Key]:
        if not _QUEUE_NAME.match(name):
            return []
        key = Key(self._scope, "queue", name)
        try:
            await self._queues.url(queue_arn(key))
        except Missing:
            return []
        return [key]

    async def _mapping(self, name: str, wanted: str | None) -> list[Key]:
        if wanted == "mapping":
            try:
                await self._api.read("lambda", "GetEventSourceMapping", UUID=name)
            except Missing:
                return []
            return [Key(self._scope, "mapping", name)]
        matching = [m for m in await list_mappings(self._api, self._scope) if _named_by(m, name, wanted)]
        if len(matching) > 1:
            labels = tuple(_mapping_label(m) for m in sorted(matching, key=lambda m: m.reading_order))
            raise TargetNotFound(
                f"{_shown(name)} has {len(labels)} triggers: name one by its UUID: {'; '.join(labels)}.",
                labels,
            )
        return [m.key for m in matching]

    async def _alias(self, text: str) -> list[Key]:
        """Find `function:alias`, its ARN, or a function with one alias."""
        arn = parse_arn(text)
        function, _, alias = (arn.resource.removeprefix("function:") if arn else text).partition(":")
        if not _FUNCTION_NAME.match(function):
            return []
        try:
            return await self._aliases.find_alias(function, alias or None)
        except Missing:
            return []

    async def _rule(self, text: str) -> list[Key]:
        """Find `bus/rule`, a rule of the default bus, its ARN, or a function that one rule sends to."""
        bus, name = rule_of_arn(text) or (text.rpartition("/")[0] or DEFAULT_BUS, text.rpartition("/")[2])
        if not _RULE_NAME.match(name):
            return []
        try:
            return await self._aliases.find_rule(bus, name)
        except Missing:
            pass
        for function in await self._function(name) if "/" not in text else ():
            arn = await self._api.read("lambda", "GetFunctionConfiguration", FunctionName=function.id)
            return _all_of("rule", function, *await self._aliases.rules_of(str(arn.get("FunctionArn") or "")))
        return []

    async def _caller(self, kind: str, text: str, wanted: str | None) -> list[Key]:
        """Find a schedule, pipe or state machine by its name or ARN, or by a function that it invokes."""
        found = await self._callers.find(kind, text) if wanted in (None, kind) else []
        if found or "/" in text or wanted not in (None, "function"):
            return found
        for key in await self._function(self._name_of(text)[0]):
            return _all_of(kind, key, *await self._callers.invoking(kind, key))
        return []

    async def _nothing(self, text: str, kinds: Collection[str]) -> TargetNotFound:
        if "alias" in kinds and (function := await self._function(self._name_of(text)[0])):
            names = tuple(key.id for key in await self._aliases.find_alias(function[0].id, None))
            has = f"it has {', '.join(names)}" if names else "it has no alias at all"
            return TargetNotFound(f"{function[0].id} has no such alias ({_shown(text)}); {has}.", names)
        name, listed = self._name_of(text)[0], await self._names(kinds)
        bus, _, rule = text.rpartition("/")
        if name in listed or ("rule" in kinds and bus == DEFAULT_BUS and rule in listed):
            raise TargetNotFound(_listed_only(name))
        near = tuple(nearest(name, listed))
        what = " or ".join(words for kind, words in _WORDS.items() if kind in kinds)
        where = f"in {self._scope.account}/{self._scope.region}"
        hint = f": did you mean {', '.join(near)}?" if near else "."
        return TargetNotFound(f"No {what} {_shown(text)} {where}{hint}", near)

    async def _names(self, kinds: Collection[str]) -> set[str]:
        names: set[str] = set()
        if {"function", "alias"} & set(kinds):
            pages = self._api.pages("lambda", "ListFunctions", token="Marker", next_token="NextMarker")
            names |= {str(f.get("FunctionName")) async for p in pages for f in p.get("Functions") or ()}
        if "queue" in kinds:
            pages = self._api.pages("sqs", "ListQueues", token="NextToken", MaxResults=1000)
            names |= {str(u).rsplit("/", 1)[-1] async for p in pages for u in p.get("QueueUrls") or ()}
        if "rule" in kinds:
            pages = self._api.pages("events", "ListRules", token="NextToken")
            names |= {str(r.get("Name")) async for p in pages for r in p.get("Rules") or ()}
        for kind in kinds:
            if (caller := self._callers.of(kind)) is not None:
                names |= await caller.names()
        if "mapping" in kinds:
            for mapping in await list_mappings(self._api, self._scope):
                names |= {mapping.function.id, mapping.source_name}
        return {clean_name(n) for n in names if n}


_WORDS = {
    "function": "function",
    "mapping": "event source mapping",
    "queue": "queue",
    "alias": "alias (FUNCTION:ALIAS)",
    "rule": "EventBridge rule (BUS/RULE, or RULE on the default bus)",
    **CALLERS,
}


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Return at most five names that resemble `name`, those that contain it first."""
    ordered = sorted(names)
    low = name.lower()
    inside = [n for n in ordered if low and low in n.lower()]
    close = difflib.get_close_matches(name, ordered, n=_NEAREST, cutoff=0.6)
    return list(dict.fromkeys((*inside, *close)))[:_NEAREST]


def _all_of(kind: str, function: Key, found: list[Key], hidden: str) -> list[Key]:
    """Return what invokes a function; raises TargetNotFound where there may be others."""
    if found and hidden:
        ids = tuple(key.id for key in found)
        raise TargetNotFound(
            f"{function.id} is invoked by the {kind} {', '.join(ids)}, and perhaps by others "
            f"({hidden.rstrip('.')}): name one.",
            ids,
        )
    return found


def _listed_only(name: str) -> str:
    """Return what to do about a name that is listed and that no request finds."""
    replica = _REPLICA.match(name)
    sentence = f"{_shown(name)} is listed, but a request for it by this name finds nothing"
    if replica is None:
        return f"{sentence}: try again, or name it by its ARN."
    return (
        f"{sentence}: as a replica of Lambda@Edge it is changed where its function is: "
        f"{replica.group(2)} in {replica.group(1)}."
    )


def _names_mapping(wanted: str, kinds: Collection[str]) -> bool:
    return "mapping" in kinds and wanted in ("function", "queue")


def _named_by(mapping: MappingFacts, name: str, wanted: str | None) -> bool:
    by_function = wanted in (None, "function") and mapping.function.id == name
    by_source = wanted in (None, "queue") and mapping.source_name == name
    return by_function or by_source


def _mapping_label(mapping: MappingFacts) -> str:
    return f"{mapping.uuid} ({mapping.label}, {mapping.state})"


def _label(key: Key) -> str:
    return f"{key.kind} {key.id}"


def _shown(text: str) -> str:
    return repr(clean_line(text, 300))
