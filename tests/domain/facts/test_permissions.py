"""What the caller may do: how answers add up, how they are said, and that all actions are asked about."""

from __future__ import annotations

import pytest
from fakes.shown_plans import plans
from fakes.worlds import NOW, SCOPE

from lambdatop.domain.facts.permissions import Permission, Permissions
from lambdatop.domain.mitigations.registry import REGISTRY, UNDO_CALLS, iam_actions
from lambdatop.domain.settings.settings import Settings
from lambdatop.domain.snapshots.builder import build_snapshot
from lambdatop.domain.state import events as ev
from lambdatop.domain.state.fold import fold, fold_all
from lambdatop.domain.state.snapshot import EMPTY_SNAPSHOT, Snapshot
from lambdatop.domain.state.world import EMPTY_WORLD, World

KNOWN = Permissions(NOW, {"a:Yes": "yes", "a:Also": "yes", "a:No": "no", "a:Perhaps": "unknown"})


@pytest.mark.parametrize(
    ("actions", "answer"),
    [
        (("a:Yes", "a:Also"), "yes"),
        (("a:Yes", "a:No"), "no"),
        (("a:Perhaps", "a:No", "a:Yes"), "no"),
        (("a:Yes", "a:Perhaps"), "unknown"),
        (("a:Yes", "a:NeverAskedAbout"), "unknown"),
        ((), "unknown"),
    ],
)
def test_answers_add_up(actions: tuple[str, ...], answer: Permission) -> None:
    assert KNOWN.of(actions) == answer


def test_what_is_missing_is_named_in_order_and_only_what_is_denied() -> None:
    both = Permissions(NOW, {"a:One": "no", "a:Two": "no", "a:Three": "unknown"})
    assert both.missing(("a:Two", "a:Three", "a:One", "a:Four")) == ("a:Two", "a:One")
    assert both.words(("a:Two", "a:One")) == "a:Two, a:One are probably not allowed"
    assert KNOWN.words(("a:Yes", "a:No")) == "a:No is probably not allowed"
    assert KNOWN.words(("a:Yes",)).startswith("allowed")
    assert KNOWN.words(("a:Yes", "a:Perhaps")) == "not known whether a:Perhaps is allowed"
    assert Permissions(NOW, {}, "IAM said nothing.").words(("a:Yes",)) == "not known: IAM said nothing"


def test_every_action_that_a_plan_or_its_undo_states_is_asked_about() -> None:
    known = set(iam_actions())
    stated = {name: set[str]() for name in REGISTRY}
    for plan in plans().values():
        assert set(plan.iam_actions) <= known, plan.title
        stated[plan.mitigation].update(plan.iam_actions)
    for name, planner in REGISTRY.items():
        declared = {*planner.iam, *planner.iam_elevated, *planner.iam_of_settings}
        assert declared, name
        # A queue that nothing feeds from is not held, so none of these plans states what holding needs.
        assert name == "quarantine_queue" or declared <= stated[name], name
    assert {action for undo in UNDO_CALLS.values() for action in undo.iam} <= known


def look(world: World) -> Snapshot:
    return build_snapshot(
        world, previous=EMPTY_SNAPSHOT, at=NOW, version="", mode="operator", settings=Settings()
    )


def test_the_newest_answers_reach_the_snapshot_whatever_the_order() -> None:
    newer = Permissions(NOW + 9, {"a:Yes": "no"})
    target = ev.TargetIdentified(SCOPE, NOW, "arn:aws:iam::1:user/kim")
    observed = (ev.PermissionsObserved(SCOPE, p.at, p) for p in (newer, KNOWN))
    world = fold_all(EMPTY_WORLD, [target, *observed])
    assert look(world).permissions == newer
    assert look(fold(EMPTY_WORLD, target)).permissions is None


def test_answers_for_another_account_are_not_this_one_s() -> None:
    elsewhere = SCOPE._replace(account="999999999999")
    world = fold_all(
        EMPTY_WORLD,
        [
            ev.TargetIdentified(SCOPE, NOW, "arn:aws:iam::1:user/kim"),
            ev.PermissionsObserved(elsewhere, NOW, KNOWN),
        ],
    )
    assert look(world).permissions is None
