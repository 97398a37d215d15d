from __future__ import annotations

from fakes import console_scene as scene
from msgspec.structs import replace

from lambdatop.domain.keys import Key
from lambdatop.domain.state.snapshot import MappingRow
from lambdatop.tui.selection import (
    NOTHING,
    Selection,
    candidates,
    nothing_to_do,
    of_finding,
    of_storm,
)

SNAP = scene.snapshot()
WORKER = Selection(function=scene.key("function", "orders-worker"))


def names(mitigation: str, selection: Selection) -> list[str]:
    return [c.key.id for c in candidates(mitigation, selection, SNAP)]


def test_function_keys_act_on_the_function() -> None:
    assert names("throttle_to_zero", WORKER) == ["orders-worker"]
    assert names("throttle_to_zero", NOTHING) == []


def test_trigger_keys_take_only_mappings_that_can_change() -> None:
    assert names("disable_trigger", WORKER) == [scene.UUID.format(1)]
    assert names("enable_trigger", WORKER) == []
    exports = Selection(function=scene.key("function", "legacy-export"))
    assert names("enable_trigger", exports) == [scene.UUID.format(5)]
    assert "no trigger that could be disabled" in nothing_to_do("disable_trigger", exports)


def test_several_triggers_are_all_offered_and_can_be_told_apart() -> None:
    second = MappingRow(scene.mapping(9, "orders-worker", "refunds"))
    snap = replace(SNAP, mappings=(*SNAP.mappings, second))
    found = candidates("disable_trigger", WORKER, snap)
    assert [c.label.split()[0] for c in found] == ["orders", "refunds"]


def test_purge_offers_the_source_queue_and_its_dead_letters() -> None:
    found = candidates("purge_queue", WORKER, SNAP)
    assert [c.key.id for c in found] == ["orders", "orders-dlq"]
    assert "dead letters of orders" in found[1].label
    assert "341" in found[1].label


def test_a_storm_row_names_its_own_mapping() -> None:
    selection = of_storm(SNAP.storms[0])
    assert names("disable_trigger", selection) == [scene.UUID.format(1)]
    assert names("throttle_to_zero", selection) == ["orders-worker"]
    assert names("purge_queue", selection) == ["orders", "orders-dlq"]
    stream = of_storm(next(s for s in SNAP.storms if s.source_kind == "kinesis"))
    assert names("purge_queue", stream) == []


def test_a_finding_about_a_queue_leads_to_its_function_and_trigger() -> None:
    for number, queue in ((0, "orders"), (1, "orders-dlq")):
        selection = of_finding(SNAP.findings[number], SNAP)
        assert selection.function == scene.key("function", "orders-worker")
        assert names("disable_trigger", selection) == [scene.UUID.format(1)]
        assert names("purge_queue", selection) == [queue]


def test_a_finding_about_a_mapping_leads_to_its_function() -> None:
    target = replace(SNAP.findings[0].target, key=scene.key("mapping", scene.UUID.format(2)))
    finding = replace(SNAP.findings[0], target=target)
    assert of_finding(finding, SNAP).function == scene.key("function", "email-sender")


def test_a_finding_about_an_account_selects_nothing() -> None:
    target = replace(SNAP.findings[0].target, key=Key(scene.SCOPE, "account", scene.SCOPE.account))
    assert of_finding(replace(SNAP.findings[0], target=target), SNAP) == NOTHING
