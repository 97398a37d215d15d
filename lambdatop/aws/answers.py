"""What every answer passes before anything else of this program sees it.

Environment values are secrets more often than not: they are dropped. And a page that is not AWS's (a
proxy's login form with status 200) is refused, because the SDK reads it as an answer without members,
which would mean "no functions" or "nothing reserved".
"""

from __future__ import annotations

from typing import Any

from botocore.parsers import ResponseParserError

from lambdatop.domain.errors import Unreachable

HIDDEN = "(hidden)"
JSON = ("json", "rest-json")


def install(session: Any) -> None:
    """Register on a session before its first client."""
    session.register("before-parse", _refuse_foreign, unique_id="lambdatop-foreign")
    session.register("after-call.lambda", _drop_values, unique_id="lambdatop-redact")


def _refuse_foreign(operation_model: Any, response_dict: Any, **_: Any) -> None:
    """Only the ends are looked at: parsing a large answer twice costs more than it finds."""
    body, status = response_dict.get("body"), response_dict["status_code"]
    if 300 <= status < 400:
        raise Unreachable(
            f"{operation_model.name}: the endpoint answered with a redirect (HTTP {status}), which is never "
            "followed; check the endpoint URL and the region."
        )
    if operation_model.service_model.resolved_protocol not in JSON or not isinstance(body, bytes):
        return
    text = body.strip()
    if text and status < 300 and not (text[:1] == b"{" and text[-1:] == b"}"):
        raise ResponseParserError("the endpoint answered with something that is not JSON")


def _drop_values(parsed: Any, **_: Any) -> None:
    if not isinstance(parsed, dict):
        return
    for holder in (parsed, parsed.get("Configuration"), *(parsed.get("Functions") or ())):
        if isinstance(holder, dict):
            _redact(holder)


def _redact(holder: dict[str, Any]) -> None:
    environment = holder.get("Environment")
    if isinstance(environment, dict):
        names = environment.get("Variables") or {}
        holder["Environment"] = {"Variables": dict.fromkeys(names, HIDDEN)}
    code = holder.get("Code")
    if isinstance(code, dict) and "Location" in code:
        code["Location"] = HIDDEN
