"""How each mitigation is tried in the fault matrix: its target, its settings, and what was there before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fakes.wire_world import ALIAS, FED, FUNCTION, RULE, STREAMED, WireWorld
from fakes.wire_world_callers import MACHINE, PIPE, SCHEDULE
from fakes.wire_world_changes import Q
from fakes.wire_world_reads import execution


def _as_it_is(world: WireWorld) -> None:
    """Leave the account of `wire_world.py` as it is."""


@dataclass(frozen=True)
class Row:
    """One mitigation on one target; `prepare` makes the account such that there is something to do.

    Of plans in steps the fault may come late: the first `honest` requests are answered as usual.
    """

    mitigation: str
    target: str
    params: Mapping[str, Any] = field(default_factory=dict)
    prepare: Callable[[WireWorld], None] = _as_it_is
    variant: str = ""
    honest: int = 0

    @property
    def name(self) -> str:
        """What the matrix calls it."""
        return f"{self.mitigation} ({self.variant})" if self.variant else self.mitigation


def _disabled(world: WireWorld) -> None:
    world.state["mappings"][FED]["State"] = "Disabled"


def _no_invoke_config(world: WireWorld) -> None:
    world.state["function"]["event_invoke"] = None


def _unreserved(world: WireWorld) -> None:
    world.state["function"]["reserved"] = None


def _provisioned(world: WireWorld) -> None:
    world.state["function"]["provisioned"] = [(ALIAS, 4)]


def _managed(world: WireWorld) -> None:
    config = {"MinExecutionEnvironments": 5, "MaxExecutionEnvironments": 40}
    world.state["function"]["scaling"] = {
        "$LATEST.PUBLISHED": {"config": {}, "state": "Active"},
        "3": {"config": config, "state": "Active"},
        "2": {"config": dict.fromkeys(config, 0), "state": "Deactivated"},
    }


def _durable(world: WireWorld) -> None:
    world.state["function"]["durable"] = True
    world.state["durable_executions"] = {
        execution(name, version): {"status": status, "started": 1.79e9 + number}
        for number, (name, version, status) in enumerate(
            (("a", "$LATEST", "RUNNING"), ("b", "3", "RUNNING"), ("c", "3", "SUCCEEDED"))
        )
    }


def _rule_off(world: WireWorld) -> None:
    world.state["rules"][RULE]["State"] = "DISABLED"


def _pipe_stopped(world: WireWorld) -> None:
    world.state["pipes"][PIPE] |= {"CurrentState": "STOPPED", "DesiredState": "STOPPED"}


_SKIP = {"skip_poison": "yes", "on_failure": Q + "orders-lost"}
_KNOBS = {"max_retry_attempts": 2, "bisect_on_error": True}

ROWS: tuple[Row, ...] = (
    Row("throttle_to_zero", FUNCTION),
    Row("throttle_to_zero", FUNCTION, prepare=_unreserved, variant="nothing reserved"),
    Row("throttle_to_zero", FUNCTION, {"triggers": "first"}, variant="triggers first"),
    Row("throttle_to_zero", FUNCTION, {"triggers": "first"}, variant="at its second step", honest=1),
    Row("throttle_to_zero", FUNCTION, {"provisioned": "remove"}, _provisioned, "provisioned"),
    Row("throttle_to_zero", FUNCTION, {"provisioned": "remove"}, _provisioned, "provisioned, second", 1),
    Row("throttle_to_zero", FUNCTION, prepare=_managed, variant="managed instances"),
    Row("throttle_to_zero", FUNCTION, {}, _managed, "managed instances, second", 1),
    Row("cap_concurrency", FUNCTION, {"reserved": 3}),
    Row("cap_concurrency", FUNCTION, {"reserved": 3}, _managed, "managed instances"),
    Row("restore_concurrency", FUNCTION, {"reserved": "none"}),
    Row("disable_trigger", FED),
    Row("enable_trigger", FED, prepare=_disabled),
    Row("tune_trigger", FED, {"max_concurrency": 2}, variant="queue"),
    Row("tune_trigger", STREAMED, _KNOBS, variant="stream"),
    Row("tune_trigger", STREAMED, _SKIP, variant="skip, at its second step", honest=1),
    Row("stop_async_retries", FUNCTION),
    Row("stop_async_retries", FUNCTION, prepare=_no_invoke_config, variant="nothing set"),
    Row("restore_async", FUNCTION, {"retries": 1}),
    Row("stop_recursion", FUNCTION),
    Row("stop_durable", FUNCTION, {"version": "3"}, _durable, "one execution"),
    Row("stop_durable", FUNCTION, {}, _durable, "at its second execution", 1),
    Row("purge_queue", "orders"),
    Row("quarantine_queue", "orders"),
    Row("quarantine_queue", "orders-dlq", {"to": "orders-aside"}, variant="aside"),
    Row("redrive_dlq", "orders-dlq"),
    Row("rollback_alias", f"{FUNCTION}:{ALIAS}", {"version": "2"}),
    Row("disable_rule", RULE),
    Row("enable_rule", RULE, prepare=_rule_off),
    Row("disable_schedule", SCHEDULE),
    Row("stop_pipe", PIPE),
    Row("start_pipe", PIPE, prepare=_pipe_stopped),
    Row("stop_executions", MACHINE),
    Row("stop_executions", MACHINE, variant="at the second", honest=1),
)
"""What is tried: every mitigation of the registry, some in several shapes."""


def rows() -> Iterator[Row]:
    """Yield what is tried."""
    return iter(ROWS)
