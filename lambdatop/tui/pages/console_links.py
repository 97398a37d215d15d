"""Make addresses of AWS's own web console, of nothing but what was checked. Pure.

An address goes to the terminal, which opens it in a browser that may be logged in to AWS: text of a log or
of an answer never becomes part of one as it came.
"""

from __future__ import annotations

import re

from lambdatop.domain.facts.arns import partition
from lambdatop.domain.keys import Scope
from lambdatop.domain.loglines.tokens import trace_id

HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""The console of each partition, as its own documentation names it:

https://docs.aws.amazon.com/xray/latest/devguide/xray-console-traces.html
https://docs.amazonaws.cn/en_us/xray/latest/devguide/xray-console-traces.html
https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/getting-started-sign-in.html

Of other partitions no public page tells it. The path of a trace is what the console itself shows; no page of
AWS documents it."""

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}")


def trace_link(scope: Scope, id_: str, endpoint: str = "") -> str:
    """Return the address of a trace of X-Ray in the console.

    "" without an id of X-Ray, where no console of the partition is known, and where another `endpoint` than
    AWS's answers: its traces are not in AWS.
    """
    host = HOSTS.get(partition(scope.region), "")
    if endpoint or not host or not trace_id(id_) or not _REGION.fullmatch(scope.region):
        return ""
    return f"https://{host}/cloudwatch/home?region={scope.region}#xray:traces/{id_}"
