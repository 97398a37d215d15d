"""Frozen values are what `dataclasses` makes of the same class, in everything that can be seen."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lambdatop
from lambdatop.domain import frozen


def both(make: Callable[[Callable[..., Any]], Any]) -> tuple[Any, Any]:
    """Make the class in both ways."""
    return make(frozen.dataclass), make(dataclasses.dataclass)


def point(dataclass: Callable[..., Any]) -> Any:
    @dataclass(frozen=True, slots=True)
    class Point:
        """A point."""

        x: int
        y: float = 2.5
        tags: list[str] = field(default_factory=list)
        secret: str = field(default="s", repr=False)
        note: str = field(default="", compare=False)

    return Point


def one(dataclass: Callable[..., Any]) -> Any:
    @dataclass(frozen=True, slots=True)
    class One:
        """One field."""

        x: int = 0

    return One


def none(dataclass: Callable[..., Any]) -> Any:
    @dataclass(frozen=True, slots=True)
    class Nothing:
        """No field."""

    return Nothing


def identity(dataclass: Callable[..., Any]) -> Any:
    @dataclass(frozen=True, slots=True, eq=False)
    class Itself:
        """Equal to itself alone."""

        x: int = 0

    return Itself


def own(dataclass: Callable[..., Any]) -> Any:
    @dataclass(frozen=True, slots=True)
    class Own:
        """With methods of its own."""

        x: int

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("x is less than 0")

        def __repr__(self) -> str:
            return "mine"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

    return Own


def derived(dataclass: Callable[..., Any]) -> Any:
    @dataclass(frozen=True, slots=True)
    class Derived(one(dataclass)):  # type: ignore[misc]
        """One more."""

        z: str = "z"

    return Derived


ALL = [point, one, none, identity, own, derived]


@pytest.mark.parametrize("make", ALL)
def test_the_class_looks_the_same(make: Any) -> None:
    ours, theirs = both(make)
    assert [f.name for f in dataclasses.fields(ours)] == [f.name for f in dataclasses.fields(theirs)]
    assert ours.__match_args__ == theirs.__match_args__
    assert ours.__slots__ == theirs.__slots__
    assert not hasattr(ours(1) if make is not none else ours(), "__dict__")
    assert (ours.__hash__ is object.__hash__) == (theirs.__hash__ is object.__hash__)


@given(st.integers(0), st.floats(), st.lists(st.text()), st.text(), st.text())
def test_values_are_shown_and_compared_alike(x: int, y: float, tags: list[str], s: str, note: str) -> None:
    ours, theirs = both(point)
    a, b = ours(x, y, tags, secret=s, note=note), theirs(x, y, tags, secret=s, note=note)
    assert repr(a) == repr(b)
    assert dataclasses.asdict(a) == dataclasses.asdict(b)
    for change in ({"note": "other"}, {"x": x + 1}, {"secret": s + "."}, {}):
        here, there = dataclasses.replace(a, **change), dataclasses.replace(b, **change)
        assert (here == a) == (there == b)
    assert a != b
    assert ours(x, y, ()) == ours(x, y, ())
    assert hash(ours(x, 1.0, ())) == hash(theirs(x, 1.0, ()))


@pytest.mark.parametrize("arguments", [(), (1, 2, [], "", "", 6)])
def test_wrong_arguments_are_refused_alike(arguments: tuple[Any, ...]) -> None:
    for made in both(point):
        with pytest.raises(TypeError, match=r"\(\) (missing 1 required|takes from 2 to 6)"):
            made(*arguments)
        with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
            made(1, z=2)


def test_own_methods_stay_and_each_has_its_own_default_list() -> None:
    for made in both(own):
        assert repr(made(1)) == "mine"
        assert made(1) == 2
        assert hash(made(1)) == 7
        with pytest.raises(ValueError, match="less than 0"):
            made(-1)
    ours, _ = both(point)
    assert ours(1).tags is not ours(1).tags


@pytest.mark.parametrize("make", ALL)
def test_nothing_can_be_set_and_copies_are_equal(make: Any) -> None:
    for made in both(make):
        value = made(1) if make is not none else made()
        if make is not none:  # the standard library's own way fails there
            with pytest.raises(dataclasses.FrozenInstanceError):
                value.x = 2
            with pytest.raises(dataclasses.FrozenInstanceError):
                del value.x
        if make is not identity:
            assert copy.deepcopy(value) == value
            assert copy.copy(value) == value


@frozen.dataclass(frozen=True, slots=True)
class Kept:
    """A value that can be found by its name."""

    x: int
    y: tuple[int, ...] = ()


def test_a_value_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(Kept(1, (2,)))) == Kept(1, (2,))


def test_what_is_not_frozen_is_the_standard_library_s() -> None:
    @frozen.dataclass(slots=True)
    class Open:
        """May change."""

        x: int

    value = Open(1)
    value.x = 2
    assert value == Open(2)
    assert Open.__dataclass_params__.eq  # type: ignore[attr-defined]


def test_all_values_of_the_product_are_made_this_way() -> None:
    root = Path(lambdatop.__file__).parent
    slow = [
        str(file.relative_to(root))
        for file in root.rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("from dataclasses import") and "dataclass" in line.replace(",", " ").split()[3:]
    ]
    assert slow == []
