"""Builds AWS-shaped scenes: what a real account would answer, round by round.

A scene has 90 published minutes. The first round comes after 60 of them (its answers hold that history), and
each further minute brings one round. Datapoints appear 95 s after their minute ends, stamped with its start;
log lines after 5 s; dice are seeded by the scene's name, so that a scene is the same in each run.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from random import Random

from msgspec.structs import replace
from scenes.airing import air
from scenes.curves import (
    AWS,
    FIRST,
    LOGGED_FROM,
    MINUTES,
    PUBLISH_S,
    QUICK,
    SCOPE,
    T0,
    ZERO,
    Curve,
    arn,
    poisson,
    when,
)
from scenes.lines import Execution, Raw, Style, new_text, stream_name, uuid
from scenes.scene import Label, Scene

from lambdatop.domain.cost.pricing import memory_mb
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import AccountFacts, FunctionFacts
from lambdatop.domain.facts.queue import QueueFacts
from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key
from lambdatop.domain.loglines.line import LogLine, parse
from lambdatop.domain.plans.finding import Severity
from lambdatop.domain.state import events as ev


class Stage:
    """One scene under construction."""

    def __init__(self, name: str, title: str) -> None:
        self.name, self.title = name, title
        self.dice = Random(name)
        self.account = AccountFacts(1000, 900, 300 << 30, 5 << 30, 8)
        self.functions: dict[Key, list[tuple[float, FunctionFacts]]] = {}
        self.reserved: dict[Key, list[tuple[float, int | None]]] = {}
        self.mappings: dict[Key, list[tuple[float, MappingFacts]]] = {}
        self.queues: dict[Key, QueueFacts] = {}
        self.redrives: dict[Key, list[tuple[float, str]]] = {}
        self.tails: dict[Key, tuple[bool, str]] = {}
        self.failing: tuple[int, int] = (0, 0)
        self.points: dict[SeriesKey, dict[int, list[tuple[float, float]]]] = {}
        self.lines: dict[Key, list[tuple[float, LogLine]]] = defaultdict(list)
        self.extra: list[tuple[float, ev.Event]] = []
        self._must: list[Label] = []
        self._may: list[Label] = []
        self._never: list[Label] = []

    # What there is.

    def function(self, name: str, reserved: int | None = None, **facts: object) -> Key:
        key = Key(SCOPE, "function", name)
        given: dict[str, object] = {
            "runtime": "python3.13",
            "memory_mb": 256,
            "timeout_s": 30,
            "log_group": f"/aws/lambda/{name}",
            "last_modified": when(-3000),
            "code_sha256": "a",
        }
        made = FunctionFacts(key, arn("lambda", f"function:{name}"), **(given | facts))  # type: ignore[arg-type]
        self.functions[key] = [(0.0, made)]
        self.reserved[key] = [(0.0, reserved)]
        return key

    def change(self, key: Key, minute: float, **facts: object) -> None:
        """Add a deployment or configuration change."""
        newest = self.functions[key][-1][1]
        changed = replace(newest, last_modified=when(minute), **facts)
        self.functions[key].append((when(minute), changed))

    def queue(self, name: str, dlq: Key | None = None, receives: int = 5, **facts: object) -> Key:
        key = Key(SCOPE, "queue", name)
        given: dict[str, object] = {
            "visibility_timeout_s": 180,
            "dlq_arn": arn("sqs", dlq.id) if dlq else None,
            "max_receive_count": receives if dlq else None,
        }
        url = f"https://sqs.{SCOPE.region}.amazonaws.com/{SCOPE.account}/{name}"
        made = QueueFacts(key, arn("sqs", name), url, 0.0, 0, 0, 0, **(given | facts))  # type: ignore[arg-type]
        self.queues[key] = made
        return key

    def mapping(self, source: str, function: Key, kind: str = "sqs", **facts: object) -> Key:
        """Add a mapping; `source` is its ARN's last part, in the kind's own form."""
        rests = {"sqs": ("sqs", source), "kinesis": ("kinesis", f"stream/{source}")}
        rests["dynamodb"] = ("dynamodb", f"table/{source}/stream/2026-01-01T00:00:00.000")
        rests["kafka"] = ("kafka", f"cluster/{source}/5f0c-1")
        rests["documentdb"] = ("rds", f"cluster:{source}")
        key = Key(SCOPE, "mapping", uuid(Random(f"{source} {function.id}")))
        given: dict[str, object] = {"state": "Enabled", "batch_size": 10, "last_result": "OK"}
        given |= {"last_modified": when(-3000), "partial_responses": True}
        if kind in ("kinesis", "dynamodb"):
            given |= {"batch_size": 100, "starting_position": "LATEST"}
        function_arn = arn("lambda", f"function:{function.id}")
        made = MappingFacts(key, function, function_arn, arn(*rests[kind]), kind, **(given | facts))  # type: ignore[arg-type]
        self.mappings[key] = [(0.0, made)]
        return key

    def remap(self, key: Key, minute: float, **facts: object) -> None:
        """Add a mapping that changes."""
        newest = self.mappings[key][-1][1]
        self.mappings[key].append((when(minute), replace(newest, **facts)))

    def post(self, minute: float, event: ev.Event) -> None:
        """Add one more event at that minute."""
        self.extra.append((when(minute), replace(event, at=when(minute))))

    # What is measured.

    def series(self, key: Key, metric: str, stat: str, curve: Callable[[int], float | None]) -> None:
        """Add one series; None is a minute without a point."""
        for minute in range(MINUTES):
            value = curve(minute)
            if value is not None:
                self.point(key, metric, stat, minute, value)

    def point(self, key: Key, metric: str, stat: str, minute: int, value: float, late_s: float = 0.0) -> None:
        """Add one datapoint, published `late_s` later than usual; a later one corrects an earlier one."""
        known = self.points.setdefault(SeriesKey(key, metric, stat), {}).setdefault(T0 + 60 * minute, [])
        known.append((when(minute + 1) + PUBLISH_S + late_s, float(value)))
        known.sort()

    def sums(self, key: Key, **metrics: Curve | Sequence[float]) -> None:
        """Add counters by name, with a point in every minute (`Invocations=flat(3)`)."""
        for metric, curve in metrics.items():
            values = curve if callable(curve) else curve.__getitem__
            self.series(key, metric, "Sum", values)

    def traffic(
        self,
        key: Key,
        per_min: Curve,
        errors: Curve = ZERO,
        duration_ms: Curve = QUICK,
        throttles: Curve = ZERO,
        concurrency: Curve | None = None,
    ) -> list[int]:
        """Add invocations by Poisson with their errors and durations; return the invocations of each minute.

        A minute without an attempt has no points at all.
        """
        dice, counts = Random(f"{self.name} {key.id}"), []
        timeout_ms = 1000.0 * self.functions[key][0][1].longest_run_s
        for minute in range(MINUTES):
            runs = poisson(dice, per_min(minute))
            refused = poisson(dice, throttles(minute))
            counts.append(runs)
            if not runs and not refused:
                continue
            mean = duration_ms(minute)
            top = min(timeout_ms, mean * (1.4 + dice.random() * 0.8)) if runs else 0.0
            failed = sum(dice.random() < errors(minute) for _ in range(runs))
            used = max(1.0, math.ceil(runs / 60 * mean / 1000 * 2.5))
            level = concurrency(minute) if concurrency else used
            self._counted(key, minute, runs, failed, refused)
            if runs:
                self.point(key, "Duration", "Maximum", minute, round(top, 1))
                self.point(key, "Duration", "p99", minute, round(min(top, mean * 1.35), 1))
                self.point(key, "Duration", "Sum", minute, round(runs * mean, 1))
                self.point(key, "ConcurrentExecutions", "Maximum", minute, level)
        return counts

    def _counted(self, key: Key, minute: int, runs: int, failed: int, refused: int) -> None:
        for metric, value in (("Invocations", runs), ("Errors", failed), ("Throttles", refused)):
            if value or (runs and metric != "Throttles"):
                self.point(key, metric, "Sum", minute, value)

    def depth(self, queue: Key, visible: Curve, flying: Curve = ZERO, least: Curve | None = None) -> None:
        """Add how full a queue is: by CloudWatch's maxima, by the polled attributes, minimum in flight."""
        self.series(queue, "ApproximateNumberOfMessagesVisible", "Maximum", visible)
        self.series(queue, "ApproximateNumberOfMessagesNotVisible", "Maximum", flying)
        self.series(queue, "ApproximateNumberOfMessagesNotVisible", "Minimum", least or ZERO)

    def flow(self, queue: Key, sent: Curve, received: Curve, deleted: Curve) -> None:
        """Add what goes in and out of a queue a minute."""
        self.sums(queue, NumberOfMessagesSent=sent, NumberOfMessagesReceived=received)
        self.sums(queue, NumberOfMessagesDeleted=deleted)

    # What is logged.

    def say(self, key: Key, lines: Iterable[Raw]) -> None:
        """Add raw log events of a function."""
        tail = self.lines[key]
        for at, stream, text in lines:
            tail.append((at, parse(round(at, 3), f"{key.id}-{len(tail)}", stream, text)))

    def executions(
        self,
        key: Key,
        per_min: Curve,
        style: Style = new_text,
        outcome: Callable[[int, Random], str] = lambda minute, dice: "ok",
        *,
        duration_ms: float = 120.0,
        used_mb: int = 96,
        fresh: Curve = ZERO,
        said: Callable[[str, Random], tuple[str, ...]] = lambda outcome, dice: (),
        version: Callable[[Random], str] = lambda dice: "$LATEST",
    ) -> None:
        """Add executions in three environments; a share `fresh` of them in a new one."""
        dice, facts = Random(f"{self.name} {key.id} log"), self.functions[key][0][1]
        pools: dict[str, list[str]] = {}
        for minute in range(LOGGED_FROM, MINUTES):
            for _ in range(poisson(dice, per_min(minute))):
                which, ended = version(dice), outcome(minute, dice)
                pool = pools.setdefault(which, [stream_name(dice, which) for _ in range(3)])
                cold = dice.random() < fresh(minute)
                if cold:
                    pool[dice.randrange(3)] = new = stream_name(dice, which)
                lasted = duration_ms * (0.7 + 0.6 * dice.random())
                used = round(used_mb * (0.97 + 0.03 * dice.random()))
                run = Execution(
                    when(minute + dice.random()),
                    uuid(dice),
                    new if cold else dice.choice(pool),
                    1000.0 * facts.longest_run_s if ended == "timeout" else lasted,
                    memory_mb(facts),
                    memory_mb(facts) if ended == "oom" else used,
                    ended,
                    round(250 + 200 * dice.random(), 2) if cold else None,
                    said(ended, dice),
                    which,
                )
                self.say(key, style(run))

    # What must be said of it.

    def must(
        self,
        detector: str,
        target: str,
        severity: Severity = "warning",
        minute: float | None = None,
        **more: object,
    ) -> None:
        """Require a finding of the incident; `minute` is when its symptom began."""
        at = None if minute is None else when(minute)
        self._must.append(Label(detector, target, severity, symptom_at=at, **more))  # type: ignore[arg-type]

    def may(self, detector: str, target: str = "*") -> None:
        """Permit a consequence: neither right nor wrong."""
        self._may.append(Label(detector, target))

    def never(self, detector: str, target: str = "*") -> None:
        """Forbid a finding, even as information."""
        self._never.append(Label(detector, target))

    def scene(self) -> Scene:
        """Return the finished scene."""
        return Scene(
            self.name,
            self.title,
            AWS,
            air(self),
            when(FIRST),
            60.0,
            tuple(self._must),
            tuple(self._may),
            tuple(self._never),
        )
