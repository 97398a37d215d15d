from __future__ import annotations

import importlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdatop.domain.search import automaton
from lambdatop.domain.search.automaton import PatternError, Search
from lambdatop.domain.search.patterns import MAX_CHARS, linear_pattern

PATTERNS = (
    "a.*b.*c", "(a+)+$", "(a|ab)*c", r"\bfoo\b.*\d+$", "^x.*y.*z$", "[^a]*b[^c]+d", "(a|b)*a(a|b){3}",
    "(?:foo|bar)+baz", "a{2,3}.*b?c+", r"\w+\s\w+\s\w+", r"\B\d+.*\D+x", "(?i)AB.*c.*D", "[a-c]+?d*.+x",
    r"\S+\W[^\s]*", "(?i:A)b+(c|d)*", "a?b?c?d?a?b?c?", "x|", "[A-Zf]oo.*[^B]*1", r"(?s)a.+b.+",
)  # fmt: skip
TEXTS = st.text(alphabet="abcdxyz fo\n1B_É", max_size=24)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(text=TEXTS)
def test_both_engines_find_what_python_finds(pattern: str, text: str) -> None:
    for ignore_case in (False, True):
        flags = re.IGNORECASE if ignore_case else re.NOFLAG
        python = re.compile(pattern, flags)
        text = text.rstrip("\n")
        wanted = python.search(text)
        machine = Search(importlib.import_module("re._parser").parse(pattern, flags), python.flags)
        checked = linear_pattern(pattern, ignore_case=ignore_case)
        assert checked.found(text) is machine.found(text) is (wanted is not None)
        for spans in (checked.spans(text), machine.spans(text)):
            assert all(python.search(text, begin) is not None for begin, _ in spans)
            if spans and wanted:
                # The nearest end decides which match it is; none begins before Python's first one.
                assert spans[0][0] >= wanted.start()
                assert spans == sorted(spans)


def steps(pattern: str, text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return number of states that the automaton builds, all that costs more than a look-up a character."""
    built = 0
    step = automaton._Machine.step

    def counted(self: automaton._Machine, state: automaton._State, c: str) -> tuple[bool, automaton._State]:
        nonlocal built
        built += 1
        return step(self, state, c)

    monkeypatch.setattr(automaton._Machine, "step", counted)
    assert not linear_pattern(pattern).found(text)
    return built


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(x+x+)+y", "a*a*a*a*b", "(a?){30}a{30}b", ".*a.*a.*a.*b"]
)
def test_patterns_that_explode_elsewhere_take_few_steps(
    pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were one of these left to Python's engine, this test would not end."""
    assert 0 < steps(pattern, "a" * 8_000 + "!", monkeypatch) < 100


def test_one_repetition_in_a_long_text_is_no_square(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < steps("a+b", "a" * 8_000, monkeypatch) < 20


def test_an_automaton_that_grows_too_large_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automaton, "MAX_STATES", 8)
    pattern = linear_pattern("(a|b)*a(a|b){7}c")
    assert not pattern.found("abbabaab" * 100)
    assert pattern.found("abbabaab" * 100 + "c")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(a)\1", "backreference"),
        ("(?=a)b", "lookaround"),
        ("(?<!a)b", "lookaround"),
        ("(?>a)b", "atomic"),
        ("a++b", "possessive"),
        ("(a)?(?(1)b|c)", "conditional"),
        ("(?m)^a*b*$", "flags"),
        ("(?s:.)*x", "flags"),
        ("((a{100}){100}){100}", "too large"),
        ("a" * (MAX_CHARS + 1), "longer"),
        ("(", "not a regular expression"),
    ],
)
def test_what_no_automaton_can_do_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(PatternError, match=why):
        linear_pattern(pattern)


def test_spans_are_bounded_and_never_empty() -> None:
    assert linear_pattern("x*").spans("axxb") == [(1, 3)]
    assert linear_pattern("b.*c.*d").spans("ab c d bcd") == [(1, 6), (7, 10)]
    assert len(linear_pattern("a").spans("a" * 500)) == automaton.HIGHLIGHTS
    assert len(linear_pattern("a*a*a").spans("a" * 500)) == automaton.HIGHLIGHTS


def test_the_parser_speaks_the_names_that_are_read() -> None:
    parse = importlib.import_module("re._parser").parse
    names = {str(op) for p in ("a.[b][^c]", "a|bc", "(a)+?b*^", r"\d") for op, _ in parse(p)}
    assert names >= {"LITERAL", "ANY", "IN", "NOT_LITERAL", "BRANCH", "MAX_REPEAT", "MIN_REPEAT", "AT"}
    assert str(parse("^")[0][1]) == "AT_BEGINNING"
    assert parse("a*")[0][1][1] is automaton.ENDLESS
