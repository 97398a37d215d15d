"""rollback_alias: point an alias at a version; version and empty weights are always sent together.

UpdateAlias keeps the weights that it is not given, so that a rollback of the version alone would still send a
share of the traffic to the bad one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambdatop.domain.facts.arns import function_arn
from lambdatop.domain.facts.callers import looked_words
from lambdatop.domain.facts.not_read import NotKnown, or_none
from lambdatop.domain.mitigations.spec import MitigationSpec, UndoCalls
from lambdatop.domain.plans.command import WayBack, Words, option
from lambdatop.domain.plans.plan import Call, Plan, Proposal, Refusal
from lambdatop.domain.plans.situation import AliasSituation, VersionFacts
from lambdatop.domain.plans.wording import owner_warning

NAME = "rollback_alias"
VERSION, WEIGHTS, REVISION = "version", "weights", "revision_id"
LATEST = "$LATEST"
CALLS = (("lambda", "UpdateAlias"),)
IAM = ("lambda:UpdateAlias", "lambda:GetAlias", "lambda:ListVersionsByFunction")


def point(function: str, alias: str, version: str, weights: Mapping[str, float], revision: str = "") -> Call:
    """Return the call that points the alias of `function` (its ARN) here.

    With `revision`, only if unchanged since.
    """
    params: dict[str, Any] = {
        "FunctionName": function,
        "Name": alias,
        "FunctionVersion": version,
        "RoutingConfig": {"AdditionalVersionWeights": dict(weights)},
    }
    return Call("lambda", "UpdateAlias", params | ({"RevisionId": revision} if revision else {}))


def alias_command(call: Call) -> Words:
    """Return UpdateAlias as an `aws` command."""
    p = call.params
    words = ["lambda", "update-alias", *option("--function-name", p["FunctionName"])]
    words += option("--name", p["Name"])
    words += ["--function-version", p["FunctionVersion"]]
    words += ["--routing-config", json.dumps(p["RoutingConfig"], separators=(",", ":"))]
    if "RevisionId" in p:
        words += ["--revision-id", p["RevisionId"]]
    return tuple(words)


def plan_rollback_alias(s: AliasSituation, params: Mapping[str, Any], now: float, plan_id: str) -> Proposal:
    """Plan or refuse; without `version` the canary is ended, or the version published before is chosen."""
    wanted, why = _wanted(s, params)
    if wanted is None:
        return Refusal(NAME, s.ref, why, _versions(s))
    scope, weights = s.ref.key.scope, dict(s.weights)
    function = function_arn(scope, s.function.id, s.ref.arn)
    call = point(function, s.name, wanted.version, {}, s.revision_id)
    undo = point(function, s.name, s.version, weights)
    return Plan(
        id=plan_id,
        mitigation=NAME,
        target=s.ref,
        title=f"Point {s.ref.name} at version {wanted.version} alone ({why})",
        tier="T1",
        call=call,
        before={VERSION: s.version, WEIGHTS: weights, REVISION: s.revision_id},
        after={VERSION: wanted.version, WEIGHTS: {}},
        undo=undo,
        way_back=WayBack(f"back to {routing_words(s.version, weights)}", alias_command(undo)),
        lost="nothing",
        in_flight="invocations of the other version run to their end",
        takes_effect="within seconds (AWS documents no figure)",
        confirm="key",
        command=alias_command(call),
        iam_actions=IAM,
        planned_at=now,
        blast_radius=_reach(s, wanted),
        warnings=_warnings(s, wanted),
        unknowns=s.gaps,
    )


def _wanted(s: AliasSituation, params: Mapping[str, Any]) -> tuple[VersionFacts | None, str]:
    """Return the version to point at and why that one; or None and why there is none."""
    known = {v.version: v for v in s.versions}
    if "version" in params:
        text = str(params["version"]).strip()
        if text not in known and s.version not in known:
            # AWS lists $LATEST at the least, so such a list says nothing about the version.
            lacks = f"the list of its versions lacks even {s.version}, which {s.ref.name} points at"
            return None, f"Whether {s.function.id} has a version {text!r} is not known: {lacks}."
        if text not in known:
            return None, f"{s.function.id} has no version {text!r}."
        chosen, why = known[text], "as asked"
    elif s.weights:
        if s.version not in known:
            return None, f"Version {s.version}, which {s.ref.name} points at, could not be read."
        chosen, why = known[s.version], "the canary ends"
    else:
        numbers = [int(v) for v in known if v.isdigit() and s.version.isdigit() and int(v) < int(s.version)]
        if not numbers:
            return None, f"There is no version before {s.version} that {s.ref.name} could go back to."
        chosen, why = known[str(max(numbers))], "the version published before"
    if chosen.version == s.version and not s.weights:
        return None, f"{s.ref.name} points at version {s.version} alone already."
    if isinstance(chosen.state, str) and chosen.state not in ("", "Active"):
        return None, f"Version {chosen.version} is {chosen.state}: only an active one can take traffic."
    return chosen, why


def _versions(s: AliasSituation) -> str:
    names = [v.version for v in s.versions if v.version != LATEST]
    return f"Choose one with --set version=N; there are {', '.join(names[-10:])}." if names else ""


def _reach(s: AliasSituation, wanted: VersionFacts) -> tuple[str, ...]:
    known = {v.version: v for v in s.versions}
    found = [f"now {_words(known.get(s.version), s.version)}"]
    found += [f"now {percent(share)} to {_words(known.get(v), v)}" for v, share in s.weights]
    found.append(f"then {_words(wanted, wanted.version)}")
    for m in or_none(s.bypass) or ():
        found.append(f"BYPASSES the alias: {m.source_name} feeds {m.function_arn.split(':function:')[-1]}")
    principals = or_none(s.policy_principals) or ()
    found += [f"may bypass the alias: {p} (policy of the function itself)" for p in principals]
    for caller in (c for look in s.looked_for for c in look.callers):
        if f"{caller.function_arn}:".endswith(f":{s.ref.name}:"):
            continue
        found.append(
            f"BYPASSES the alias: {caller.name} invokes {caller.function_arn.split(':function:')[-1]}"
        )
    return (*found, looked_words(s.looked_for))


def _words(v: VersionFacts | None, version: str) -> str:
    if v is None:
        return f"version {version} (could not be read)"
    at = datetime.fromtimestamp(v.modified, UTC) if v.modified else None
    when = at.strftime("%Y-%m-%d %H:%M UTC") if at else "unknown date"
    about = f", {v.description}" if v.description else ""
    return f"version {version}: code {v.code_sha256[:12] or 'not known'}, {when}{about}"


def _warnings(s: AliasSituation, wanted: VersionFacts) -> tuple[str, ...]:
    words = ["environment, layers, memory and timeout come with the version"]
    if not isinstance(wanted.state, str):
        words.append(f"whether version {wanted.version} is active is {wanted.state.words}")
    if isinstance(s.provisioned, NotKnown):
        words.append(f"provisioned concurrency is {s.provisioned.words}: what there is would start cold")
    elif s.provisioned:
        words.append(
            f"provisioned concurrency {s.provisioned} is allocated anew on the other version: it starts cold"
        )
    if any(v.durable for v in s.versions):
        words.append("durable executions that have begun stay on the version they began with")
    words.append("a deployment that is shifting traffic now may move it again")
    return (*words, *owner_warning(s.stack))


def percent(share: float) -> str:
    """Return a share with AWS's full precision: 0.5% is not nothing."""
    return f"{share * 100:g}%"


def routing_words(version: str, weights: Mapping[str, float] | None) -> str:
    """Return version and weights in words."""
    shares = "".join(f", {percent(share)} to {other}" for other, share in (weights or {}).items())
    return f"version {version}{shares or ' alone'}"


SPECS = (
    MitigationSpec(
        name=NAME,
        order=130,
        kind="alias",
        tier="T1",
        summary="point an alias at one version alone",
        plan=plan_rollback_alias,
        hotkey="V",
        label="roll back",
        does="point one of its aliases at the previous version",
        footer=26,
        params=(VERSION,),
        nothing="no alias",
        calls=CALLS,
        iam=IAM,
        undo=(UndoCalls(CALLS, alias_command, IAM),),
    ),
)
