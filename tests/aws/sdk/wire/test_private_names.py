"""Private names of the SDK that this package depends on. A failure here means: read _private.py again."""

from __future__ import annotations

import inspect
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from aiobotocore.client import AioBaseClient
from aiobotocore.credentials import (
    AioAssumeRoleProvider,
    AioProcessProvider,
    AioProfileProviderBuilder,
    AioRefreshableCredentials,
)
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.parsers import AioJSONParser, AioQueryParser, AioRestJSONParser, AioRestXMLParser
from aiobotocore.session import AioSession
from aiobotocore.signers import AioRequestSigner
from aiohttp import ClientSession
from botocore.model import ListShape, Shape, ShapeResolver
from fakes.wire_stub import Redirect, Reset, WireStub

from lambdatop.aws.sdk.wire._private import MOST_ENTRIES, credentials_expiry, replace_mfa_prompter, tolerate
from lambdatop.domain.errors import Unreachable

from ...conftest import MakeBench

pytestmark = pytest.mark.sdk

NAMES = ShapeResolver({"Name": {"type": "string"}})


def test_the_transport_asks_its_session_for_every_request() -> None:
    source = inspect.getsource(AIOHTTPSession.send)
    assert "await self._get_session(" in source
    assert "await session.request(" in source
    assert list(inspect.signature(AIOHTTPSession._get_session).parameters) == ["self", "proxy_url"]


def test_aiohttp_still_has_the_switch_against_sending_twice() -> None:
    assert "self._retry_connection and method in IDEMPOTENT_METHODS" in inspect.getsource(
        ClientSession._request
    )


def test_clients_take_the_credentials_that_stand_in_the_session() -> None:
    assert "if self._credentials is None" in inspect.getsource(AioSession.get_credentials)
    assert "credentials = await self.get_credentials()" in inspect.getsource(AioSession._create_client)
    signing = inspect.getsource(AioRequestSigner.get_auth_instance)
    assert "await credentials.get_frozen_credentials()" in signing


async def test_a_broken_connection_sends_nothing_twice(stub: WireStub, bench: MakeBench) -> None:
    stub.on("lambda", "GetAccountSettings", Reset(), {})
    with pytest.raises(Unreachable):
        await bench(attempts=1).api.read("lambda", "GetAccountSettings")
    assert len(stub.received) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_reported_and_never_followed(
    status: int, stub: WireStub, bench: MakeBench
) -> None:
    async with WireStub() as elsewhere:
        stub.on(
            "lambda", "GetAccountSettings", Redirect(f"{elsewhere.url}/2016-08-19/account-settings/", status)
        )
        with pytest.raises(Unreachable, match="redirect"):
            await bench().api.read("lambda", "GetAccountSettings")
        assert (elsewhere.received, elsewhere.strangers) == ([], [])
    assert len(stub.received) == 1


def test_the_credential_providers_can_still_be_made_quiet() -> None:
    """Each name that `quiet_providers` sets is one that the SDK reads."""
    load = inspect.getsource(AioAssumeRoleProvider._load_creds_via_assume_role)
    assert "mfa_prompter=self._prompter" in load
    assert "cache=self.cache" in load
    assert "await self._popen(" in inspect.getsource(AioProcessProvider._retrieve_credentials_using)
    assert "popen" in inspect.signature(AioProcessProvider).parameters
    providers = inspect.getsource(AioAssumeRoleProvider._resolve_credentials_from_profile)
    assert "self._profile_provider_builder.providers(" in providers
    assert "self._create_process_provider(" in inspect.getsource(AioProfileProviderBuilder.providers)


def test_a_parser_reads_every_value_by_the_method_that_is_wrapped() -> None:
    for kind in (AioJSONParser, AioRestJSONParser, AioQueryParser, AioRestXMLParser):
        for handler in ("_handle_structure", "_handle_list", "_handle_map"):
            assert (
                "self._parse_shape(" in inspect.getsource(getattr(kind, handler)) or handler == "_handle_list"
            )
        parser, bad = kind(), object()
        tolerate(parser, bad)
        assert parser._parse_shape(object(), {}) is bad


@pytest.mark.parametrize("kind", [AioJSONParser, AioRestJSONParser, AioQueryParser, AioRestXMLParser])
def test_a_long_text_for_a_time_is_not_read_by_a_parser_that_takes_seconds_for_it(kind: Any) -> None:
    read: list[Any] = []
    parser, bad = kind(timestamp_parser=read.append), object()
    tolerate(parser, bad)
    shape = Shape("Time", {"type": "timestamp"})
    for text, found in (("2026-11-30T12:00:00.123456789+00:00", None), ("1 " * 1000, bad)):
        node = Element("Time")
        node.text = text
        assert parser._parse_shape(shape, text if "JSON" in kind.__name__ else node) is found
    assert read == ["2026-11-30T12:00:00.123456789+00:00"]


@pytest.mark.parametrize("kind", [AioJSONParser, AioRestJSONParser])
def test_a_list_longer_than_any_of_aws_is_not_read(kind: Any) -> None:
    parser, bad = kind(), object()
    tolerate(parser, bad)
    shape = ListShape("Names", {"type": "list", "member": {"shape": "Name"}}, NAMES)
    assert parser._parse_shape(shape, ["a"] * MOST_ENTRIES) == ["a"] * MOST_ENTRIES
    assert parser._parse_shape(shape, ["a"] * (MOST_ENTRIES + 1)) is bad


def test_the_expiry_of_refreshable_credentials_is_readable() -> None:
    data = {"access_key": "a", "secret_key": "b", "token": "c", "expiry_time": "2030-01-01T00:00:00Z"}
    made = AioRefreshableCredentials.create_from_metadata(data, refresh_using=None, method="test")
    assert credentials_expiry(made) == 1893456000.0
    assert credentials_expiry(object()) is None


def test_the_mfa_prompter_can_be_replaced() -> None:
    session = AioSession()

    def prompter(_: str) -> str:
        return "123456"

    replace_mfa_prompter(session, prompter)
    provider = session.get_component("credential_provider").get_provider("assume-role")
    assert provider._prompter is prompter
    assert "mfa_prompter=self._prompter" in inspect.getsource(type(provider))


def test_a_client_has_its_requests_made_by_the_serializer_that_is_wrapped() -> None:
    assert "self._serializer.serialize_to_request(" in inspect.getsource(
        AioBaseClient._convert_to_request_dict
    )
