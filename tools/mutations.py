"""Small faults for a module: what could be written there by mistake, one at a time.

Comparisons lose or gain their edge or turn round, conditions lose a part, numbers are off by one, texts
are empty, arguments, entries and statements are missing, and functions return nothing. Not touched is what
no test of behaviour could tell: imports and `__all__`, annotations, decorators, documentation, names of
type variables.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_TYPES = ("TypeVar", "ParamSpec", "NewType", "cast")
_ALIASES = ("Literal", "tuple", "Mapping", "Callable")
MOST_TEXT = 90
"""Characters of a statement in the name of a mutant."""


@dataclass(frozen=True)
class Mutant:
    """One fault: `place[field]` (or its item `index`) becomes `instead`; None takes an item away."""

    label: str
    place: ast.AST
    field: str
    index: int | None
    instead: ast.AST | None

    def code(self, tree: ast.Module, file: str) -> CodeType:
        """Return the module with this fault, compiled; the tree keeps it."""
        if self.index is None:
            setattr(self.place, self.field, self.instead)
        elif self.instead is None:
            for name in ("keys", "values") if isinstance(self.place, ast.Dict) else (self.field,):
                del getattr(self.place, name)[self.index]
        else:
            getattr(self.place, self.field)[self.index] = self.instead
        return compile(ast.fix_missing_locations(tree), file, "exec")


def mutants(tree: ast.Module) -> list[Mutant]:
    """Return every fault of a module, each with a name of its own: function, statement, what becomes what.

    The name holds no line number, so that it stays when something else in the file changes.
    """
    found = list(_walk(tree, "", ""))
    seen: Counter[str] = Counter()
    named = []
    for one in found:
        seen[one.label] += 1
        again = f" ({seen[one.label]})" if seen[one.label] > 1 else ""
        named.append(Mutant(one.label + again, one.place, one.field, one.index, one.instead))
    return named


def _walk(node: ast.AST, function: str, statement: str) -> Iterator[Mutant]:
    """Yield the faults below `node`, outermost first."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "ctx", "type_params"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if not isinstance(child, ast.AST) or _is_left_alone(node, child):
                continue
            inside, around = function, statement
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                inside = f"{function}.{child.name}".lstrip(".")
            if isinstance(child, ast.stmt):
                around = _short(ast.unparse(child).splitlines()[0])
            where = f"{inside or 'module'} | {around}"
            for what, instead in _instead(node, field, child):
                yield Mutant(f"{where} | {what}", node, field, index, instead)
            yield from _walk(child, inside, around)


def _is_left_alone(parent: ast.AST, child: ast.AST) -> bool:
    if isinstance(child, (ast.Import, ast.ImportFrom)):
        return True
    if isinstance(parent, (ast.JoinedStr, ast.FormattedValue)) and isinstance(
        child, (ast.Constant, ast.JoinedStr)
    ):
        return True  # the text is one piece, and how a number is written is not behaviour
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True  # documentation
    if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
        return True
    if isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) == "__all__":
        return True  # for readers and star imports, of which there are none
    if isinstance(child, ast.Call) and ast.unparse(child.func) in _TYPES:
        return True
    return isinstance(child, ast.Subscript) and ast.unparse(child.value) in _ALIASES


def _instead(parent: ast.AST, field: str, node: ast.AST) -> Iterator[tuple[str, ast.AST | None]]:
    """Yield what could stand there, with words for it; None for nothing at all."""
    if isinstance(node, ast.stmt):
        yield from _statements(node)
    elif isinstance(node, ast.keyword):
        yield f"without {_short(ast.unparse(node))}", None
    elif isinstance(node, ast.expr):
        for instead in _expressions(parent, node):
            yield f"{_short(ast.unparse(node))} -> {_short(ast.unparse(instead))}", instead
        entry = isinstance(parent, (ast.Set, ast.List)) or (isinstance(parent, ast.Dict) and field == "keys")
        if entry and not isinstance(getattr(parent, "ctx", None), ast.Store):
            yield f"without the entry {_short(ast.unparse(node))}", None
    if isinstance(parent, ast.comprehension) and field == "ifs":
        yield f"without if {_short(ast.unparse(node))}", None


def _statements(node: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    writes = isinstance(node, ast.AugAssign) or (
        isinstance(node, ast.Assign) and not isinstance(node.targets[0], (ast.Name, ast.Tuple))
    )
    if writes or isinstance(node, (ast.Expr, ast.Raise, ast.Delete)):
        yield "without it", ast.Pass()
    if isinstance(node, ast.Break):
        yield "break -> continue", ast.Continue()
    if isinstance(node, ast.Continue):
        yield "continue -> break", ast.Break()
    # What stands for "no" stands for it as None too.
    if isinstance(node, ast.Return) and node.value and ast.unparse(node.value) not in ("None", "False"):
        yield "return None", ast.Return(value=ast.Constant(None))


def _expressions(parent: ast.AST, node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in _COMPARED[type(operator)]:
                operators = [*node.ops[:place], other(), *node.ops[place + 1 :]]
                yield ast.Compare(node.left, operators, node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for place in range(len(node.values)):
            rest = [*node.values[:place], *node.values[place + 1 :]]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in _COMPUTED:
        yield ast.BinOp(node.left, _COMPUTED[type(node.op)](), node.right)
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.JoinedStr):
        yield ast.Constant("")
    if _is_plain_condition(parent, node):
        yield ast.UnaryOp(ast.Not(), node)


def _is_plain_condition(parent: ast.AST, node: ast.expr) -> bool:
    decides = isinstance(parent, (ast.If, ast.While, ast.IfExp)) and parent.test is node
    return decides and not isinstance(node, (ast.Compare, ast.BoolOp, ast.UnaryOp))


def _constants(value: Any) -> Iterator[ast.expr]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
    elif isinstance(value, (str, bytes)):
        other: Any = "other" if isinstance(value, str) else b"other"
        yield ast.Constant(type(value)() if value else other)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 3] + "..."
