"""Commands of `aws` that do the same by hand: kept as arguments, rendered where they are shown."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from msgspec import Struct

from lambdatop.domain.keys import Scope

Words = tuple[str, ...]
"""The arguments of a command behind `aws`, not quoted, without region and place; none for no command."""


class Place(NamedTuple):
    """What a command line needs besides the region to reach the same account at the same endpoint.

    Without it a line copied out of the demo would reach a real account.
    """

    profile: str | None
    endpoint: str

    @property
    def options(self) -> Words:
        """The options of `aws`. Several endpoints come from the environment, where `aws` finds them too."""
        profile = option("--profile", self.profile) if self.profile else ()
        one = self.endpoint and "," not in self.endpoint
        return (*profile, *(option("--endpoint-url", self.endpoint) if one else ()))


NOWHERE_SPECIAL = Place(None, "")


class WayBack(Struct, frozen=True):
    """How a change is taken back: words, the command that does it by hand if there is one, more words."""

    words: str
    command: Words = ()
    then: str = ""


def option(name: str, value: str) -> Words:
    """Return an option of an `aws` command.

    A value like `--debug`, a valid function name, is joined by `=`.
    """
    return (f"{name}={value}",) if value.startswith("-") else (name, value)


def command_line(words: Words, scope: Scope, place: Place) -> str:
    """Return the `aws` command, quoted for a shell; "" for no words."""
    return shlex.join(("aws", *words, "--region", scope.region, *place.options)) if words else ""
