"""The mutation tester: it makes the mistakes that matter, and its settings name what is there."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import mutants as tool
import pytest
from mutations import mutants


def faults(text: str) -> dict[str, str]:
    """Return the mutated modules by the name of the fault."""
    made = {}
    for number, one in enumerate(mutants(ast.parse(text))):
        tree = ast.parse(text)
        again = mutants(tree)[number]
        again.code(tree, "module.py")
        made[one.label] = ast.unparse(tree)
    return made


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("if a >= b:\n    c()", ["if a > b:\n    c()", "if a < b:\n    c()", "if a >= b:\n    pass"]),
        ("x = a and b", ["x = a or b", "x = b", "x = a"]),
        ("x = 'ab'", ["x = ''"]),
        ("x = ''", ["x = 'other'"]),
        ("x = 60.0", ["x = 61.0"]),
        ("x = {'force_close': True}", ["x = {'': True}", "x = {}", "x = {'force_close': False}"]),
        ("f(a=b)", ["pass", "f()"]),
        ("def f():\n    return g", ["def f():\n    return None"]),
        ("x = [y for y in z if y]", ["x = [y for y in z]"]),
        ("if not a:\n    raise B", ["if a:\n    raise B", "if not a:\n    pass"]),
        ("x = f'{a} is {b:.1f}'", ["x = ''"]),
        ("x.y = z", ["pass"]),
    ],
)
def test_each_mistake_is_made(text: str, becomes: list[str]) -> None:
    assert list(faults(text).values()) == becomes


@pytest.mark.parametrize(
    "text",
    [
        "import a\nfrom b import c",
        "__all__ = ['a', 'b']",
        '"""Says why."""',
        "def f(a: int) -> str:\n    'Say what.'",
        "@wraps('x')\ndef f(): ...",
        "T = TypeVar('T')",
        "Tier = Literal['T1', 'T2']",
        "Rule = tuple[str, 're.Pattern[str]']",
        "if TYPE_CHECKING:\n    x = 1",
    ],
)
def test_what_no_test_of_behaviour_could_tell_is_left_alone(text: str) -> None:
    assert faults(text) == {}


def test_faults_are_named_by_what_they_are_and_not_by_where_they_stand() -> None:
    text = "def f(a):\n    return a > 1\n"
    below = f"import os\n\n\n{text}"
    assert list(faults(text)) == list(faults(below))
    twice = faults("x = [1, 1]")
    assert len(twice) == len(set(twice)) == 4
    assert "f | return a > 1 | a > 1 -> a >= 1" in faults(text)


def test_every_module_and_every_test_that_is_named_is_there(root: Path) -> None:
    settings = tomllib.loads(tool.SETTINGS.read_text(encoding="utf-8"))
    for name, about in settings["target"].items():
        for pattern in about["modules"]:
            assert list(root.glob(pattern)), (name, pattern)
        assert [test for test in about["tests"] if not (root / test).is_file()] == [], name
    assert len(tool.targets(())) == len({target.module for target in tool.targets(())}), "each module once"
    assert [target.module for target in tool.targets(["guard"])] == ["lambdatop/aws/sdk/walls/guard.py"]


def test_every_excuse_is_about_a_fault_that_is_still_there_and_says_why(root: Path) -> None:
    for module, excuses in tool.excused().items():
        known = {one.label for one in mutants(ast.parse((root / module).read_text(encoding="utf-8")))}
        assert sorted(set(excuses) - known) == [], module
        assert [label for label, why in excuses.items() if len(why.split()) < 4] == [], module
