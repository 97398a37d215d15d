"""Filter every answer before anything else of this program reads it.

Environment values are often secrets: they are dropped, except those that are exactly the address of a
resource or the name of a known one (see `facts/environment.py`). And a page that is not
AWS's (a proxy's login form with status 200) is refused, because the SDK reads it as an answer without
members, which would mean "no functions" or "nothing reserved".
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any
from weakref import WeakKeyDictionary

from botocore.parsers import ResponseParserError

from lambdatop.aws.facts.environment import is_address
from lambdatop.aws.facts.resources import SIZE
from lambdatop.aws.facts.schedule_copy import AS_SENT
from lambdatop.aws.sdk.wire.answer_checks import Oddities
from lambdatop.domain.errors import Unreachable

HIDDEN = "(hidden)"
JSON = ("json", "rest-json")
ELSEWHERE = tuple(
    f"<Code>{code}<".encode()
    for code in ("PermanentRedirect", "IllegalLocationConstraintException", "AuthorizationHeaderMalformed")
)
"""Codes of S3 for a bucket in another region, which the SDK would then call there."""


class Values:
    """Which environment values may stay in an answer: addresses, and the `known` names of resources."""

    def __init__(self) -> None:
        self.known: frozenset[str] = frozenset()

    def drop(self, parsed: Any, **_: Any) -> None:
        """Hide every other value, and the link to the code."""
        if not isinstance(parsed, dict):
            return
        listed = [f for f in parsed.get("Functions") or () if isinstance(f, dict)]
        names = self.known | {str(f.get("FunctionName")) for f in listed}
        for holder in (parsed, parsed.get("Configuration"), *listed):
            if isinstance(holder, dict):
                _redact(holder, names)


_VALUES: WeakKeyDictionary[Any, Values] = WeakKeyDictionary()
_ODDITIES: WeakKeyDictionary[Any, Oddities] = WeakKeyDictionary()


def install(session: Any) -> None:
    """Register on a session before its first client."""
    _VALUES[session] = Values()
    session.register("before-parse", _refuse_foreign, unique_id="lambdatop-foreign")
    session.register("before-parse.scheduler.GetSchedule", _keep_as_sent, unique_id="lambdatop-as-sent")
    _ODDITIES[session] = Oddities()
    # First of all hooks: later ones rely on the model's types.
    session.get_component("event_emitter").register_first(
        "after-call", _ODDITIES[session].check, unique_id="lambdatop-sound"
    )
    session.register("after-call.lambda", _VALUES[session].drop, unique_id="lambdatop-redact")


def values_of(session: Any) -> Values:
    """Return what decides about the environment values in this session's answers."""
    return _VALUES[session]


def oddities_of(session: Any) -> Oddities:
    """Return what was left out of this session's answers."""
    return _ODDITIES[session]


def _refuse_foreign(operation_model: Any, response_dict: Any, **_: Any) -> None:
    """Refuse what is not such a document, by its ends only: parsing twice costs more than it finds."""
    body, status = response_dict.get("body"), response_dict["status_code"]
    elsewhere = status >= 300 and operation_model.service_model.service_name == "s3" and _names(body)
    if 300 <= status < 400 or elsewhere:
        raise Unreachable(
            f"{operation_model.name}: the endpoint answered with a redirect (HTTP {status}), which is never "
            "followed; check the endpoint URL and the region.",
            code="redirect",
        )
    if operation_model.service_model.resolved_protocol not in JSON or not isinstance(body, bytes):
        return
    text = body.strip()
    if text and status < 300 and not (text[:1] == b"{" and text[-1:] == b"}"):
        raise ResponseParserError("the endpoint answered with something that is not JSON")


def _keep_as_sent(response_dict: Any, customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Put the JSON of an answer beside what the SDK reads of it: members that its model lacks, too."""
    if response_dict["status_code"] < 300:
        try:
            customized_response_dict[AS_SENT] = json.loads(response_dict["body"])
        except (TypeError, ValueError, RecursionError):
            return  # without it no copy is known to be whole


def _names(body: Any) -> bool:
    return isinstance(body, bytes) and any(code in body for code in ELSEWHERE)


def _size(variables: dict[str, Any]) -> int:
    """Return the bytes of all variables as Lambda measures them against its limit: as JSON without spaces."""
    return len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode(errors="replace"))


def _redact(holder: dict[str, Any], names: Collection[str]) -> None:
    environment = holder.get("Environment")
    if isinstance(environment, dict):
        variables = environment.get("Variables") or {}
        shown = {k: v if v in names or is_address(v) else HIDDEN for k, v in variables.items()}
        holder["Environment"] = {"Variables": shown, SIZE: _size(variables)}
    code = holder.get("Code")
    if isinstance(code, dict) and "Location" in code:
        code["Location"] = HIDDEN
