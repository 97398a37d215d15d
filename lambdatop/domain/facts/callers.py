"""Hold what invokes a function by an execution role: schedules, pipes and state machines.

No resource policy names them (EventBridge Scheduler user guide, "Setting up the execution role"; the same for
EventBridge Pipes and Step Functions), so each is found in its own service. SDK callers are found nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from lambdatop.domain.facts.failure_path import end_name
from lambdatop.domain.facts.not_read import Gap, NotKnown
from lambdatop.domain.facts.triggers import Invocation
from lambdatop.domain.keys import Key
from lambdatop.domain.units import plural, span

CallerKind = Literal["schedule", "pipe", "state machine"]
KINDS: tuple[CallerKind, ...] = ("schedule", "pipe", "state machine")
OFF = frozenset({"DISABLED", "STOPPED", "DELETING"})
"""States in which none of them invokes anything (models of the three services)."""
ENDLESS = -1
"""MaximumRetryAttempts and MaximumRecordAgeInSeconds of a pipe without a limit (model of CreatePipe)."""


NAMED = 10
"""Callers of one function that a plan names one by one."""


class RetryRule(Struct, frozen=True):
    """A retrier of a state: Amazon States Language, https://states-language.net/#errors.

    `errors` are what it is for, `of` the Map or Parallel state around the task that has it, "" for the task's
    own. What the definition does not set has the default of the language: 3 attempts, 1 s, doubled each time.
    `most_interval_s` is the longest interval (MaxDelaySeconds), None where it grows without limit; `jitter`:
    each interval is chosen at random below its length (JitterStrategy FULL).
    """

    errors: tuple[str, ...]
    max_attempts: int = 3
    interval_s: float = 1.0
    backoff: float = 2.0
    of: str = ""
    most_interval_s: float | None = None
    jitter: bool = False

    @property
    def words(self) -> str:
        """`States.ALL: 3 times, first after 1 s, then x 2, at most 30 s apart, with jitter`."""
        where = f" ({self.of})" if self.of else ""
        if not self.max_attempts:
            return f"{', '.join(self.errors)}: not repeated{where}"
        grows = f", then x {self.backoff:g}" if self.max_attempts > 1 and self.backoff != 1 else ""
        if grows and self.most_interval_s is not None:
            grows += f", at most {span(self.most_interval_s)} apart"
        if self.jitter:
            grows += ", with jitter"
        times = "once" if self.max_attempts == 1 else f"{self.max_attempts:,} times"
        return f"{', '.join(self.errors)}: {times}, first after {span(self.interval_s)}{grows}{where}"


class Caller(Struct, frozen=True):
    """A schedule, pipe or state machine that invokes one function, by one or several of its parts.

    `function_arn` is as it is configured, with a version or alias; `function` is its key, None where the name
    is computed when it runs, or where a pipe only hands events on (`function_arn` is "" then). `state` is
    AWS's word. `when` is the expression of a schedule with its time zone; `source_arn` and `target_arn` are
    what a pipe reads and ends in; `parts` say which of it invokes: "target", "enrichment", or the states of a
    machine, of which `more` are left out.

    `max_retries`, `max_age_s` (s) and `dlq_arn` are those of a schedule or of a pipe's stream; `retry` is
    that of a state machine. None: there is none, or AWS's rule for the source holds.
    """

    key: Key
    arn: str
    function: Key | None
    function_arn: str
    state: str | NotKnown
    invocation: Invocation
    when: str | NotKnown = ""
    source_arn: str = ""
    target_arn: str = ""
    parts: tuple[str, ...] = ()
    more: int = 0
    max_retries: int | NotKnown | None = None
    max_age_s: int | NotKnown | None = None
    dlq_arn: str | NotKnown | None = None
    retry: tuple[RetryRule, ...] | NotKnown = ()

    @property
    def kind(self) -> CallerKind:
        """Which of the three it is."""
        return next(kind for kind in KINDS if kind == self.key.kind)

    @property
    def name(self) -> str:
        """`schedule default/nightly`."""
        return f"{self.key.kind} {self.key.id}"

    @property
    def computes(self) -> bool:
        """Whether it invokes a function whose name stands in no configuration."""
        return self.function is None and self.kind != "pipe"

    @property
    def off(self) -> bool:
        """Whether it is known to invoke nothing now."""
        return isinstance(self.state, str) and self.state in OFF

    @property
    def settings(self) -> str:
        """`ENABLED, rate(5 minutes)`, `RUNNING, reads orders, target`, `ACTIVE, state Charge`."""
        state = f"state {self.state.words}" if isinstance(self.state, NotKnown) else self.state
        when = f"expression {self.when.words}" if isinstance(self.when, NotKnown) else self.when
        return ", ".join(filter(None, (state, when, *self._ends())))

    def _ends(self) -> tuple[str, ...]:
        parts = ", ".join(self.parts)
        if self.kind == "pipe":
            return (f"reads {end_name(self.source_arn)}" if self.source_arn else "", f"as {parts}")
        if self.kind == "schedule" or not parts:
            return ()
        more = f" and {self.more:,} more" if self.more else ""
        return (f"{'state' if len(self.parts) + self.more == 1 else 'states'} {parts}{more}",)

    @property
    def retries(self) -> str:
        """Return what it does itself about a call that failed, and where it ends, in words."""
        if self.kind == "state machine":
            return self._machine_retries()
        if self.kind == "schedule":
            # An asynchronous call that Lambda has taken is Lambda's to repeat.
            return f"a refused call: {self._limits()}, then {self._end()}"
        if self.max_retries is None:
            return f"a failed batch: {end_name(self.source_arn)} hands it out again by its own rules"
        return f"a failed batch: {self._limits()}, then {self._end()}"

    def _machine_retries(self) -> str:
        if isinstance(self.retry, NotKnown):
            return f"Retry {self.retry.words}"
        if not self.retry:
            return "no Retry: a failed call fails its state"
        return f"Retry {'; '.join(rule.words for rule in self.retry)}"

    def _limits(self) -> str:
        retries, age = self.max_retries, self.max_age_s
        if isinstance(retries, NotKnown):
            return f"retries {retries.words}"
        tries = "retried without limit" if retries == ENDLESS else f"retried {plural(retries or 0, 'time')}"
        if isinstance(age, NotKnown):
            return f"{tries}, age {age.words}"
        return tries if age in (None, ENDLESS) else f"{tries} within {span(float(age or 0))}"

    def _end(self) -> str:
        if isinstance(self.dlq_arn, NotKnown):
            return f"an end that is {self.dlq_arn.words}"
        return end_name(self.dlq_arn) if self.dlq_arn else "dropped: no DLQ"


class Looked(Struct, frozen=True):
    """Callers of one kind, as found when they were looked for at `at` (s since the epoch, None: never read).

    `callers` are those of one function. `missing` says in words what of it is not known.
    """

    kind: CallerKind
    at: float | None = None
    callers: tuple[Caller, ...] = ()
    missing: tuple[str, ...] = ()


NOT_LOOKED: tuple[Looked, ...] = tuple(Looked(kind) for kind in KINDS)
"""The answer before anybody looked."""


def looks_of(looks: Iterable[Looked], callers: Iterable[Caller]) -> tuple[Looked, ...]:
    """Return what was found of one function, whose callers these are."""
    known = tuple(callers)
    return tuple(replace(look, callers=tuple(c for c in known if c.kind == look.kind)) for look in looks)


def looked_words(looks: Iterable[Looked]) -> str:
    """Return how completely the callers of a function are known.

    `schedules, pipes and state machines were looked for at 13:05 UTC: 2 found; SDK callers cannot be listed`
    """
    looks = tuple(looks)
    read = [look.at for look in looks if look.at is not None]
    late = [f"{look.kind}s not read yet" for look in looks if look.at is None and not look.missing]
    missing = [
        *(words for look in looks for words in look.missing),
        *(late if len(late) < len(looks) else ()),
    ]
    what, rest = "schedules, pipes and state machines", "SDK callers cannot be listed"
    if missing:
        rest = f"not known: {', '.join(dict.fromkeys(missing))}; {rest}"
    if not read:
        return f"{what} were not looked for; {rest}"
    found = sum(len(look.callers) for look in looks)
    return f"{what} were looked for at {clock_time(min(read))}: {found:,} found; {rest}"


def looked_up(looks: tuple[Looked, ...]) -> tuple[str, ...]:
    """Return everybody who was found, named one by one up to a number, and how completely."""
    found = [caller for look in looks for caller in look.callers]
    named = [f"{c.name} ({c.settings}; {c.retries})" for c in found[:NAMED]]
    more = [f"and {len(found) - NAMED:,} more of these"] if len(found) > NAMED else []
    return (*named, *more, looked_words(looks))


def pipes_reading(look: Looked) -> tuple[str, ...]:
    """Return which running pipes read a queue, and what of that is not known; `look` is about the queue."""
    found = [f"{c.name} ({_state_words(c)}) reads it" for c in look.callers[:NAMED] if not c.off]
    why = ", ".join(look.missing) or ("pipes were not looked for" if look.at is None else "")
    more = "another pipe" if found else "a pipe"
    return (*dict.fromkeys(found), *((f"whether {more} reads it is not known ({why})",) if why else ()))


def _state_words(caller: Caller) -> str:
    return f"state {caller.state.words}" if isinstance(caller.state, NotKnown) else caller.state


def clock_time(at: float) -> str:
    """Return `13:05 UTC`."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return "a time out of range"


_DETAILS = ("scheduler:GetSchedule", "pipes:DescribePipe")


def hiding_gaps(gaps: Iterable[Gap], known: Iterable[Key]) -> tuple[Gap, ...]:
    """Return the gaps that may hide a caller: not those that concern how a known one repeats its calls."""
    names = {key.id for key in known}
    return tuple(gap for gap in gaps if gap.action not in _DETAILS or gap.target not in names)


def missing_words(gaps: Iterable[Gap]) -> tuple[str, ...]:
    """Return what single reads have not told: `missing scheduler:GetSchedule (2)`."""
    counted: dict[str, int] = {}
    for gap in gaps:
        late = gap.reason == "over the limit" and gap.target
        words = f"{gap.target} were not looked at" if late else _missing(gap.not_known)
        counted[words] = counted.get(words, 0) + gap.targets
    return tuple(f"{words} ({n:,})" if n > 1 else words for words, n in counted.items())


def _missing(unread: NotKnown) -> str:
    if unread.reason == "denied" and unread.action:
        return f"missing {unread.action}"
    late = unread.reason in ("not asked", "out of time", "over the limit")
    return f"{unread.action} {unread.why}" if late else unread.why


def unread_words(unread: NotKnown, kind: CallerKind) -> str:
    """Return why a whole list brought nothing: `missing pipes:ListPipes`, `pipes not read yet`."""
    return f"{kind}s not read yet" if unread.reason == "not asked" else _missing(unread)


def computed_words(callers: Iterable[Caller]) -> tuple[str, ...]:
    """Return which callers compute the name of their function, so that it is in nobody's configuration."""
    names = [c.name for c in callers if c.computes]
    if not names:
        return ()
    few = ", ".join(names[:3])
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return (f"which function is computed by {few}{more}",)


def by_function(found: Iterable[Mapping[Key, tuple[Caller, ...]]]) -> dict[Key, tuple[Caller, ...]]:
    """Return the callers of each function, schedules first, each kind by name."""
    made: dict[Key, list[Caller]] = {}
    for callers in found:
        for key in sorted(callers):
            for caller in callers[key]:
                if caller.function is not None:
                    made.setdefault(caller.function, []).append(caller)
    return {function: tuple(callers) for function, callers in made.items()}
