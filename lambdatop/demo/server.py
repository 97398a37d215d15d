"""The demo's server process: ministack behind the repair layer, on a free loopback port.

Started by ``supervisor.py``. It writes one JSON line to stdout when the endpoint answers and the scenario
is deployed, and never writes there again. Everything else goes to stderr, a file in its own directory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import socket
import sys
import threading
from typing import Any

from lambdatop.demo.lifeline import die_with_parent
from lambdatop.demo.scenarios import EMPTY, SCENARIOS
from lambdatop.demo.scenarios.model import Scenario

_LOOPBACK = "127.0.0.1"
_BACKLOG = 128

# Listeners and integrations of ministack that the demo never uses; Docker must not even be looked for,
# because ministack tidies up containers that it takes for its own.
_SETTINGS = {
    "BIND_HOST": _LOOPBACK,
    "MINISTACK_HOST": _LOOPBACK,
    "LOG_LEVEL": "ERROR",
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    "LAMBDA_WARM_TTL_SECONDS": "120",
}


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line that ``launch.py`` wrote."""
    parser = argparse.ArgumentParser(prog="python -m lambdatop.demo.server")
    parser.add_argument("--scenario", choices=[*SCENARIOS, EMPTY.name], default=EMPTY.name)
    parser.add_argument("--account", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--compression", type=int, required=True)
    parser.add_argument("--async-retry-s", type=float, required=True)
    parser.add_argument("--auth", action="store_true")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Serve until killed."""
    die_with_parent()
    # Failing functions are the demo's normal business; ministack warns about each of them.
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    logging.getLogger("lambdatop.demo").setLevel(logging.WARNING)
    options = parse(arguments)
    listener = socket.create_server((_LOOPBACK, 0), backlog=_BACKLOG)
    port = listener.getsockname()[1]
    # ministack reads its settings when it is imported, which is why nothing here imports it earlier.
    os.environ.update(_SETTINGS, GATEWAY_PORT=str(port))
    scenario = SCENARIOS.get(options.scenario, EMPTY)
    os.environ["LAMBDA_ACCOUNT_CONCURRENCY"] = str(scenario.account_concurrency)
    os.environ.update(MINISTACK_ACCOUNT_ID=options.account, MINISTACK_REGION=options.region)
    if options.auth:
        os.environ["AUTH"] = "true"
    asyncio.run(_serve(listener, port, options))


async def _serve(listener: socket.socket, port: int, options: argparse.Namespace) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from lambdatop.demo.metric_store import Scope
    from lambdatop.demo.repairs import RepairLayer

    home = Scope(options.account, options.region)
    layer = RepairLayer.install(home, options.compression, options.async_retry_s)
    layer.logs.loop = asyncio.get_running_loop()
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.loglevel = "ERROR"
    scenario = SCENARIOS.get(options.scenario, EMPTY)
    threading.Thread(
        target=_open, args=(port, home, scenario, options.compression), daemon=True, name="opening"
    ).start()
    await serve(layer.app, config)  # type: ignore[arg-type]


def _open(port: int, home: Any, scenario: Scenario, compression: int) -> None:
    """Deploy, say that everything is ready, let the traffic flow; a failure ends the server."""
    from lambdatop.demo.deploy import Deployment
    from lambdatop.demo.repair_prepared import Preparation
    from lambdatop.demo.steps import Steps
    from lambdatop.demo.traffic import Traffic
    from lambdatop.demo.wire import Wire

    wire = Wire(port, home.account, home.region)
    try:
        # The socket already listens, so that the first call waits until the server accepts it.
        wire.health()
        Deployment(wire, scenario).run()
    except BaseException:
        logging.getLogger("lambdatop.demo").exception("deploying %s", scenario.name)
        os._exit(1)
    sys.stdout.write(json.dumps({"ready": True, "port": port, "server_pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    Traffic(wire, scenario.flows, times=compression).start()
    Steps(wire, scenario, compression).start()
    Preparation(home, [f.name for f in scenario.functions if f.prepared]).start()


if __name__ == "__main__":
    main(sys.argv[1:])
