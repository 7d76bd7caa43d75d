"""Assemble a self-contained module from the sources of functions: only those that a policy needs, in reading order."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True)
class Definition:
    """A function or class of a runtime module: its source, and the names that it uses."""

    source: str
    uses: frozenset[str]


#: A module, or the file of one that need not be imported.
Source = ModuleType | Path


def _text(module: Source) -> str:
    return module.read_text(encoding="utf-8") if isinstance(module, Path) else inspect.getsource(module)


@cache
def _statements(module: Source) -> list[ast.stmt]:
    """The top-level statements of `module`. Exports need them often, and parsing is most of an export's time."""
    return ast.parse(_text(module)).body


@cache
def definitions(module: Source) -> Mapping[str, Definition]:
    """The top-level functions and classes of `module` by name."""
    text = _text(module)
    return {
        node.name: Definition(ast.get_source_segment(text, node) or "", names_used(node))
        for node in _statements(module)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


@cache
def constants(module: Source) -> Mapping[str, Definition]:
    """The names of types and the constants at the top of `module`."""
    text = _text(module)
    named: dict[str, Definition] = {}
    for node in _statements(module):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(target, ast.Name):
            named[target.id] = Definition(ast.get_source_segment(text, node) or "", names_used(node))
    return named


def names_used(node: ast.AST) -> frozenset[str]:
    """Names that the definition uses but does not bind, without those in its decorators."""
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    left_out = {part for decorator in decorators for part in ast.walk(decorator)}
    parts = [part for part in ast.walk(node) if part not in left_out]
    names = [n for n in parts if isinstance(n, ast.Name)]
    own = {n.arg for n in parts if isinstance(n, ast.arg)} | {n.id for n in names if isinstance(n.ctx, ast.Store)}
    return frozenset(n.id for n in names) - own


def reachable(modules: Iterable[ModuleType]) -> list[ModuleType]:
    """`modules` and all autoaug modules that they import from, each after those that it imports."""
    order: list[ModuleType] = []

    def visit(module: ModuleType) -> None:
        if module in order:
            return
        for node in _statements(module):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("autoaug."):
                visit(sys.modules[node.module])
        order.append(module)

    for module in modules:
        visit(module)
    return order


@cache
def imports(module: Source) -> Mapping[str, str]:
    """The import statement for each name imported at the top of `module`. Imports from autoaug are left out, because
    the exported module contains those definitions.
    """
    statements = {}
    for node in _statements(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                statements[alias.asname or alias.name.partition(".")[0]] = ast.unparse(ast.Import([alias]))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.module.startswith(("autoaug", "__future__")):
            for alias in node.names:
                statements[alias.asname or alias.name] = ast.unparse(ast.ImportFrom(node.module, [alias], 0))
    return statements


def needed(wanted: Iterable[str], available: dict[str, Definition]) -> list[str]:
    """`wanted` and all definitions that they use, each after those that it uses."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order or name not in available:
            return
        for used in sorted(available[name].uses - {name}):
            visit(used)
        order.append(name)

    for name in wanted:
        visit(name)
    return order


def import_block(statements: Iterable[str]) -> str:
    """Import statements in the usual order: the standard library, then the rest; names of one module are merged."""
    plain, named = set(), dict[str, set[str]]()
    for statement in statements:
        node = ast.parse(statement).body[0]
        if isinstance(node, ast.ImportFrom) and node.module and not node.names[0].asname:
            named.setdefault(node.module, set()).add(node.names[0].name)
        else:
            plain.add(statement)
    lines = plain | {f"from {module} import {', '.join(sorted(names))}" for module, names in named.items()}
    standard = {line for line in lines if line.split()[1].partition(".")[0] in sys.stdlib_module_names}
    blocks = [sorted(block, key=lambda line: (line.startswith("from"), line)) for block in (standard, lines - standard)]
    return "\n\n".join("\n".join(block) for block in blocks if block)
