"""A new connection of somebody else says so, for as long as it stands."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from lambdatop.domain.keys import Scope
from lambdatop.domain.ports.aws import Backend
from lambdatop.domain.state.events import TargetIdentified
from lambdatop.engine.mutating.factory import noticed

ROLE = "arn:aws:sts::1:assumed-role/ops"
FIRST = TargetIdentified(Scope("1", "eu-west-1"), 0.0, f"{ROLE}/one", notice="standing")


def backend(identified: TargetIdentified) -> Backend:
    nothing: Any = None
    return Backend(identified, (), nothing, None, nothing)


def test_the_first_connection_and_another_session_of_the_same_role_say_nothing() -> None:
    assert noticed(None, FIRST) == FIRST
    again = replace(FIRST, identity=f"{ROLE}/two")
    assert noticed(backend(FIRST), again) == again
    unknown = replace(FIRST, identity="")
    assert noticed(backend(unknown), unknown) == unknown


def test_another_account_and_another_role_are_said() -> None:
    other = TargetIdentified(Scope("2", "eu-west-1"), 0.0, "arn:aws:sts::2:assumed-role/ops/one", notice="x")
    assert noticed(backend(FIRST), other).notice == "x · was account 1 before"
    role = replace(FIRST, identity="arn:aws:sts::1:assumed-role/admin/one", notice="")
    assert noticed(backend(FIRST), role).notice == f"was {ROLE}/one before"
