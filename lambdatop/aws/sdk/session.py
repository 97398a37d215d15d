"""Make the SDK session from which all clients are made.

All hooks (guard, redaction) are registered before any client exists, because a client copies them when it
is made. Clients are made on first use, one per service.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore import configprovider, tokens, utils

from lambdatop.aws.sdk.connection import Connection
from lambdatop.aws.sdk.credentials import settle_providers
from lambdatop.aws.sdk.walls import read_only_models
from lambdatop.aws.sdk.walls.guard import Guard
from lambdatop.aws.sdk.walls.transport import guarded_transport
from lambdatop.aws.sdk.wire import metering, response_hooks
from lambdatop.aws.sdk.wire._private import PlainSession
from lambdatop.aws.sdk.wire.fast_parser import TypedFactory
from lambdatop.domain.ports.runtime import Meter


def open_session(connection: Connection, guard: Guard, meter: Meter) -> AioSession:
    """Return a session with all hooks, models from the installed package only, and no prompt for MFA codes.

    Under a read-only guard these models hold nothing but reads.
    """
    session = PlainSession(profile=None if connection.isolated else connection.profile)
    guard.install(session)
    metering.install(session, meter)
    response_hooks.install(session)
    if connection.isolated:
        _isolate(session)
    session.register_component("data_loader", read_only_models.loader(read_only=False))
    if guard.read_only:
        strip(session)
    factory = TypedFactory()
    factory.set_parser_defaults(timestamp_parser=parse_timestamp)
    session.register_component("response_parser_factory", factory)
    if connection.access_key and connection.secret_key:
        session.set_credentials(connection.access_key, connection.secret_key, connection.session_token)
    else:
        settle_providers(session, connection.codes, connection.notify)
    # Credential providers make clients of their own from this default; they get the same transport.
    session.set_default_client_config(AioConfig(http_session_cls=guarded_transport(guard)))
    logging.getLogger("aiobotocore").addHandler(logging.NullHandler())
    return session


def strip(session: AioSession) -> None:
    """Strip the session: from now on its clients can only read. This cannot be undone."""
    session.register_component("data_loader", read_only_models.loader(read_only=True))
    session.get_component("event_emitter").register_last(
        "creating-client-class", read_only_models.remove_presigners, unique_id="lambdatop-presigners"
    )


def _isolate(session: AioSession) -> None:
    """Cut every AWS_* variable and configuration file of the user off from this session."""
    chains = configprovider.ConfigChainFactory(session=session, environ={})
    mapping = {
        name: chains.create_config_chain(
            instance_name=name, default=default, conversion_func=conversion, config_property_names=None
        )
        for name, (_, _, default, conversion) in configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
    store = configprovider.ConfigValueStore(mapping=mapping)
    for name in ("config_file", "credentials_file"):
        store.set_config_variable(name, os.devnull)
    store.set_config_variable("ec2_metadata_v1_disabled", True)
    session.register_component("config_store", store)
    session.register_component("token_provider", tokens.TokenProviderChain(providers=[]))


def parse_timestamp(value: Any) -> datetime | None:
    """Parse as botocore does, with a short way for numbers: a metric answer holds tens of thousands.

    None for what is not a time: only its record is left out (`answer_checks`), not the answer.
    """
    try:
        if isinstance(value, (int, float)):
            return datetime.fromtimestamp(value, UTC)
        parsed: datetime = utils.parse_timestamp(value)
    except (ValueError, OverflowError, OSError, TypeError, RuntimeError):
        return None
    return parsed
