"""Resources that a function's environment variables name, and nothing else of their values.

A value may be a secret, so it is looked at and forgotten: only what is an ARN or a queue URL of this form, or
exactly the name of something that is known already, leaves this file, and only as an ARN.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from lambdatop.aws.known import functions, mappings
from lambdatop.domain.ports import View
from lambdatop.domain.scope import Scope, parse_arn
from lambdatop.domain.text import clean_name
from lambdatop.domain.wiring import Reference

_ARN = re.compile(
    r"arn:aws[a-z-]{0,12}:(?:sqs|sns|kinesis|dynamodb|s3|events|lambda):[a-z0-9-]{0,25}:\d{0,12}:"
    r"[A-Za-z0-9_./$:-]{1,256}"
)
_QUEUE_URL = re.compile(
    r"https?://[A-Za-z0-9.-]{1,120}(?::\d{1,5})?/(?P<account>\d{12})/(?P<name>[A-Za-z0-9_-]{1,80}(?:\.fifo)?)"
)
_REGION = re.compile(r"https?://sqs\.([a-z]{2,}(?:-[a-z0-9]+){2,})\.")
_MOST = 20


def known_names(view: View, scope: Scope) -> dict[str, str]:
    """ARNs of functions and of mappings' sources in this scope by name; a name of two things is left out."""
    found: dict[str, str] = {}
    twice = set()
    arns = {f.arn for f in functions(view, scope)} | {m.source_arn for m in mappings(view, scope)}
    for arn in sorted(arns):
        parsed = parse_arn(arn)
        if parsed is None:
            continue
        if found.setdefault(parsed.name, arn) != arn:
            twice.add(parsed.name)
    return {name: arn for name, arn in found.items() if name not in twice}


def references(variables: object, scope: Scope, names: Mapping[str, str]) -> tuple[Reference, ...]:
    """What the variables refer to, by variable name; at most twenty."""
    if not isinstance(variables, dict):
        return ()
    found = ((str(name), _arn(str(value), scope, names)) for name, value in sorted(variables.items()))
    return tuple(Reference(clean_name(name), arn) for name, arn in _first(found) if arn)


def _first(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, arn) for name, arn in pairs if arn][:_MOST]


def _arn(value: str, scope: Scope, names: Mapping[str, str]) -> str:
    if _ARN.fullmatch(value):
        return value
    url = _QUEUE_URL.fullmatch(value)
    if url:
        region = _REGION.match(value)
        where = region.group(1) if region else scope.region
        return f"arn:aws:sqs:{where}:{url['account']}:{url['name']}"
    return names.get(value, "")
