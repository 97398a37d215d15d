"""The demo's server process: ministack behind the gate and the repair layer, on a free loopback port.

Started by ``supervisor.py``. It writes one JSON line to stdout when the endpoint answers and the scenario
is deployed, and never writes there again. Everything else goes to stderr, a file in its own directory.

That line carries the secret of this run: a pipe is read by nobody else, unlike a command line. The secret is
made here, and reaches the functions through their environment. A file in the demo's directory, which only the
user may read, holds it for the user's other AWS clients.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import secrets
import sys
import threading
from pathlib import Path
from typing import Any

from lambdatop.demo.process.launch import CREDENTIALS, SECRET_KEY
from lambdatop.demo.process.lifeline import die_with_parent
from lambdatop.demo.process.own_connections import OwnConnections
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
    parser = argparse.ArgumentParser(prog="python -m lambdatop.demo.process.server")
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
    listener = OwnConnections.listen_on(_LOOPBACK, _BACKLOG)
    sys.addaudithook(_refuse_to_bind)
    port = listener.getsockname()[1]
    # ministack reads its settings when it is imported, which is why nothing here imports it earlier.
    os.environ.update(_SETTINGS, GATEWAY_PORT=str(port))
    scenario = SCENARIOS.get(options.scenario, EMPTY)
    os.environ["LAMBDA_ACCOUNT_CONCURRENCY"] = str(scenario.account_concurrency)
    os.environ.update(MINISTACK_ACCOUNT_ID=options.account, MINISTACK_REGION=options.region)
    # Waits and retry intervals of state machines pass like the published minutes.
    os.environ["SFN_WAIT_SCALE"] = str(1 / options.compression)
    if options.auth:
        os.environ["AUTH"] = "true"
    asyncio.run(_serve(listener, port, options))


def _refuse_to_bind(event: str, _arguments: tuple[Any, ...]) -> None:
    """Let this process listen nowhere else: some of ministack's services would, without any secret."""
    if event == "socket.bind":
        raise PermissionError("the demo listens at one address only")


async def _serve(listener: OwnConnections, port: int, options: argparse.Namespace) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config, Sockets

    from lambdatop.demo.emulator.metric_store import Scope
    from lambdatop.demo.patches.install import RepairLayer
    from lambdatop.demo.process.access import Gate

    class OneSocket(Config):
        """hypercorn would make an ordinary socket of our listener."""

        def create_sockets(self) -> Sockets:
            return Sockets([], [listener], [])

    home = Scope(options.account, options.region)
    token = secrets.token_urlsafe(32)
    layer = RepairLayer.install(home, options.compression, options.async_retry_s, token)
    layer.logs.loop = asyncio.get_running_loop()
    config = OneSocket()
    config.include_server_header = False
    config.keep_alive_timeout = 75
    config.loglevel = "ERROR"
    scenario = SCENARIOS.get(options.scenario, EMPTY)
    ready = {"ready": True, "port": port, "server_pid": os.getpid(), "token": token}
    ready["tells_owners"] = listener.tells_owners
    threading.Thread(
        target=_open, args=(ready, home, scenario, options.compression), daemon=True, name="opening"
    ).start()
    await serve(Gate(layer.app, f"{_LOOPBACK}:{port}", token), config)  # type: ignore[arg-type]


def _open(ready: dict[str, Any], home: Any, scenario: Scenario, compression: int) -> None:
    """Deploy, say that everything is ready, let the traffic flow; a failure ends the server."""
    from lambdatop.demo.patches.proactive_init import Preparation
    from lambdatop.demo.process.deploy import Deployment
    from lambdatop.demo.process.http_client import Wire
    from lambdatop.demo.process.script import Steps
    from lambdatop.demo.process.traffic import Traffic

    wire = Wire(ready["port"], home.account, home.region, ready["token"])
    try:
        # The socket already listens, so that the first call waits until the server accepts it.
        wire.health()
        Deployment(wire, scenario).run()
        _write_credentials(Path(os.environ["TMPDIR"]), home.account, ready["token"])
    except BaseException:
        logging.getLogger("lambdatop.demo").exception("deploying %s", scenario.name)
        os._exit(1)
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    Traffic(wire, scenario.flows, times=compression).start()
    Steps(wire, scenario, compression).start()
    Preparation(home, [f.name for f in scenario.functions if f.prepared]).start()


def _write_credentials(directory: Path, account: str, token: str) -> None:
    """Write a file that AWS_SHARED_CREDENTIALS_FILE can name."""
    path = directory / CREDENTIALS
    lines = ["[default]", f"aws_access_key_id = {account}", f"aws_secret_access_key = {SECRET_KEY}"]
    lines += [f"aws_session_token = {token}", ""]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
