from __future__ import annotations

import asyncio
import math

import pytest
from fakes.clock import FakeClock, settle
from fakes.entries import SCOPE
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdatop.aws.reads.metric_data import POINTS_PER_TURN
from lambdatop.config.schema import BY_PATH
from lambdatop.domain.settings.settings import Limits
from lambdatop.engine.rate_limiter import TokenBuckets, mutating, urgent
from lambdatop.engine.spend_meter import SpendMeter


class Caller:
    """Takes tokens and remembers when it got them."""

    def __init__(self, clock: FakeClock, buckets: TokenBuckets) -> None:
        self.clock = clock
        self.buckets = buckets
        self.got: list[tuple[float, str]] = []
        self.tasks: list[asyncio.Task[None]] = []

    def ask(self, name: str, api: str = "lambda", *, now: bool = False) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self._take(name, api, now))
        self.tasks.append(task)
        return task

    async def _take(self, name: str, api: str, now: bool) -> None:
        if now:
            with urgent():
                await self.buckets.take(api)
        else:
            await self.buckets.take(api)
        self.got.append((self.clock.monotonic(), name))


@pytest.fixture
def caller() -> Caller:
    clock = FakeClock()
    return Caller(clock, TokenBuckets(clock, Limits()))


async def test_the_whole_process_stays_within_five_a_second(caller: Caller) -> None:
    for i in range(30):
        caller.ask(str(i))
    await caller.clock.until(lambda: len(caller.got) == 30)
    times = [at for at, _ in caller.got]
    for at in times:
        assert sum(at <= other < at + 1.0 for other in times) <= 5
    assert [name for _, name in caller.got] == [str(i) for i in range(30)], "in the order of asking"
    assert times[-1] - times[0] < 30 / 4 + 1, "and not slower than needed"


@settings(max_examples=20, deadline=None)
@given(asks=st.lists(st.tuples(st.floats(0, 0.7), st.booleans()), max_size=40), per_s=st.floats(0.3, 12))
def test_no_second_ever_sees_more_than_the_limit(asks: list[tuple[float, bool]], per_s: float) -> None:
    async def play() -> list[float]:
        clock = FakeClock()
        caller = Caller(clock, TokenBuckets(clock, Limits(control_plane_per_s=per_s)))
        for pause, now in asks:
            await clock.advance(pause)
            caller.ask("x", now=now)
        await clock.until(lambda: len(caller.got) == len(asks))
        return [at for at, _ in caller.got]

    times = asyncio.run(play())
    for at in times:
        assert sum(at <= other < at + 1.0 for other in times) <= math.ceil(per_s)


async def test_a_person_waits_for_nobody(caller: Caller) -> None:
    for i in range(40):
        caller.ask(f"poll {i}")
    await settle()
    polled = len(caller.got)
    caller.ask("mutation", now=True)
    await settle()
    assert [name for _, name in caller.got[polled:]] == ["mutation"], "a token is kept for it"


async def test_polling_pauses_while_a_mutation_runs(caller: Caller) -> None:
    for step in range(5):
        caller.ask(f"mutation {step}", now=True)
        caller.ask(f"poll {step}")
        await caller.clock.advance(0.9)
    assert [name for _, name in caller.got] == [f"mutation {i}" for i in range(5)]
    await caller.clock.advance(3)
    assert len(caller.got) == 10


async def test_apis_do_not_wait_for_each_other_and_others_are_free(caller: Caller) -> None:
    for i in range(20):
        caller.ask(f"lambda {i}")
        caller.ask(f"sqs {i}", "sqs")
        caller.ask(f"iam {i}", "iam")
    await settle()
    names = [name.split()[0] for _, name in caller.got]
    assert (names.count("sqs"), names.count("iam"), names.count("lambda")) == (20, 20, 4)


async def test_a_cancelled_waiter_leaves_the_queue(caller: Caller) -> None:
    for i in range(4):
        caller.ask(str(i))
    first, second = caller.ask("given up"), caller.ask("next")
    await settle()
    first.cancel()
    await caller.clock.until(second.done, 2)
    assert [name for _, name in caller.got][-1] == "next"
    assert first.cancelled()


def test_calls_and_cost_are_counted() -> None:
    clock = FakeClock()
    meter = SpendMeter(clock, 0.5)
    meter.count("lambda", "ListFunctions", 0.0)
    meter.count("cloudwatch", "GetMetricData", 0.01)
    meter.count("cloudwatch", "GetMetricData", 0.02)
    event = meter.observed(SCOPE)
    assert event.calls == (("cloudwatch.GetMetricData", 2), ("lambda.ListFunctions", 1))
    assert event.usd == pytest.approx(0.03)
    assert event.budget_usd_per_hour == 0.5
    assert meter.total_calls == 3


@pytest.mark.parametrize("minutes", [1, 2, 10, 59, 60, 61, 200])
def test_a_steady_price_per_minute_is_projected_as_it_is(minutes: int) -> None:
    clock = FakeClock()
    meter = SpendMeter(clock, 0.5)
    for minute in range(minutes):
        if minute:
            clock.jump(60)
        meter.count("cloudwatch", "GetMetricData", 0.005)
    assert meter.usd_per_hour() == pytest.approx(0.3, rel=0.04)


def test_what_was_spent_long_ago_no_longer_counts() -> None:
    clock = FakeClock()
    meter = SpendMeter(clock, 0.5)
    meter.count("cloudwatch", "GetMetricData", 5.0)
    clock.jump(3700)
    assert meter.usd_per_hour() == 0
    assert meter.observed(SCOPE).usd == 5.0


async def test_polling_of_the_control_plane_pauses_while_a_mutation_is_under_way(caller: Caller) -> None:
    over = asyncio.Event()

    async def mutate() -> None:
        with mutating():
            await caller.buckets.take("lambda")
            await over.wait()

    mutation = asyncio.ensure_future(mutate())
    await settle()
    polling, tail = caller.ask("polling"), caller.ask("tail", "logs")
    await caller.clock.advance(30)
    assert (tail.done(), polling.done()) == (True, False)
    over.set()
    await mutation
    await caller.clock.until(polling.done)


@pytest.mark.parametrize(
    ("region", "asked", "per_s"),
    [
        ("eu-central-1", 10.0, 5 / 3),
        ("us-east-1", 10.0, 25 / 3),
        ("us-east-1", 2.0, 2.0),
        ("xx-new-1", 10.0, 10 / 3),
    ],
)
async def test_logs_are_held_to_a_third_of_what_the_region_allows(
    region: str, asked: float, per_s: float
) -> None:
    clock = FakeClock()
    caller = Caller(clock, TokenBuckets(clock, Limits(logs_per_s=asked)))
    caller.buckets.in_region(region)
    caller.buckets.in_region(region)
    for i in range(60):
        caller.ask(str(i), "logs")
    took = await clock.until(lambda: len(caller.got) == 60)
    at_once = math.ceil(per_s)
    assert took == pytest.approx((60 - at_once) / per_s, rel=0.1)


async def _taken(buckets: TokenBuckets, clock: FakeClock, api: str) -> int:
    """Return how many tokens are given out within 20 s under unlimited demand."""
    caller = Caller(clock, buckets)
    wanted = [caller.ask(str(i), api) for i in range(120)]
    await clock.advance(20)
    for task in wanted:
        task.cancel()
    await settle()
    return len(caller.got)


@pytest.mark.parametrize("api", ["logs", "cloudwatch", "lambda", "sqs"])
async def test_a_throttled_answer_halves_the_rate_of_that_api_only(api: str) -> None:
    taken = []
    for refused in (False, True):
        clock = FakeClock()
        limits = Limits(logs_per_s=4, metrics_per_s=4, control_plane_per_s=4, sqs_per_s=4)
        buckets = TokenBuckets(clock, limits)
        if refused:
            buckets.throttled(api)
            slow = [a for a in ("logs", "cloudwatch", "lambda", "sqs") if buckets.share(a) < 1]
            assert (slow, buckets.share(api)) == ([api], 0.5)
        taken.append(await _taken(buckets, clock, api))
    assert taken[1] == pytest.approx(taken[0] / 2, rel=0.15)


async def test_calls_refused_together_halve_the_rate_once_and_it_comes_back_slowly() -> None:
    clock = FakeClock()
    buckets = TokenBuckets(clock, Limits())
    for _ in range(8):
        buckets.throttled("cloudwatch")
        clock.jump(0.1)
    assert buckets.share("cloudwatch") == pytest.approx(0.5, rel=0.01)
    clock.jump(60)
    assert buckets.share("cloudwatch") == pytest.approx(0.55, rel=0.01)
    buckets.throttled("cloudwatch")
    assert buckets.share("cloudwatch") == pytest.approx(0.275, rel=0.01)
    clock.jump(12 * 60)
    assert buckets.share("cloudwatch") < 1
    clock.jump(3 * 60)
    assert buckets.share("cloudwatch") == 1.0
    clock.jump(30 * 86_400)
    assert buckets.share("cloudwatch") == 1.0


async def test_a_rate_never_falls_to_nothing_and_free_apis_have_none() -> None:
    clock = FakeClock()
    buckets = TokenBuckets(clock, Limits())
    for _ in range(50):
        buckets.throttled("sqs")
        clock.jump(10)
    assert buckets.share("sqs") == pytest.approx(1 / 16, rel=0.05)
    buckets.throttled("iam")
    assert buckets.share("iam") == 1.0


def test_no_default_takes_more_than_a_third_of_what_the_account_has() -> None:
    limits = Limits()
    assert limits.control_plane_per_s <= 15 / 3
    assert limits.metrics_per_s <= min(25, 500) / 3, "ListMetrics has 25/s, GetMetricData 500/s"
    assert limits.metrics_per_s * POINTS_PER_TURN <= 180_000 / 3, "points a second"
    for name in ("control_plane_per_s", "metrics_per_s"):
        assert BY_PATH[f"limits.{name}"].high == getattr(limits, name)


@pytest.mark.parametrize(("api", "quota_per_s"), [("scheduler", 50), ("stepfunctions", 20), ("pipes", 50)])
async def test_lists_of_callers_take_less_than_a_third_of_what_their_service_allows(
    api: str, quota_per_s: int
) -> None:
    clock = FakeClock()
    buckets = TokenBuckets(clock, Limits())
    taken = 0

    async def ask_on() -> None:
        nonlocal taken
        while taken < 1000:
            await buckets.take(api)
            taken += 1

    task = asyncio.ensure_future(ask_on())
    await settle()
    await clock.advance(10)
    task.cancel()
    assert 10 < taken <= quota_per_s / 3 * 10
