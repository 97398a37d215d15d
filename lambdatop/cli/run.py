"""Run once: parse, do, and turn whatever happened into an exit code and at most one sentence."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lambdatop.cli import exit_codes, stdio
from lambdatop.domain.errors import LambdatopError, TargetNotFound


def run(argv: Sequence[str]) -> int:
    """Exit code of one run. Never raises, never shows a traceback without --debug."""
    stdio.occupy_standard_descriptors()
    debug = "--debug" in argv or os.environ.get("LAMBDATOP_DEBUG", "") not in ("", "0")
    try:
        try:
            code = _command(argv)
        except SystemExit as left:  # argparse: 0 after --help and --version, 2 after a usage error; signals
            code = left.code if isinstance(left.code, int) else exit_codes.USAGE
        with stdio.keeping(code):
            stdio.flush()
    except LambdatopError as error:
        _explain(error, debug)
        return error.exit_code
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:  # whoever read the lines has seen enough
        return exit_codes.DONE
    except Exception as error:  # the last door: a person gets a sentence, not a traceback
        if debug:
            _traceback(error)
        else:
            name = type(error).__name__
            stdio.message(f"something unexpected happened ({name}); run with --debug to see where")
        return exit_codes.FAILED
    return code


def _command(argv: Sequence[str]) -> int:
    from lambdatop.cli.parser import build_parser

    args = build_parser(argv).parse_args(argv)
    if args.command is not None:  # the console asks for a terminal itself
        stdio.refuse_closed_stdout()
    code: int = args.run(args)
    return code


def _explain(error: LambdatopError, debug: bool) -> None:
    from lambdatop.domain.loglines.redact import redact

    if debug:
        _traceback(error)
    stdio.message(redact(str(error))[0])
    if isinstance(error, TargetNotFound):
        for candidate in error.candidates:
            stdio.message(f"  {candidate}")


def _traceback(error: BaseException) -> None:
    from lambdatop.domain.error_words import traceback_text

    stdio.words(traceback_text(error))
