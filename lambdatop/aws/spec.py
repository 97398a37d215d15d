"""Describe how a source is read: what makes it, when it is wanted, which harmless read tests permission."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from lambdatop.aws.reads.callers import CallerReads
from lambdatop.aws.sdk.api import Api
from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import Source
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.sources import SourceSpec
from lambdatop.domain.state.events import TargetIdentified

Renewed = Callable[[], TargetIdentified | None]
Trial = tuple[str, str, Mapping[str, Any]]
"""Service, operation and parameters of a read of at most one thing, free of charge."""


class Opened(NamedTuple):
    """What a source is made with: one connection to an account and region.

    `renewed` returns a new identification when the credentials' expiry has changed, else None.
    `identity` is the caller's ARN, "" where it is not known. `reads` are the reads that sources share with
    plans; without them a source makes its own.
    """

    api: Api
    scope: Scope
    settings: Settings
    renewed: Renewed = lambda: None
    identity: str = ""
    reads: CallerReads | None = None

    @property
    def callers(self) -> CallerReads:
        """The reads of what invokes functions."""
        return self.reads or CallerReads(self.api, self.scope)


class CollectorSpec(Struct, frozen=True):
    """Everything that is known of how a source is read; the module that reads it exports one as SPEC.

    `trials` are what `lambdatop doctor` sends to test whether an action is allowed, where the caller may not
    simulate its own permissions. `wanted`: whether the settings allow the source.
    """

    source: SourceSpec
    make: Callable[[Opened], Source]
    trials: tuple[Trial, ...] = ()
    wanted: Callable[[Settings], bool] = lambda settings: True
