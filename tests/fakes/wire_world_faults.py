"""The columns of the fault matrix that need no process of their own, and what may be said after each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fakes.wire_stub import Body, Fault, Hang, Redirect, Reset
from fakes.wire_world import Trouble, WireWorld

Words = frozenset[str]
REFUSED, NOT_SENT, UNKNOWN = frozenset({"refused"}), frozenset({"not-sent"}), frozenset({"unknown"})
APPLIED = frozenset({"applied"})
RETRIED = frozenset(
    {
        "TooManyRequestsException",
        "ThrottlingException",
        "com.amazonaws.sqs#RequestThrottled",
        "ResourceInUseException",
        "ResourceConflictException",
    }
)
"""Refusals after which the very same call may be sent again: it cannot have been applied."""
MOST_SENDS = 3
LOGIN_PAGE = Body(b"<html><form>please log in</form></html>", "text/html")
_THROTTLED = {"sqs": "com.amazonaws.sqs#RequestThrottled", "events": "ThrottlingException"}


@dataclass(frozen=True)
class WireFault:
    """A column: the trouble of each request, through which connection, and the words that are true after it.

    `words` hold for a change that can be read back, `blind` for one that leaves nothing to read.
    """

    name: str
    trouble: Callable[[WireWorld], Callable[[int], Trouble]]
    words: Words
    blind: Words
    via: str = "plain"


def _always(trouble: Trouble) -> Callable[[WireWorld], Callable[[int], Trouble]]:
    return lambda world: lambda number: trouble


def _refusal(code: str, status: int) -> Callable[[WireWorld], Callable[[int], Trouble]]:
    return _always(Trouble(False, Fault(code, status=status)))


def _throttled(first: int) -> Callable[[WireWorld], Callable[[int], Trouble]]:
    """Throttle the first so many requests, in the words of their service."""

    def make(world: WireWorld) -> Callable[[int], Trouble]:
        def trouble(number: int) -> Trouble:
            service = world.requests[-1].service
            code = _THROTTLED.get(service, "TooManyRequestsException")
            return Trouble(False, Fault(code, status=429)) if number <= first else Trouble()

        return trouble

    return make


def _both(name: str, answer: object, via: str = "plain") -> tuple[WireFault, WireFault]:
    """Return an ambiguous answer: once the change was made, once it was not."""
    told = answer if answer is not None else Hang()
    done, not_done = Trouble(True, told), Trouble(False, told)  # type: ignore[arg-type]
    return (
        WireFault(f"{name}, not applied", _always(not_done), UNKNOWN, UNKNOWN, via),
        WireFault(f"{name}, applied", _always(done), APPLIED, UNKNOWN, via),
    )


def wire_faults(elsewhere: str) -> tuple[WireFault, ...]:
    """Return all of them; `elsewhere` is the URL of another host, which redirects point at."""
    return (
        WireFault("connection refused", _always(Trouble()), NOT_SENT, NOT_SENT, "dead"),
        WireFault("connect timeout", _always(Trouble()), NOT_SENT, NOT_SENT, "silent"),
        *_both("timeout", Hang(), "hasty"),
        WireFault("timeout, applied late", lambda w: lambda number: w.late(), UNKNOWN, UNKNOWN, "hasty"),
        WireFault("429", _throttled(100), REFUSED, REFUSED),
        WireFault("429 once", _throttled(1), REFUSED | APPLIED, REFUSED | APPLIED),
        WireFault("409 conflict", _refusal("ResourceConflictException", 409), REFUSED, REFUSED),
        WireFault("400 in use", _refusal("ResourceInUseException", 400), REFUSED, REFUSED),
        WireFault("412", _refusal("PreconditionFailedException", 412), REFUSED, REFUSED),
        *_both("500", Fault("ServiceException", status=500)),
        *_both("reset", Reset()),
        WireFault("expired token", _refusal("ExpiredTokenException", 403), REFUSED, REFUSED),
        WireFault("access denied", _refusal("AccessDeniedException", 403), REFUSED, REFUSED),
        WireFault("redirect", _always(Trouble(False, Redirect(elsewhere))), UNKNOWN, UNKNOWN),
        *_both("garbage", LOGIN_PAGE),
        *_both("cut short", Body(b'{"Res', announced=900)),
    )
