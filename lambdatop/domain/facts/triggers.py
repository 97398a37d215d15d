"""How a function is invoked besides its event source mappings, and what becomes of a failed event.

Push triggers are read from the function's resource policy: whoever may call it, may be a trigger. Callers
with a role need no such permission: `callers.py` has those that can be listed; SDK callers cannot be.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from lambdatop.domain.facts.not_read import NOT_ASKED, NotKnown
from lambdatop.domain.keys import Key

Invocation = Literal["stream poll", "queue poll", "broker poll", "push async", "push sync", "unknown"]
"""Who repeats a failed event: Lambda per shard, the queue or broker, Lambda's own queue, only the caller."""

MAX_RETRIES = 2
MAX_EVENT_AGE_S = 21_600
"""Defaults of an asynchronous invocation (model of PutFunctionEventInvokeConfig), s for the age."""


class AsyncConfig(Struct, frozen=True):
    """Event-invoke config of a function; None for settings that are not set."""

    max_retries: int | None = None
    max_age_s: int | None = None
    on_failure_arn: str | None = None
    on_success_arn: str | None = None


class PushTrigger(Struct, frozen=True):
    """One statement of a resource policy: `kind` is s3, sns, eventbridge, apigateway, alb, url, … or other.

    `source_arn` is "" where the statement names none; `principal` is as the policy spells it.
    """

    kind: str
    invocation: Invocation
    source_arn: str
    principal: str


EDGE = (
    "Lambda@Edge: replicas run in other regions, with their metrics, throttles and logs (log group "
    "/aws/lambda/us-east-1.NAME there); whether a limit set here reaches them is not known; removing the "
    "association from the distribution stops them"
)
"""CloudFront developer guide, "Test and debug Lambda@Edge functions": logs and metrics are in the region
closest to where a replica ran. The permission may also stand in the policy of the version alone, which is not
read: a function without such a caller may run at the edge all the same."""
_NOTES = {
    "edgelambda.amazonaws.com": EDGE,
    "replicator.lambda.amazonaws.com": EDGE,
    "apigateway.amazonaws.com": "API Gateway: throttling of its stage or route limits such calls alone",
}


def principal_note(principal: str) -> str:
    """Return what a person should know of calls by a service principal, "" for nothing special."""
    return _NOTES.get(principal.strip().lower(), "")


class FunctionTriggers(Struct, frozen=True):
    """What one function's own configuration says of its callers and of its failed events.

    `async_config` is empty for a function that has none of its own. `recursive_loop` is Terminate or Allow.
    `policy_bytes` is the size of the resource policy, 0 without one, None where it was not read. `push_left`
    is how many more triggers it allows at most than `push` holds, which is bounded.
    """

    function: Key
    async_config: AsyncConfig | NotKnown = NOT_ASKED
    push: tuple[PushTrigger, ...] | NotKnown = ()
    recursive_loop: str | NotKnown = NOT_ASKED
    policy_bytes: int | None = None
    push_left: int = 0

    @property
    def unread(self) -> tuple[NotKnown, ...]:
        """What of it could not be read."""
        parts: tuple[object, ...] = (self.async_config, self.push, self.recursive_loop)
        return tuple(part for part in parts if isinstance(part, NotKnown))


def never_read(function: Key, unread: NotKnown) -> FunctionTriggers:
    """Return the placeholder for the triggers of a function of which nothing was read yet."""
    return FunctionTriggers(function, unread, unread, unread)


class Edge(Struct, frozen=True):
    """Events go from `source` to `target` (ARNs without a function's qualifier).

    `via` says how: "event source mapping", "redrive policy", "on-failure destination", "on-success
    destination", "dead-letter queue", "subscription", "notification", "rule NAME", "environment variable
    NAME" … `certain` is False where it is only likely: an environment variable that names a queue says
    that the function knows it, not that it writes there.
    """

    source: str
    target: str
    via: str
    certain: bool = True


class Reference(Struct, frozen=True):
    """A resource that one of a function's environment variables names; the value itself is not kept."""

    variable: str
    arn: str
