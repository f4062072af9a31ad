"""List the mutants of a module: one change of one expression or statement each."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Mutant:
    """A change of the bytes ``start`` to ``end`` of a module."""

    module: str
    where: str
    line: int
    start: int
    end: int
    old: str
    new: str
    around: tuple[str, str] = ("", "")
    """The rest of its first and of its last line."""

    @property
    def key(self) -> Key:
        """What it is called in the list of equivalent ones: it stays when lines move."""
        return self.module, self.where, " ".join(self.old.split()), " ".join(self.new.split())

    @property
    def keys(self) -> tuple[Key, Key]:
        """The key, and that with the whole lines, for a change that is another one elsewhere in the same function."""
        old, new = (" ".join(f"{self.around[0]}{text}{self.around[1]}".split()) for text in (self.old, self.new))
        return self.key, (self.module, self.where, old, new)

    def __str__(self) -> str:
        _, where, old, new = self.key
        return f"{self.module}:{self.line} ({where})  {old}  ->  {new}"


_NEIGHBOUR = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}


_OPPOSITE = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


_ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult}


_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}


def _with(node: ast.AST, **changes: object) -> str:
    changed = copy.copy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return f"({ast.unparse(changed)})"


def _comparisons(node: ast.AST) -> Iterator[str]:
    """The neighbour of a comparison (the boundary), and its opposite."""
    if isinstance(node, ast.Compare):
        for n, operator in enumerate(node.ops):
            for table in (_NEIGHBOUR, _OPPOSITE):
                if type(operator) in table:
                    yield _with(node, ops=[*node.ops[:n], table[type(operator)](), *node.ops[n + 1 :]])


def _logic(node: ast.AST) -> Iterator[str]:
    """``and`` for ``or``, a part left out, no ``not``."""
    if isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for n in range(len(node.values)):
            rest = [*node.values[:n], *node.values[n + 1 :]]
            yield f"({ast.unparse(rest[0])})" if len(rest) == 1 else _with(node, values=rest)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"({ast.unparse(node.operand)})"


def _conditions(node: ast.AST) -> Iterator[str]:
    """A condition that is no comparison, and the other way round."""
    if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Await) and getattr(node, "is_condition", False):
        yield f"(not {ast.unparse(node)})"


def _constants(node: ast.AST) -> Iterator[str]:
    """Numbers one more and one less, truths the other way round."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield str(not node.value)
        elif isinstance(node.value, int):
            yield str(node.value + 1)
            if node.value > 0:
                yield str(node.value - 1)
        elif isinstance(node.value, float):
            yield str(node.value * 2 + 1)


def _arithmetic(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        yield _with(node, op=_ARITHMETIC[type(node.op)]())


def _calls(node: ast.AST) -> Iterator[str]:
    """The least for the greatest, all for any, no order."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLED:
        yield _with(node, func=ast.Name(_CALLED[node.func.id]))


def _statements(node: ast.AST) -> Iterator[str]:
    """A statement left out, nothing returned, a loop ended early or not."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await):
        yield "pass"
    if isinstance(node, ast.AugAssign | ast.Raise | ast.Delete):
        yield "pass"
    elif isinstance(node, ast.Return):
        if node.value is None:
            yield "pass"
        elif ast.unparse(node.value) not in ("None", "False"):
            yield "return None"
    elif isinstance(node, ast.Continue):
        yield "break"
    elif isinstance(node, ast.Break):
        yield "continue"


OPERATORS = (_comparisons, _logic, _conditions, _constants, _arithmetic, _calls, _statements)


_NOT_JUDGED = ("log.", "logging.", "warnings.")
"""Calls of these are words for people."""


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node in which a fault would matter: no annotations, decorators, texts, or words of an error."""
    if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from (d for d in (*node.args.defaults, *node.args.kw_defaults) if d is not None)
        yield from node.body if node.name != "__repr__" else ()
        return
    if isinstance(node, ast.AnnAssign):
        yield from [node.value] if node.value else []
        return
    if isinstance(node, ast.ClassDef):
        yield from node.body
        return
    if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(_NOT_JUDGED):
        return
    yield from ast.iter_child_nodes(node)


def mutants_of(module: str) -> list[Mutant]:
    """All mutants of a module, in order of place."""
    source = (ROOT / module).read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: dict[tuple[int, int, str], Mutant] = {}

    def walk(node: ast.AST, where: str) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            where = f"{where}.{node.name}".removeprefix(".")
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            node.test.is_condition = True
        for operator in OPERATORS if hasattr(node, "end_col_offset") else ():
            start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
            old = source[start:end].decode()
            if isinstance(node, ast.Expr) and old.removeprefix("await ").startswith(_NOT_JUDGED):
                continue
            around = source[starts[node.lineno - 1] : start].decode(), source[end : starts[node.end_lineno]].decode()
            for new in operator(node):
                mutant = Mutant(module, where or "module", node.lineno, start, end, old, new, around)
                found.setdefault((start, end, new), mutant)
        for child in _children(node):
            walk(child, where)

    walk(ast.parse(source), "")
    return sorted(found.values(), key=lambda m: (m.start, m.end, m.new))
