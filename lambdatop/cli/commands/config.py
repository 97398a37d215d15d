"""Show where settings come from, what they are, and whether they are valid."""

from __future__ import annotations

import argparse
import os

from lambdatop.cli import exit_codes, stdio
from lambdatop.cli.context import Context, places, settle
from lambdatop.cli.options import GLOBALS, choose
from lambdatop.config.example import scalar
from lambdatop.config.schema import BY_PATH, flatten
from lambdatop.domain.errors import UsageError
from lambdatop.report.text.table import text_table

PARTS = ("path", "show", "check")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("what", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace) -> int:
    """Run one of the three."""
    if args.what == "path":
        return _path(args)
    return _show(args) if args.what == "show" else _check(args)


def _path(args: argparse.Namespace) -> int:
    """Print places only; works with a broken file, too."""
    found = places(choose(args, os.environ), os.environ)
    rows = {
        "config": str(found.config_file),
        "state": str(found.state_dir),
        "log": str(found.log_file),
        "themes": [str(path) for path in found.theme_dirs],
    }
    if args.json:
        stdio.document(rows)
    else:
        flat = {**rows, "themes": ":".join(rows["themes"])}
        stdio.data(text_table(None, [[name, str(path)] for name, path in flat.items()]))
    return exit_codes.DONE


def _show(args: argparse.Namespace) -> int:
    loaded = settle(args).loaded
    flat = dict(flatten(loaded.settings))
    accounts = {f"accounts.{name}.read_only": origin for name, origin in loaded.settings.mode.accounts}
    if args.json:
        rows_ = {path: {"value": flat[path], "origin": loaded.origins[path]} for path in flat}
        stdio.document(rows_ | {path: {"value": True, "origin": o} for path, o in accounts.items()})
        return exit_codes.DONE
    rows = [[path, scalar(value), BY_PATH[path].unit, loaded.origins[path]] for path, value in flat.items()]
    rows += [[path, "true", "", origin] for path, origin in accounts.items()]
    stdio.data(text_table(("KEY", "VALUE", "UNIT", "FROM"), rows))
    return exit_codes.DONE


def _check(args: argparse.Namespace) -> int:
    context = settle(args)
    loaded = context.loaded
    _check_theme(context)
    state = "is valid" if loaded.exists else "does not exist; the defaults are valid"
    if args.json:
        stdio.document({"file": str(loaded.file), "exists": loaded.exists, "valid": True})
    else:
        stdio.data(f"{loaded.file} {state}")
    return exit_codes.DONE


def _check_theme(context: Context) -> None:
    """Check that the theme is among the theme files; the console starts with another one where it is missing.

    Raises:
        UsageError: there is no usable theme of this name.
    """
    from lambdatop.config.theme_file import load_themes

    themes = load_themes(context.paths.theme_dirs)
    name = context.settings.screen.theme
    if name not in themes.themes:
        problems = "".join(f"\n- {problem}" for problem in themes.problems)
        setting = next(option.setting for option in GLOBALS if option.dest == "theme")
        origin = context.loaded.origins[setting]
        raise UsageError(f"{origin}: {setting}: {themes.missing(name)}{problems}")
