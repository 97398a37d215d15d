"""Situations of aliases and rules for the words of plans."""

from __future__ import annotations

from collections.abc import Mapping

from fakes.callers import ALL_THREE
from fakes.plan_situations import TOPIC, Asked, Cases, by_stream, denied, fed, on_alias, on_rule
from fakes.worlds import function
from msgspec.structs import replace

from lambdatop.domain.plans.situation import VersionFacts

GAP = "lambda:GetPolicy is denied, so callers by resource policy are unknown"
CANARY = on_alias(weights=(("2", 0.1),))
PROVISIONED = denied("lambda:GetProvisionedConcurrencyConfig")
MANY = tuple(VersionFacts(str(n), "", None, "Active") for n in range(1, 15))


def _states(*states: object) -> tuple[VersionFacts, ...]:
    return tuple(replace(v, state=state) for v, state in zip(on_alias().versions, states, strict=True))


ALIAS: Cases = {
    "the version before": Asked(on_alias()),
    "the canary ends": Asked(CANARY),
    "a version that is said, and a canary": Asked(CANARY, {"version": " 1 "}),
    "everything beside it": Asked(
        on_alias(
            bypass=(fed(), by_stream(2)),
            policy_principals=("sns.amazonaws.com",),
            provisioned=5,
            stack="shop",
            gaps=(GAP,),
            looked_for=ALL_THREE,
        )
    ),
    "much is denied": Asked(
        on_alias(
            bypass=denied("lambda:ListEventSourceMappings"),
            policy_principals=denied("lambda:GetPolicy"),
            provisioned=PROVISIONED,
            stack=denied("cloudformation:DescribeStackResources"),
            versions=_states("Active", "Active", denied("lambda:GetFunctionConfiguration"), "Active"),
        )
    ),
    "versions with a description": Asked(
        on_alias(versions=tuple(replace(v, description=f"build {v.version}") for v in on_alias().versions))
    ),
    "durable versions": Asked(
        on_alias(versions=tuple(replace(v, durable=v.version == "3") for v in on_alias().versions))
    ),
    "no revision": Asked(on_alias(revision_id="")),
    "states were not asked": Asked(on_alias(versions=_states("", "", "", ""))),
    "the newest is the latest": Asked(on_alias(version="$LATEST"), {"version": "3"}),
    "to the latest": Asked(on_alias(), {"version": "$LATEST"}),
    "many versions of which little is known": Asked(on_alias(version="14", versions=MANY)),
    "a canary whose share was not read": Asked(on_alias(weights=(("9", 0.025), ("2", 0.5)))),
    "now at a version that was not read": Asked(on_alias(version="4")),
    "now at the latest": Asked(on_alias(version="$LATEST")),
    "no version before": Asked(on_alias(version="1")),
    "a version that is not there": Asked(on_alias(version="14", versions=MANY), {"version": "15"}),
    "a version, and none was read": Asked(on_alias(versions=()), {"version": "1"}),
    "a canary whose version was not read": Asked(replace(CANARY, version="4")),
    "the same": Asked(on_alias(), {"version": "3"}),
    "the same, a canary": Asked(CANARY, {"version": "3"}),
    "a version that is not active": Asked(on_alias(versions=_states("Active", "Active", "Failed", "Active"))),
    "a version that is pending": Asked(
        on_alias(versions=_states("Active", "Pending", "Active", "Active")), {"version": "1"}
    ),
}

TWO = (function().arn, TOPIC)
DISABLE: Cases = {
    "a rule that matches": Asked(on_rule()),
    "a schedule": Asked(on_rule(schedule="rate(5 minutes)")),
    "two targets": Asked(on_rule(targets=TWO, gaps=(GAP,))),
    "no target": Asked(on_rule(targets=())),
    "targets denied": Asked(on_rule(targets=denied("events:ListTargetsByRule"))),
    "managed": Asked(on_rule(managed_by="events.amazonaws.com")),
    "off already": Asked(on_rule(state="DISABLED")),
    "a state that cannot be brought back": Asked(
        on_rule(state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
    ),
}
OFF = on_rule(state="DISABLED")
ENABLE: Cases = {
    "a rule that matches": Asked(OFF),
    "a schedule and two targets": Asked(replace(OFF, schedule="rate(5 minutes)", targets=TWO, gaps=(GAP,))),
    "managed": Asked(replace(OFF, managed_by="events.amazonaws.com")),
    "on already": Asked(on_rule()),
    "a state that cannot be brought back": Asked(
        on_rule(state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
    ),
}

CASES: Mapping[str, Cases] = {"rollback_alias": ALIAS, "disable_rule": DISABLE, "enable_rule": ENABLE}
