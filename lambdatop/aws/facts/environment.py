"""Resources that a function's environment variables name, and nothing else of their values.

A value may be a secret, so values are not kept. Only a value that has exactly the form of an ARN or of a
queue URL, or is exactly the name of a known resource, is returned, and only as an ARN. A form that could
hold a secret (a password, a query, an object's path) is not one of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from lambdatop.domain.facts.arns import queue_arn
from lambdatop.domain.facts.triggers import Reference
from lambdatop.domain.graph.nodes import node
from lambdatop.domain.keys import Key, Scope, parse_arn
from lambdatop.domain.sanitize import clean_name

_REGION = r"[a-z]{2,4}(?:-[a-z]{2,10}){1,3}-\d{1,2}"
_HERE = rf"{_REGION}:\d{{12}}"
_RESOURCES = {
    "sqs": rf"{_HERE}:[A-Za-z0-9_-]{{1,80}}(?:\.fifo)?",
    "sns": rf"{_HERE}:[A-Za-z0-9_-]{{1,256}}(?:\.fifo)?",
    "kinesis": rf"{_HERE}:stream/[A-Za-z0-9_.-]{{1,128}}",
    "dynamodb": rf"{_HERE}:table/[A-Za-z0-9_.-]{{3,255}}(?:/stream/[0-9T:.-]{{1,40}})?",
    "events": rf"{_HERE}:event-bus/[A-Za-z0-9_.-]{{1,256}}",
    "lambda": rf"{_HERE}:function:[A-Za-z0-9_-]{{1,64}}(?::(?:\$LATEST|[A-Za-z0-9_-]{{1,128}}))?",
    "states": rf"{_HERE}:stateMachine:[A-Za-z0-9_-]{{1,80}}",
    "s3": r"::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/\*)?",
}
_ARN = re.compile(
    r"arn:aws(?:-[a-z]{2,8}){0,2}:(?:" + "|".join(f"{s}:{r}" for s, r in _RESOURCES.items()) + ")"
)
_QUEUE_URL = re.compile(
    r"https?://"
    rf"(?:(?:vpce-[a-z0-9-]{{1,60}}\.)?sqs(?:-fips)?\.(?P<region>{_REGION})(?:\.vpce)?"
    r"\.(?:amazonaws\.com(?:\.cn)?|api\.aws)"
    rf"|(?:(?P<old>{_REGION})\.)?(?P<legacy>queue)\.amazonaws\.com"
    r"|(?:localhost|127\.0\.0\.1)(?::\d{1,5})?)"
    r"/(?P<account>\d{12})/(?P<name>[A-Za-z0-9_-]{1,80}(?:\.fifo)?)"
)
_MOST = 20
_LONGEST = 600


def is_address(value: object) -> bool:
    """Return whether a value is nothing but the address of a resource: an ARN or a queue's URL."""
    return isinstance(value, str) and len(value) <= _LONGEST and bool(_address(value, ""))


def names_of(arns: Iterable[str]) -> dict[str, str]:
    """Return ARNs by the name of their resource; a name that two resources have is left out."""
    found: dict[str, str] = {}
    twice = set()
    for arn in sorted({node(arn) for arn in arns}):
        parsed = parse_arn(arn)
        if parsed is not None and found.setdefault(parsed.name, arn) != arn:
            twice.add(parsed.name)
    return {name: arn for name, arn in found.items() if name not in twice}


def references(
    variables: Mapping[str, object], scope: Scope, names: Mapping[str, str]
) -> tuple[Reference, ...]:
    """Return what the variables refer to, by variable name; at most twenty. `names` are ARNs by name."""
    found: list[Reference] = []
    for variable, value in sorted(variables.items()):
        if not isinstance(value, str) or len(value) > _LONGEST:
            continue
        arn = _address(value, scope.region) or names.get(value, "")
        if arn:
            found.append(Reference(clean_name(variable), arn))
    return tuple(found[:_MOST])


def _address(value: str, region: str) -> str:
    """Return its ARN, "" for what is not an address. A queue URL without a region is in `region`."""
    if value.startswith("arn:"):
        return node(value) if _ARN.fullmatch(value) else ""
    url = _QUEUE_URL.fullmatch(value) if value.startswith("http") else None
    if url is None:
        return ""
    where = url["region"] or url["old"] or ("us-east-1" if url["legacy"] else region)
    return queue_arn(Key(Scope(url["account"], where), "queue", url["name"]))
