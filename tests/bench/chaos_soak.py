"""The real console in a real terminal, behind a proxy that breaks everything in turn.

    python -m bench.chaos_soak [--seconds N] [--phase-s N] [--seed N] [--read-only]

Run by `make chaos`; exit 1 when a key was not answered in time, when the sources were not well again within
one round after a fault, or when memory, threads, sockets or files grew.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

from bench.chaos_account import deploy
from bench.chaos_mutation import storm
from bench.chaos_report import Report, judge, sample, told
from fakes.fault_proxy import PHASES, Steering, Trouble, running
from fakes.terminal import environment
from fakes.whole_screens import WholeScreens

from lambdatop.demo.process.launch import Demo, start

KEY_S = 5.0
"""A key must be answered within this long. Without a fault it takes a tenth of a second; the rest is room for
a machine that runs other tests. It is half of the shortest limit in the SDK (10 s for an answer): a console
that waited for AWS before it paints would miss it."""

BETWEEN_S = 1.0
ASK_AGAIN_S, WELL_ASKED_S = 7.0, 30.0
"""Seconds between two presses of `r`, and how long it may take until all is well. A round that was under way
when the trouble ended may still end badly, and cannot be asked for again before; the one after it may not. It
needs a new connection, then some twenty calls to Lambda, five a second."""

WELL_SLOWED_S = 180.0
"""The same once AWS has throttled: twenty calls at a sixteenth of the rate take a minute, and what failed for
want of an answer is asked again after another."""

WELL_S = 90.0
"""How long it may take unasked: a source that failed twice asks again after 40 s, after a third time 80 s."""

STORM_AFTER = 2
TESTS = Path(__file__).resolve().parents[1]
UNMET_S = 20.0
KEYS = (
    ("2", "2 retry storms"),
    ("?", "collect everything now"),
    ("?", "1 hot functions"),
    ("z", r"\[2 "),
    ("z", "1 hot functions"),
    ("1", "1 hot functions"),
    ("$", "own API calls|API"),
    ("\x1b", "1 hot functions"),
    ("J", "outcome"),
    ("\x1b", "1 hot functions"),
    ("3", "3 quota"),
    ("z", r"\[3 "),
    ("z", "1 hot functions"),
)
"""Keys, each with what it must bring on screen."""

CONFIG = """\
paces: {functions: 15, concurrency: 15, account: 15, quotas: 15, provisioned: 15, mappings: 15, queues: 15,
  metrics: 15, alarms: 15, triggers: 15, wiring: 15, streams: 15, logs: 5, permissions: 15, history: 15}
screen: {refresh: 1}
"""
HEADER = re.compile(r"\d+/\d+ ok")
WELL = re.compile(r"(?<!\d)(\d+)/\1 ok")
"""All sources are well."""


class Soak:
    """One console in one terminal, driven through the phases."""

    def __init__(self, term: WholeScreens, steering: Steering, counts: Path) -> None:
        self._term = term
        self._steering = steering
        self._counts = counts
        self.report = Report()

    def well(self, within_s: float, what: str, *, ask: bool = False, asked: int = 0) -> float:
        """Wait until all sources are well, asking again where `ask`; how long it took, s."""
        began = time.monotonic()
        while WELL.search(self._term.screen()) is None:
            waited = time.monotonic() - began
            if waited > within_s or self._term.process.poll() is not None:
                head = " / ".join(line.strip() for line in self._term.display.display[:2])
                self.report.wrongs.append(f"not well {within_s:g} s after {what}: {head}")
                break
            if HEADER.search(self._term.screen()) is None:
                self._term.press("\x1b")  # a dialog stands before what is looked for
                self._term.read(1.0)
            if ask and waited >= ASK_AGAIN_S * asked:
                self._term.press("r")
                asked += 1
            self._term.read(0.2)
        return time.monotonic() - began

    def key(self) -> None:
        """Press the next key and wait for what it must bring."""
        keys, shows = KEYS[self.report.keys % len(KEYS)]
        began = time.monotonic()
        try:
            self._term.go(keys, shows, KEY_S)
        except AssertionError as error:
            self.report.wrongs.append(f"{keys!r} was not answered within {KEY_S:g} s: {error}")
        took = time.monotonic() - began
        self.report.keys += 1
        self.report.slowest_s = max(self.report.slowest_s, took)
        self._term.read(max(0.0, BETWEEN_S - took))

    def go_round(self) -> None:
        """Press the rest of the keys, which end on the dashboard."""
        while self.report.keys % len(KEYS):
            self.key()

    def phase(self, trouble: Trouble, seconds: float, *, ask: bool) -> None:
        """Apply one kind of trouble for so long, then none until all is well.

        `ask`: by `r`, or by the pace.
        """
        self._steering.begin(trouble)
        until = time.monotonic() + seconds
        met = self._steering.proxy.met
        # Sources ask each quarter of a minute: a trouble that nobody has met yet goes on.
        while (now := time.monotonic()) < until or (trouble.name not in met and now < until + UNMET_S):
            self.key()
        self._steering.begin(None)
        slowed = {"throttling", "too many"} & set(self._steering.proxy.met)
        within_s = WELL_SLOWED_S if slowed else WELL_ASKED_S if ask else WELL_S
        took = self.well(within_s, trouble.name, ask=ask)
        print(f"{trouble.name}: well again after {took:.1f} s", file=sys.stderr, flush=True)
        worst = self.report.recoveries.get(trouble.name, 0.0)
        self.report.recoveries[trouble.name] = max(worst, took)
        self.report.samples.append(sample(self._term.process.pid))
        counts = [int(line) for line in self._counts.read_text().split()]
        self.report.tasks.append(next((n for n in reversed(counts) if n >= 0), 0))


def soak(seconds: float, phase_s: float, home: Path, seed: int = 7, *, read_only: bool = False) -> Report:
    """Run the console for so long through all phases, again and again."""
    (home / "config.yaml").write_text(CONFIG, encoding="utf-8")
    (home / "config.yaml").chmod(0o600)
    counts = home / "tasks"
    counts.touch()
    with start(deploy=False) as demo, _proxied(demo, seed) as steering:
        deploy(demo)
        argv = [
            sys.executable,
            "-m",
            "bench.counted_console",
            str(counts),
            "--config",
            str(home / "config.yaml"),
        ]
        argv += ["--debug", "--state-dir", str(home / "state"), *(["--read-only"] if read_only else [])]
        with WholeScreens(argv, _environment(home, demo, steering), 120, 36) as term:
            run = Soak(term, steering, counts)
            run.well(60.0, "the start")
            began, number = time.monotonic(), 0
            while term.process.poll() is None and (
                number < len(PHASES) or time.monotonic() - began < seconds
            ):
                asked = number // len(PHASES) % 2 == 0
                if number == STORM_AFTER and not read_only:
                    run.go_round()
                    run.report.wrongs += storm(term, steering, demo)
                run.phase(PHASES[number % len(PHASES)], phase_s, ask=asked)
                number += 1
            if term.process.poll() is not None:
                run.report.wrongs.append(f"the console ended with {term.process.returncode}")
            else:
                run.go_round()  # a `q` in a filter line is a letter
                term.press("q")
                if code := term.wait_for_exit(40):
                    run.report.wrongs.append(f"the console left with {code}")
            run.report.met = dict(steering.proxy.met)
            run.report.log = _log(home)
    judge(run.report)
    return run.report


def _log(home: Path) -> str:
    return "".join(p.read_text() for p in sorted((home / "state").glob("*.log")))


def _proxied(demo: Demo, seed: int) -> AbstractContextManager[Steering]:
    address = urlsplit(demo.endpoint_url)
    assert address.hostname
    assert address.port
    return running(address.hostname, address.port, seed)


def _environment(home: Path, demo: Demo, steering: Steering) -> dict[str, str]:
    return environment(
        home,
        PYTHONPATH=os.pathsep.join(p for p in (str(TESTS), os.environ.get("PYTHONPATH", "")) if p),
        AWS_ACCESS_KEY_ID=demo.access_key,
        AWS_SECRET_ACCESS_KEY=demo.secret_key,
        AWS_SESSION_TOKEN=demo.session_token,
        AWS_REGION=demo.region,
        AWS_EC2_METADATA_DISABLED="true",
        LAMBDATOP_ENDPOINT_URL=steering.proxy.url,
        LAMBDATOP_ALLOW_ENDPOINT_CHANGES="true",
    )


def main() -> int:
    """Soak and report; 1 when something was wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--phase-s", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--read-only", action="store_true", help="without a throttle and its undo")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lambdatop-chaos-") as home:
        report = soak(args.seconds, args.phase_s, Path(home), args.seed, read_only=args.read_only)
    sys.stdout.write(told(report))
    return int(bool(report.wrongs))


if __name__ == "__main__":
    raise SystemExit(main())
