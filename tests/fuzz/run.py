"""Feed made-up inputs to one of the fuzzers until a number of inputs or of seconds is reached.

    python -m fuzz.run NAME [--inputs N | --seconds S] [--seed K]

NAME is a module of this folder without `fuzz_`: keys, loglines, answers, frames. Each has `make(rng)`, which
makes something to feed, and `one(data)`, which feeds it, raises when the product does something wrong with
it, and gives how many inputs it was: keys for keys, lines for log lines, else one. `finish()`, where there is
one, takes down what `one` has left open. What fails is saved below build/fuzz with its seed and its number,
and ends the run with exit code 1.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.util
import json
import random
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

SAVED = Path("build/fuzz")
COLLECT_AFTER = 50_000
"""Objects between two looks for garbage."""
NAMES = ("keys", "loglines", "answers", "frames")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one fuzzer; the exit code is 0 without a fault, 1 with one, 2 for a fuzzer that is not there."""
    parser = argparse.ArgumentParser(prog="fuzz.run", description="Feed made-up inputs to a fuzzer.")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--inputs", type=int, help="how many inputs")
    parser.add_argument("--seconds", type=float, help="how long, where no number of inputs is given")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    module = f"fuzz.fuzz_{args.name}"
    if importlib.util.find_spec(module) is None:
        sys.stderr.write(f"there is no {module.replace('.', '/')}.py yet\n")
        return 2
    seconds = 60.0 if args.inputs is None and args.seconds is None else args.seconds
    return run(importlib.import_module(module), args.name, args.inputs, seconds, args.seed)


def run(fuzzer: ModuleType, name: str, inputs: int | None, seconds: float | None, seed: int) -> int:
    """Make and feed inputs; each time with a generator of its own, so that `SEED INDEX` makes it again."""
    begin = time.monotonic()
    done = index = 0
    while (inputs is None or done < inputs) and (seconds is None or time.monotonic() - begin < seconds):
        data = fuzzer.make(random.Random(f"{seed} {index}"))
        try:
            done += fuzzer.one(data)
        except Exception as error:
            _save(name, seed, index, data, error)
            print(f"{name}: {done + 1:,} inputs, 1 fault (seed {seed})")
            return 1
        index += 1
        if index == 1:  # what the first input has made stays: nobody need look for garbage in it
            gc.collect()
            gc.freeze()
            gc.set_threshold(COLLECT_AFTER)
    getattr(fuzzer, "finish", lambda: None)()
    took = max(time.monotonic() - begin, 1e-9)
    print(f"{name}: {done:,} inputs, 0 faults (seed {seed}, {done / took:,.0f} inputs/s)")
    return 0


def _save(name: str, seed: int, index: int, data: object, error: BaseException) -> None:
    """Write what failed where somebody can look at it, and say where."""
    SAVED.mkdir(parents=True, exist_ok=True)
    file = SAVED / f"{name}-{seed}-{index}.json"
    words = "".join(traceback.format_exception(error))
    found = {"fuzzer": name, "seed": seed, "index": index, "data": repr(data), "error": words}
    file.write_text(json.dumps(found, indent=1), encoding="utf-8")
    sys.stderr.write(f"{words}\nsaved as {file}\n")


if __name__ == "__main__":
    sys.exit(main())
