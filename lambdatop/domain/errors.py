"""Define every failure that lambdatop reports to a person.

LambdatopError                 one sentence that says what happened and what to do
├── UsageError                 exit 2: arguments or configuration
├── RefusedReadOnly            exit 4: a change was asked for in read-only mode
├── TargetNotFound             exit 2: no such function, mapping or queue (or too many)
└── SourceError                exit 1: AWS did not answer as hoped
├── Denied                 names the missing IAM action
├── Throttled              asks for a slower pace
├── CredentialsError       missing, expired or wrong credentials
│   └── IdentityChanged    they were renewed as somebody else's
├── Unreachable            no connection to the endpoint
├── NotThere               the endpoint answers, and does not have this operation
├── NotSupported           AWS does not offer it for this resource
├── NotAnswered            the answer left out what was asked for
└── Missing                the thing does not exist (any more)
"""

from __future__ import annotations


class LambdatopError(Exception):
    """Base: `str(error)` is one clean sentence for a person."""

    exit_code = 1


class UsageError(LambdatopError):
    """Wrong arguments or configuration."""

    exit_code = 2


class TargetNotFound(UsageError):
    """The target does not exist, or several match; `candidates` lists them."""

    def __init__(self, sentence: str, candidates: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.candidates = candidates


class RefusedReadOnly(LambdatopError):
    """A change was asked for in read-only mode."""

    exit_code = 4


class SourceError(LambdatopError):
    """AWS, or the connection to it, failed; `code` is AWS's error code when there was one."""

    state = "failed"

    def __init__(self, sentence: str, *, code: str = "", action: str | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.action = action


class Denied(SourceError):
    """The identity lacks a permission; `action` names it (`lambda:ListFunctions`)."""

    state = "denied"


class Throttled(SourceError):
    """AWS throttled the request."""

    state = "throttled"


class CredentialsError(SourceError):
    """Missing, expired or wrong credentials."""


class IdentityChanged(CredentialsError):
    """The credentials belong to another account or role than when the connection was opened."""


class Unreachable(SourceError):
    """The endpoint cannot be reached."""


class NotThere(SourceError):
    """The endpoint has no such operation: other regions, other servers than AWS."""


class NotSupported(SourceError):
    """AWS does not offer the operation for this resource: logs of some classes."""


class NotAnswered(SourceError):
    """The answer lacks what was asked for."""


class Missing(SourceError):
    """The resource does not exist (any more)."""
