"""The account of the chaos soak: as little as shows a row in each pane, and no traffic."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec.structs import replace

from lambdatop.demo.process.deploy import Deployment
from lambdatop.demo.process.http_client import Wire
from lambdatop.demo.process.launch import Demo
from lambdatop.demo.scenarios import fleet
from lambdatop.demo.scenarios.calm import CALM

FUNCTIONS = ("orders-worker", "report-builder")


def deploy(demo: Demo) -> None:
    """Deploy two functions and a queue without traffic: what is tested is the console, not the emulator."""
    wire = Wire(urlsplit(demo.endpoint_url).port or 0, demo.account, demo.region, demo.session_token)
    functions = tuple(f for f in fleet.FUNCTIONS if f.name in FUNCTIONS)
    mappings = tuple(m for m in fleet.MAPPINGS if m.function in FUNCTIONS and m.kind == "sqs")
    scenario = replace(
        CALM, functions=functions, mappings=mappings, streams=(), tables=(), flows=(), steps=()
    )
    Deployment(wire, scenario).run()
    wire.close()
