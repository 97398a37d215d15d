"""Docstrings are literal and imperative, and words are those of the glossary (docs/glossary.md)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

WORDS = """
Accept Act Add Address Advance Align Allow Announce Answer Append Apply Archive Arm Ask Assert Assign Attach
Audit Await Become Begin Bind Block Book Build Cache Call Cancel Carry Change Check Choose Clean Clear Click
Close Collect Compare Compile Complete Compose Compute Conclude Confirm Connect Continue Convert Copy Count
Create Cut Declare Decode Decrypt Delay Delete Deploy Derive Describe Detect Disable Disarm Discard Dispatch
Divide Do Drag Drain Draw Drop Emit Empty Enable Encode End Ensure Enter Escape Estimate Evaluate Execute
Exit Expand Expect Export Extract Fail Feed Fetch Fill Filter Find Finish Fit Flush Focus Fold Follow Forbid
Forget Fork Format Free Freeze Fuzz Generate Get Give Group Guard Halve Hand Handle Hang Hide Highlight Hold
Honour Ignore Import Increment Index Initialize Insert Inspect Install Invert Invoke Join Keep Kill Leave
Let Limit Link List Listen Load Locate Lock Log Make Map Mark Mask Match Measure Merge Migrate Move Name
Normalize Note Notify Observe Open Order Page Paint Parse Pass Patch Pause Permit Persist Pick Plan Play
Poll Pop Post Prepare Prepend Press Prevent Preview Print Process Propose Provide Prune Publish Push Put
Qualify Quarantine Query Quit Quote Raise Rank Read Receive Reconnect Record Recover Redact Reduce Refresh
Refuse Register Reject Release Remember Remove Rename Render Repaint Replace Replay Report Require Reset
Resolve Restart Restore Resume Retry Return Reverse Rotate Round Run Sample Save Scale Schedule Scroll
Search See Select Send Serialize Serve Set Settle Shorten Show Sign Simulate Skip Sleep Slow Soak Sort Split
Start Stop Store Stream Strip Submit Subscribe Sum Summarize Suspend Sweep Switch Sync Take Tear Test
Throttle Trace Track Transform Translate Treat Trim Truncate Try Tune Turn Type Undo Unpack Update Upload
Use Validate Verify Visit Wait Walk Warn Watch Wrap Write Yield
"""
VERBS = frozenset(WORDS.split())
"""What the docstring of a function may begin with. A missing verb is added; no noun, no question word is."""


BANNED = re.compile(
    r"corridor|\bthis room\b|\battics?\b|\bbreath|\blook twice\b|what looking costs|come back and back"
    r"|\b(plan|round) of looks\b|\b(was|were) given up\b|\bin_turn\b|\bsay_when_empty\b"
    r"|\b_?sight\b|\bsum_up\b|\bhand_out\b|\blet_go\b|\b(async|queue|stream)_fate\b|\bLook(State|Plan)\b"
    r"|\bmake looks\b",
    re.IGNORECASE,
)
"""Private language in code, comments and documents; docs/glossary.md has the words to use instead."""

RIDDLES = {
    "fate",
    "fleet",
    "looking",
    "looks_planned",
    "mood",
    "only_look",
    "profile_look",
    "look_at_profile",
}
"""Names of code that say nothing of what they hold; keys of the JSON stay as other programs know them."""


@cache
def _files(root: Path) -> tuple[tuple[str, ast.Module], ...]:
    return tuple(
        (file.relative_to(root).as_posix(), ast.parse(file.read_text(encoding="utf-8")))
        for folder in ("lambdatop", "tests", "tools")
        for file in sorted((root / folder).rglob("*.py"))
    )


def _is_described_by_a_noun(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a noun or a statement describes it: a property, a test (its rule), a scene."""
    decorators = [ast.unparse(decorator) for decorator in function.decorator_list]
    return (
        function.name.startswith("test_")
        or any("property" in decorator or decorator.endswith(".setter") for decorator in decorators)
        or (function.returns is not None and ast.unparse(function.returns) == "Scene")
    )


def _first_words(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the first word of each docstring that must begin with a verb."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _is_described_by_a_noun(node):
            text = ast.get_docstring(node)
            if text:
                yield node.lineno, re.split(r"[\s,.:;]", text)[0]


def test_docstrings_of_functions_begin_with_a_verb(root: Path) -> None:
    found = {
        f"{name}:{line} {word}"
        for name, module in _files(root)
        for line, word in _first_words(module)
        if word not in VERBS
    }
    assert found == set()


def _names(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield what a file calls its functions, classes, arguments, fields and variables."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id if isinstance(node, ast.Name) else node.attr


def test_no_name_is_a_riddle(root: Path) -> None:
    found = [
        f"{file}:{line} {name}"
        for file, module in _files(root)
        for line, name in _names(module)
        if re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().strip("_") in RIDDLES
    ]
    assert found == []


def test_private_language_is_gone(root: Path) -> None:
    files = [
        *(
            file
            for folder in ("lambdatop", "tests", "tools")
            for file in sorted((root / folder).rglob("*.py"))
        ),
        *(root / name for name in ("README.md", "CONTRIBUTING.md", "Makefile")),
        *(file for file in (root / "docs").glob("*.md") if file.name != "glossary.md"),
    ]
    found = [
        f"{file.relative_to(root)}:{number} {match.group()}"
        for file in files
        if file != Path(__file__)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if (match := BANNED.search(line))
    ]
    assert found == []
