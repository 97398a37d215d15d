"""Render what invokes functions by an execution role: schedules, pipes and state machines. Pure."""

from __future__ import annotations

from lambdatop.domain.facts.callers import Caller, Looked, RetryRule
from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.keys import Scope
from lambdatop.report.json.primitives import Json, iso, plain


def caller_json(caller: Caller) -> Json:
    """Return one schedule, pipe or state machine as it invokes one function.

    `not_known` says why a value that is null was not read; another null is "not set".
    """
    retry = or_none(caller.retry)
    of = {
        "state": caller.state,
        "expression": caller.when,
        "max_retry_attempts": caller.max_retries,
        "max_age_s": caller.max_age_s,
        "dlq_arn": caller.dlq_arn,
        "retry": caller.retry,
    }
    return {
        "kind": caller.key.kind,
        "name": caller.key.id,
        "arn": caller.arn,
        "function_arn": caller.function_arn,
        "state": or_none(caller.state),
        "invocation": caller.invocation,
        "expression": or_none(caller.when) or None,
        "source_arn": caller.source_arn or None,
        "parts": list(caller.parts),
        "parts_left_out": caller.more,
        "max_retry_attempts": or_none(caller.max_retries),
        "max_age_s": or_none(caller.max_age_s),
        "dlq_arn": or_none(caller.dlq_arn),
        "retry": [_rule(rule) for rule in retry] if retry is not None else None,
        "on_failure": caller.retries,
        "not_known": {name: value.why for name, value in of.items() if isinstance(value, NotKnown)},
    }


def _rule(rule: RetryRule) -> Json:
    return {
        "errors": list(rule.errors),
        "max_attempts": rule.max_attempts,
        "interval_s": plain(rule.interval_s),
        "backoff_rate": plain(rule.backoff),
        "max_interval_s": None if rule.most_interval_s is None else plain(rule.most_interval_s),
        "jitter": rule.jitter,
        "of": rule.of or None,
    }


def look_json(scope: Scope, look: Looked) -> Json:
    """Return when one kind was looked for in an account and region, and what of it is not known."""
    return {
        "account": scope.account,
        "region": scope.region,
        "kind": look.kind,
        "at": iso(look.at),
        "not_known": list(look.missing),
    }
