"""The loader wall: what is not read does not exist on a client."""

from __future__ import annotations

import os
from typing import Any

import pytest
from botocore.model import ServiceModel
from botocore.session import get_session
from fakes.guard_attacks import SERVICES, every_operation, is_listed
from fakes.wire_stub import model_of

from lambdatop.aws.sdk.walls import read_only_models
from lambdatop.aws.sdk.walls.allowlist import CREDENTIALS, READS

from ...conftest import MakeBench

pytestmark = pytest.mark.sdk


@pytest.mark.parametrize("service", [*SERVICES, "sso", "sso-oidc", "signin"])
def test_a_stripped_model_has_the_listed_operations_whole_and_no_other(service: str) -> None:
    kept = read_only_models.loader(read_only=True).load_service_model(service, "service-2")
    model, whole = ServiceModel(kept, service), model_of(service)
    id_ = whole.service_id.hyphenize()
    assert set(model.operation_names) == set(READS.get(id_, ())) | set(CREDENTIALS.get(id_, ()))
    assert bool(model.operation_names) == (id_ in READS or id_ in CREDENTIALS)
    for name in model.operation_names:
        ours, theirs = model.operation_model(name), whole.operation_model(name)
        for shape in ("input_shape", "output_shape"):
            assert _tree(getattr(ours, shape)) == _tree(getattr(theirs, shape)), name
        assert [e.name for e in ours.error_shapes] == [e.name for e in theirs.error_shapes]


def _tree(shape: Any, above: tuple[str, ...] = ()) -> Any:
    if shape is None or shape.name in above:
        return None
    above = (*above, shape.name)
    parts = dict(getattr(shape, "members", {}))
    for side in ("member", "key", "value"):
        if hasattr(shape, side):
            parts[side] = getattr(shape, side)
    return shape.name, shape.type_name, {n: _tree(s, above) for n, s in parts.items()}


def test_every_listed_operation_is_in_a_service_of_the_proof() -> None:
    tried = {(o.service_model.service_id.hyphenize(), o.name) for o in every_operation() if is_listed(o)}
    assert {(service, name) for service, names in READS.items() for name in names} <= tried


def test_a_service_of_which_nothing_is_listed_has_no_operation() -> None:
    kept = read_only_models.loader(read_only=True).load_service_model("ec2", "service-2")
    assert (kept["operations"], kept["shapes"]) == ({}, {})


def test_paginators_and_waiters_are_stripped_too() -> None:
    models = read_only_models.loader(read_only=True)
    whole = get_session().get_component("data_loader").load_service_model("lambda", "paginators-1")
    kept = models.load_service_model("lambda", "paginators-1")["pagination"].keys()
    assert "ListFunctions" in kept
    assert kept == whole["pagination"].keys() & set(READS["lambda"])
    assert kept < whole["pagination"].keys()
    waiters = models.load_service_model("lambda", "waiters-2")["waiters"]
    assert "FunctionExists" not in waiters  # asks lambda:GetFunction
    assert "FunctionActive" in waiters


async def test_a_read_only_client_has_no_method_that_changes_or_signs(bench: MakeBench) -> None:
    client, s3 = await bench().client("lambda"), await bench().client("s3")
    assert hasattr(client, "list_functions")
    for name in ("put_function_concurrency", "invoke", "generate_presigned_url"):
        assert not hasattr(client, name)
    assert not hasattr(s3, "generate_presigned_post")
    assert set(s3.meta.method_to_api_mapping) == {"get_bucket_notification_configuration"}
    assert hasattr(await bench(read_only=False).client("lambda"), "put_function_concurrency")


@pytest.mark.parametrize("service", ["sts", "sso", "sso-oidc", "signin"])
async def test_clients_of_credential_providers_carry_no_plugins(
    service: str, bench: MakeBench, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Providers ask the session itself for a client, outside of anything that we could wrap around it."""
    (tmp_path / "hostile_plugin.py").write_text(
        "import os\ndef initialize_client_plugin(client):\n    os.environ['HOSTILE_PLUGIN_RAN'] = '1'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("BOTOCORE_EXPERIMENTAL__PLUGINS", "x=hostile_plugin")
    monkeypatch.delenv("HOSTILE_PLUGIN_RAN", raising=False)
    made = bench().session.create_client(service, region_name="eu-central-1")
    async with made as client:
        assert client.meta.method_to_api_mapping
    assert "HOSTILE_PLUGIN_RAN" not in os.environ
