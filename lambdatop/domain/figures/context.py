"""Hold what a detector reads: the World at one moment, its final minutes, and former findings.

A detector reads its evaluation context and nothing else. Three rules live here, so that none can forget them:

- A minute is final once it lies in the past by the publishing delay and, for a function, its timeout: a
  datapoint carries the start of an invocation that may still run. Younger minutes are never read, so
  they neither raise a finding nor clear one.
- The window ends where the metrics were last fetched, not at the clock: while a collector fails, findings
  stand on the last figures instead of clearing on missing ones.
- A finding that stands is measured against a lower threshold (`clear_factor`): it does not flicker.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct, field

from lambdatop.domain.cooperative import GiveWay, no_pause, paced
from lambdatop.domain.facts.function import FunctionFacts
from lambdatop.domain.facts.series import MINUTE, final_end
from lambdatop.domain.figures.rates import Window
from lambdatop.domain.keys import Key
from lambdatop.domain.plans.finding import Finding, Severity
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.settings.thresholds import DetectorSettings
from lambdatop.domain.state.snapshot import QuotaRow
from lambdatop.domain.state.world import World


class EvaluationContext(Struct, frozen=True):
    """The World at `now` (s since the epoch), and the findings of the last round by detector and target.

    `only` is what can differ from the last round, None for all. `quotas` are the rows of the quotas of this
    round where they were made already. `evaluated` is what `functions` gives, `asked_about` what `measured`
    does; `give_way` is called again and again on the way. `ends` fills with the first minute that is not
    final yet (s since the epoch), by function, queue, stream or account.
    """

    world: World
    now: float
    settings: Settings
    standing: Mapping[tuple[str, Key], Severity] = field(default_factory=lambda: MappingProxyType({}))
    only: Collection[Key] | None = None
    quotas: tuple[QuotaRow, ...] | None = None
    give_way: GiveWay = no_pause
    evaluated: tuple[tuple[Key, FunctionFacts], ...] = ()
    asked_about: tuple[tuple[Key, FunctionFacts], ...] = ()
    ends: dict[Key, int] = field(default_factory=dict)

    @property
    def limits(self) -> DetectorSettings:
        """Thresholds."""
        return self.settings.detectors

    def functions(self) -> Iterable[tuple[Key, FunctionFacts]]:
        """Return the functions to evaluate: those that changed or have a finding.

        For detectors that judge each function by its own facts, series, log, triggers and account limit:
        about any other function they would repeat what they stated before.
        """
        return paced(self.evaluated, self.give_way)

    def measured(self) -> Iterable[tuple[Key, FunctionFacts]]:
        """Return those of `functions` that CloudWatch was ever asked about.

        A third of a large account, or none yet. For detectors that state nothing without a point of a metric.
        """
        return paced(self.asked_about, self.give_way)

    def window(self, key: Key, minutes: int) -> Window:
        """Return the last `minutes` final minutes of a function, queue, stream or account."""
        end = self.ends.get(key)
        if end is None:
            fetched = self.world.metrics_at.get(key, self.now)
            end = self.ends[key] = final_end(min(self.now, fetched), self.settle_s(key))
        return Window(end - minutes * MINUTE, end)

    def published(self, key: Key, minutes: int) -> Window:
        """Return the last `minutes` final minutes and the younger ones that are published.

        What no run belongs to (a throttle, a discarded event) counts there already: only the stamp of a run
        is that of its start (Lambda developer guide, "Types of metrics for Lambda functions").
        """
        fetched = self.world.metrics_at.get(key, self.now)
        end = final_end(min(self.now, fetched), self.settings.metrics.publish_delay_s)
        return Window(self.window(key, minutes).start, end)

    def settle_s(self, key: Key) -> float:
        """Return how old (s) a minute must be to be final.

        Publishing delay, plus the timeout of a function.
        """
        metrics = self.settings.metrics
        facts = self.world.functions.get(key)
        return metrics.publish_delay_s + (facts.longest_run_s * metrics.times if facts else 0.0)

    def log_since(self, minutes: int) -> float:
        """Start of the last `minutes` by the stamps of log lines (s since the epoch).

        Log lines carry the clock's time, which published minutes outrun in the demo.
        """
        return self.now - minutes * MINUTE / self.settings.metrics.times

    def stands(self, detector: str, key: Key, at_least: Severity = "info") -> bool:
        """Return whether `detector` stated a finding of this severity or worse about `key` last round."""
        severity = self.standing.get((detector, key))
        return severity is not None and _RANK[severity] >= _RANK[at_least]

    def limit(self, detector: str, key: Key, threshold: float, severity: Severity = "warning") -> float:
        """Return `threshold`, lowered by the clear factor while a finding of that severity stands."""
        return threshold * self.limits.clear_factor if self.stands(detector, key, severity) else threshold


def asked_from(context: EvaluationContext, facts: FunctionFacts) -> int | None:
    """Return the first minute for which a function's counters were asked (s since the epoch).

    A minute since then without a point had no invocation. None before the first answer, and where the
    function may not have existed all the time: when it was made is not told, only when it was changed.
    """
    fetched = context.world.metrics_at.get(facts.key)
    if fetched is None or facts.last_modified is None:
        return None
    begin = int(fetched - context.settings.metrics.history_min * MINUTE) // MINUTE * MINUTE + MINUTE
    return begin if facts.last_modified <= begin else None


_RANK: Mapping[Severity, int] = {"info": 0, "warning": 1, "critical": 2}


def evaluation_context(
    world: World,
    now: float,
    settings: Settings,
    previous: Iterable[Finding] = (),
    changed: Collection[Key] | None = None,
    quotas: tuple[QuotaRow, ...] | None = None,
    give_way: GiveWay = no_pause,
) -> EvaluationContext:
    """Return the evaluation context of a round that follows one with the findings `previous`.

    `changed` is what may differ since that round, None for all.
    """
    standing = {f.identity: f.severity for f in previous}
    only = None if changed is None else dict.fromkeys((*changed, *(key for _, key in standing)))
    functions, series = world.functions, world.series
    keys = paced(functions if only is None else only, give_way)
    evaluated = tuple((key, functions[key]) for key in keys if key in functions)
    asked_about = tuple(pair for pair in paced(evaluated, give_way) if pair[0] in series)
    return EvaluationContext(
        world, now, settings, MappingProxyType(standing), only, quotas, give_way, evaluated, asked_about
    )
