"""Compute what each function costs per hour now, and which part of that is waste. Pure.

    duration     sum of Duration x memory x price of the architecture
    requests     Invocations x price of a request
    ephemeral    sum of Duration x /tmp above 512 MB
    provisioned  allocated environments x memory, whether they run or not
    durable      operations of durable executions, and the bytes that they write
    logs         IncomingBytes of the log group, by share of invocations where several functions write there
    waste        the largest share of work that failed or was done again x what it costs to run:
                 Errors / Invocations; repeated receives of a queue; attempts of asynchronous events beyond
                 the first. Failed runs are what is repeated, so the shares overlap and are not added up.

Durations of failed and of good runs cannot be told apart by metrics: waste is the rough part of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import fsum

from msgspec.structs import replace

from lambdatop.domain.cooperative import paced
from lambdatop.domain.cost import pricing
from lambdatop.domain.cost.burn import DAY_S, AccountBurn, Burn, hour_ahead, projected, times_of
from lambdatop.domain.cost.prices import BORROWED_FROM, Prices
from lambdatop.domain.facts.durable import METRIC
from lambdatop.domain.facts.event_source_mapping import MappingFacts
from lambdatop.domain.facts.function import FunctionFacts, group_of, writers_by_group
from lambdatop.domain.facts.not_read import NotKnown
from lambdatop.domain.facts.series import MINUTE, SeriesKey, final_end
from lambdatop.domain.figures.context import EvaluationContext
from lambdatop.domain.figures.queue_flow import flow
from lambdatop.domain.figures.rates import Window, window
from lambdatop.domain.keys import Key, Scope

PER_HOUR = 60.0
_IDLE = Burn(wasted=0.0)
LOG_METRIC = "IncomingBytes"


class Burning:
    """The burn of functions in one evaluation context; what several functions share is computed once."""

    def __init__(self, context: EvaluationContext) -> None:
        self._context = context
        self._world = context.world
        self._prices: dict[Scope, Prices] = {}
        self._feeding: dict[Key, list[MappingFacts]] | None = None
        self._logs: dict[tuple[Key, Window], tuple[float, float] | None] = {}

    def prices(self, scope: Scope) -> Prices:
        """Return the prices of one region."""
        if scope not in self._prices:
            at, read = self._world.prices.get(scope, ("", ()))
            own = self._context.settings.prices
            self._prices[scope] = pricing.prices_for(scope.region, own, read, at)
        return self._prices[scope]

    def of(self, facts: FunctionFacts, over: Window | None) -> Burn | None:
        """Return the USD/h of a function over the minutes of `over`; None where its memory is not known.

        `over` None: it did not run, but may still be paid for.
        """
        if not facts.priced:
            return None
        prices = self.prices(facts.key.scope)
        provisioned = self._provisioned(facts, prices)
        besides = self._besides(facts.key)
        if over is None or over.minutes < 1:
            if provisioned is None and not prices.borrowed and not besides:
                return _IDLE
            borrowed = _borrowed(facts, prices, provisioned)
            return Burn(provisioned=provisioned, wasted=0.0, borrowed=borrowed, besides=besides)
        over = self.asked(facts.key, over)
        duration, invocations = self._ran(facts.key, over)
        per_hour = PER_HOUR / over.minutes
        logs, writers = self._ingested(facts, over)
        on_provisioned = self._on_provisioned(facts.key, over, invocations) if provisioned else 0.0
        found = Burn(
            duration=pricing.duration_usd(facts, duration, prices, on_provisioned) * per_hour,
            requests=invocations * prices.request * per_hour,
            ephemeral=pricing.ephemeral_usd(facts, duration, prices) * per_hour,
            provisioned=provisioned,
            logs=None if logs is None else pricing.log_usd(logs * PER_HOUR, prices),
            log_writers=writers,
            running=duration / over.minutes / 60_000,
            durable=self._durable(facts, over),
            besides=besides,
        )
        borrowed = _borrowed(facts, prices, provisioned, found)
        return replace(
            found, wasted=found.usage * self._wasted(facts.key, over, invocations), borrowed=borrowed
        )

    def asked(self, key: Key, over: Window) -> Window:
        """Return as many minutes, ending when durations were last read.

        At times only invocations are counted.
        """
        at = self._world.asked_at(SeriesKey(key, "Duration", "Sum"))
        if at is None:
            return over
        end = min(over.end, final_end(at, self._context.settings.metrics.publish_delay_s))
        return over if end == over.end else Window(end - over.minutes * MINUTE, end)

    def _ran(self, key: Key, over: Window) -> tuple[float, float]:
        duration = self._world.metric(key, "Duration").sum(over.start, over.end)
        return duration, self._world.metric(key, "Invocations").sum(over.start, over.end)

    def _durable(self, facts: FunctionFacts, over: Window) -> float | None:
        """Return the USD/h of durable operations and what they write; None where that was not asked."""
        if not facts.durable:
            return 0.0
        names = [f"{METRIC}{what}" for what in ("Operations", "StorageWrittenBytes")]
        if any(self._world.asked_at(SeriesKey(facts.key, name, "Sum")) is None for name in names):
            return None
        sums = [self._world.metric(facts.key, name).sum(over.start, over.end) for name in names]
        return pricing.durable_usd(*sums) * PER_HOUR / over.minutes

    # -- provisioned concurrency -----------------------------------------------------------------

    def _provisioned(self, facts: FunctionFacts, prices: Prices) -> float | None:
        known = self._world.provisioned.get(facts.key)
        if known is None or isinstance(facts.memory_mb, NotKnown):
            return None
        environments = float(sum(p.allocated for p in known[1]))
        return pricing.provisioned_usd_per_hour(facts, environments, prices)

    def _on_provisioned(self, key: Key, over: Window, invocations: float) -> float:
        """Return share that ran on provisioned concurrency; 0, the dearer price, where that was not read."""
        served = self._world.metric(key, "ProvisionedConcurrencyInvocations").sum(over.start, over.end)
        return min(1.0, served / invocations) if invocations else 0.0

    # -- logs ------------------------------------------------------------------------------------

    def _ingested(self, facts: FunctionFacts, over: Window) -> tuple[float | None, int]:
        """Return the function's own bytes a minute in its log group, and the number of its writers."""
        if not facts.log_group:
            return None, 1
        group = group_of(facts)
        if group not in self._world.metrics_at:
            return None, 1
        if (group, over) not in self._logs:
            self._logs[group, over] = self._group(group, over)
        found = self._logs[group, over]
        writers = len(self.writers(group))
        if found is None:
            return None, writers
        per_min, all_runs = found
        if writers <= 1:
            return per_min, 1
        mine = self._world.metric(facts.key, "Invocations")
        logged = self._log_window(group, over)
        runs = mine.sum(logged.start, logged.end)
        return per_min * (runs / all_runs if all_runs else 1 / writers), writers

    def _group(self, group: Key, over: Window) -> tuple[float, float] | None:
        """Return the group's bytes per minute, and the invocations of all its writers."""
        logged = self._log_window(group, over)
        series = self._world.metric(group, LOG_METRIC)
        if series.times and series.times[0] >= logged.end:
            return None
        runs = sum(
            self._world.metric(w.key, "Invocations").sum(logged.start, logged.end)
            for w in self.writers(group)
        )
        return series.sum(logged.start, logged.end) / logged.minutes, runs

    def _log_window(self, group: Key, over: Window) -> Window:
        """Return as many minutes, ending when the group was last read, which happens less often."""
        settle = self._context.settings.metrics.publish_delay_s
        end = min(over.end, final_end(self._world.metrics_at[group], settle))
        return Window(end - over.minutes * MINUTE, end)

    def writers(self, group: Key) -> Sequence[FunctionFacts]:
        """Return the functions whose lines go to a log group."""
        return writers_by_group(self._world.functions).get(group, ())

    # -- waste -----------------------------------------------------------------------------------

    def feeding(self, function: Key) -> Sequence[MappingFacts]:
        """Return the mappings that feed a function."""
        if self._feeding is None:
            self._feeding = defaultdict(list)
            for mapping in self._world.mappings.values():
                self._feeding[mapping.function].append(mapping)
        return self._feeding.get(function, ())

    def _wasted(self, key: Key, over: Window, invocations: float) -> float:
        """Return the share (0..1) of a function's work that failed or was repeated, by metrics."""
        if not invocations:
            return 0.0
        errors = self._world.metric(key, "Errors").sum(over.start, over.end)
        shares = [errors / invocations]
        for mapping in self.feeding(key):
            if mapping.enabled and mapping.source_queue:
                shares.append(self._received_again(mapping.source_queue))
        shares.append(self._attempted_again(key))
        return min(1.0, max(shares))

    def _besides(self, key: Key) -> tuple[str, ...]:
        """Return what is billed for provisioned pollers, while they are there, used or not.

        Event poller units have a price by the hour (https://aws.amazon.com/lambda/pricing/); how many pollers
        share one is AWS's choice ("Apache Kafka event poller scaling modes in Lambda"), so none is counted.
        """
        held = [m for m in self.feeding(key) if m.pollers]
        if not held:
            return ()
        least, most = (sum(n or 0 for n in all_of) for all_of in zip(*map(_bounds, held), strict=True))
        return (f"event poller units of {least:,} to {most:,} provisioned pollers",)

    def _received_again(self, queue: Key) -> float:
        settings = self._context.settings
        known = min(self._context.now, self._world.metrics_at.get(queue, self._context.now))
        over = window(known, settings.detectors.sqs_redelivery.window_min, settings.metrics)
        seen, history = flow(self._world, queue, over), self._world.queues.get(queue)
        if seen is None:
            return 0.0
        return received_again(seen.received, seen.deleted, history.facts.in_flight if history else 0) or 0.0

    def _attempted_again(self, key: Key) -> float:
        received = self._world.metric(key, "AsyncEventsReceived")
        if not received.times:
            return 0.0
        over = self._context.window(key, self._context.limits.async_amplification.window_min)
        tried = self._world.metric(key, "AsyncEventAge", "SampleCount").sum(over.start, over.end)
        return attempted_again(tried, received.sum(over.start, over.end)) or 0.0


def received_again(received: float | None, deleted: float | None, in_flight: float) -> float | None:
    """Return the share of a queue's receives that are repeats: neither deleted nor in flight."""
    return max(0.0, 1 - ((deleted or 0.0) + in_flight) / received) if received else None


def attempted_again(tried: float, came: float) -> float | None:
    """Return the share of attempts of asynchronous events beyond the first; None where nothing arrived."""
    return max(0.0, (tried - came) / tried) if tried and came else None


def _bounds(mapping: MappingFacts) -> tuple[int, int]:
    least = mapping.kind.least_pollers if mapping.pollers_min is None else mapping.pollers_min
    return least, mapping.pollers_max or 0


_PRICE_OF = {"requests": "request", "ephemeral": "ephemeral_gb_second", "logs": "log_gb"}


def _borrowed(
    facts: FunctionFacts, prices: Prices, provisioned: float | None, found: Burn | None = None
) -> frozenset[str]:
    """Return the names of those of another region's prices that contribute to the total."""
    durable = {"durable"} if found is not None and found.durable and prices.region != BORROWED_FROM else set()
    if not prices.borrowed:
        return frozenset(durable)
    suffix = "arm64" if facts.architecture == "arm64" else "x86"
    counts = {f"provisioned_{suffix}", f"provisioned_run_{suffix}"} if provisioned else set()
    if found is not None:
        counts |= {price for part, price in _PRICE_OF.items() if getattr(found, part)}
        counts |= {f"gb_second_{suffix}"} if found.duration else set()
    return prices.borrowed & counts | durable


def account_burn(context: EvaluationContext, burning: Burning, burns: Iterable[Burn | None]) -> AccountBurn:
    """Return the total over functions with known metrics, its projection, and how it compares."""
    every = list(burns)
    known = [burn for burn in every if burn is not None]
    world, settings = context.world, context.settings
    scope = next(iter(world.targets), None) or next(iter(world.functions_at), Scope("", ""))
    until = hour_ahead(settings.burn.until, context.now)
    # Most of a large account does not run: it adds nothing, but that it is known.
    busy = [burn for burn in known if burn is not _IDLE]
    parts = _summed([*busy, _IDLE] if len(busy) < len(known) else busy)
    then = world.burn_history.get(scope)
    over = window(context.now, settings.metrics.rate_min, settings.metrics)
    running = running_at_once(context, scope, over) if known and then else None
    return AccountBurn(
        usd_per_hour=parts.total if known else None,
        wasted_usd_per_hour=parts.wasted if known else None,
        parts=parts,
        counted=len(known),
        functions=len(every),
        projected_usd=projected(parts.total, context.now, until) if known else None,
        until=until,
        vs_yesterday=times_of(running, then.running(context.now - DAY_S) if then else None),
        vs_week=times_of(running, then.running(context.now - 7 * DAY_S) if then else None),
        prices=burning.prices(scope),
        times=settings.metrics.times,
    )


def _summed(burns: Sequence[Burn]) -> Burn:
    # fsum, because the order of the rows must not change the total.
    def sum_of(values: Iterable[float | None]) -> float | None:
        known = [v for v in values if v is not None]
        return fsum(known) if known else None

    return Burn(
        duration=fsum(b.duration for b in burns),
        requests=fsum(b.requests for b in burns),
        ephemeral=fsum(b.ephemeral for b in burns),
        provisioned=sum_of(b.provisioned for b in burns),
        logs=sum_of(b.logs for b in burns),
        wasted=sum_of(b.wasted for b in burns),
        running=fsum(b.running for b in burns),
        borrowed=frozenset().union(*(b.borrowed for b in burns)),
        durable=sum_of(b.durable for b in burns),
    )


def running_at_once(context: EvaluationContext, scope: Scope, over: Window) -> float:
    """Return concurrent executions.

    The account's own metric where it was read, else the sum over functions.
    """
    world = context.world
    values = world.metric(Key(scope, "account", scope.account), "Duration").window(over.start, over.end)
    ran = (
        sum(values)
        if values
        else sum(
            world.metric(key, "Duration").sum(over.start, over.end)
            for key in paced(world.functions, context.give_way, 500)
            if key.scope == scope and key in world.series
        )
    )
    return ran / over.minutes / 60_000
