"""What a name in Python source stands for: through imports, aliases, getattr and texts put together."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from weigh.knowledge.python_calls import deed_of

MOST_DEPTH = 20
MOST_TEXT = 4096
MOST_CHOICES = 20
_BUILTINS = frozenset(dir(builtins))
_IMPORTERS = ("builtins.__import__", "importlib.import_module", "importlib.__import__")
_GETTERS = ("operator.attrgetter", "operator.methodcaller", "_operator.attrgetter", "_operator.methodcaller")
_TABLES = ("builtins.globals", "builtins.locals", "builtins.vars")


class Names:
    """Local name -> what it stands for, and constants under names; the last one wins, as it mostly does."""

    def __init__(self, tree: ast.Module) -> None:
        self.known: dict[str, str] = {}
        self.values: dict[str, ast.expr] = {}
        self.defined: set[str] = set()
        self.stars: list[str] = []
        pending: list[ast.AST] = [tree]
        while pending:
            node = pending.pop()
            self.learn(node)
            pending.extend(ast.iter_child_nodes(node))

    def learn(self, node: ast.AST) -> None:
        match node:
            case ast.Import(names=names):
                self.known.update(
                    (one.asname or _first(one.name), one.name if one.asname else _first(one.name)) for one in names
                )
            case ast.ImportFrom(module=str(module), names=[ast.alias(name="*")], level=0):
                self.stars.append(module)
            case ast.ImportFrom(module=module, names=names, level=level):
                stem = "." * level + (module or "")
                self.known.update((one.asname or one.name, f"{stem}.{one.name}") for one in names)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.values[name] = value
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                self.defined.add(name)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                self.values.update(
                    (i.optional_vars.id, i.context_expr) for i in items if isinstance(i.optional_vars, ast.Name)
                )


def _first(dotted: str) -> str:
    return dotted.partition(".")[0]


def dotted_name(node: ast.AST, names: Names, depth: int = 0) -> str | None:
    """`module.name` of what is meant; `computed.?` for one that is put together while running; None if unknown."""
    if depth > MOST_DEPTH:
        return None
    match node:
        case ast.Name(id=name):
            return _of_name(name, names, depth)
        case ast.Attribute(value=owner, attr=attribute):
            return _of_attribute(dotted_name(owner, names, depth + 1), attribute)
        case ast.Call():
            return _of_call(node, names, depth)
        case ast.Subscript(value=table, slice=key):
            return _of_item(table, key, names, depth)
        case ast.NamedExpr(value=value):
            return dotted_name(value, names, depth + 1)
    return _worst(_choices(node), names, depth)


def _of_name(name: str, names: Names, depth: int) -> str | None:
    if name in names.known:
        return names.known[name]
    if name == "__builtins__":
        return "builtins"
    if name in names.values:
        return dotted_name(names.values[name], names, depth + 1)
    if name in names.defined:
        return None
    if name in _BUILTINS:
        return f"builtins.{name}"
    return next((f"{star}.{name}" for star in names.stars if deed_of(f"{star}.{name}") is not None), None)


def _of_call(node: ast.Call, names: Names, depth: int) -> str | None:
    """getattr, __import__ and their like; of a class, what it makes keeps its name."""
    called = dotted_name(node.func, names, depth + 1)
    if called in _IMPORTERS:
        return (folded_text(node.args[0], names) if node.args else None) or "computed.module"
    if called == "builtins.getattr" and len(node.args) >= 2:
        owner, attribute = dotted_name(node.args[0], names, depth + 1), folded_text(node.args[1], names)
        if owner is None:
            return None
        return f"{owner}.{attribute}" if attribute is not None else _computed(owner)
    if called == "builtins.vars" and node.args and (owner := dotted_name(node.args[0], names, depth + 1)) is not None:
        return f"{owner}.__dict__"
    if called in _TABLES:
        return called
    if called in _GETTERS and node.args:
        return f"computed.{folded_text(node.args[0], names) or 'name'}"
    if called is not None and called.startswith(("pathlib.Path", "tarfile.", "zipfile.", "urllib.", "computed.")):
        return called
    return None


def _of_attribute(owner: str | None, attribute: str) -> str | None:
    if owner is None or attribute == "__call__":
        return owner
    return f"{owner}.{attribute}".removeprefix("builtins.__builtins__.")


def _choices(node: ast.AST) -> list[ast.expr]:
    """What the value is one of."""
    match node:
        case ast.IfExp(body=one, orelse=other):
            return [one, other]
        case ast.BoolOp(values=values) | ast.List(elts=values) | ast.Tuple(elts=values) | ast.Dict(values=values):
            return values
    return []


def _worst(values: list[ast.expr], names: Names, depth: int) -> str | None:
    """Of several it may be, the one that does something."""
    found = [dotted_name(one, names, depth + 1) for one in values[:MOST_CHOICES]]
    return next((name for name in found if name is not None and deed_of(name) not in (None, "harmless")), None)


def _computed(owner: str) -> str | None:
    """An attribute whose name nobody can read: it matters where the module holds what is dangerous."""
    return (
        f"computed.{owner}" if owner.partition(".")[0] in ("os", "sys", "builtins", "subprocess", "importlib") else None
    )


def _of_item(table: ast.expr, key: ast.expr, names: Names, depth: int) -> str | None:
    owner, text = dotted_name(table, names, depth + 1), folded_text(key, names)
    if isinstance(table, ast.List | ast.Tuple | ast.Dict):
        return owner
    if owner == "sys.modules":
        return text or "computed.module"
    if owner is not None and (owner in _TABLES or owner.endswith(".__dict__") or owner == "builtins"):
        if text in (None, "__builtins__"):
            return "builtins" if text else "computed.name"
        stem = owner.removesuffix(".__dict__")
        return f"{stem}.{text}" if stem not in _TABLES else _of_name(str(text), names, depth + 1)
    return None


def folded_text(node: ast.AST, names: Names, depth: int = 0) -> str | None:
    """The text an expression comes to, where it is made of constants."""
    if depth > MOST_DEPTH:
        return None
    match node:
        case ast.Constant(value=str(text)):
            return text[:MOST_TEXT]
        case ast.Name(id=name) if name in names.values:
            return folded_text(names.values[name], names, depth + 1)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [folded_text(left, names, depth + 1), folded_text(right, names, depth + 1)]
            return None if None in parts else "".join(str(part) for part in parts)[:MOST_TEXT]
        case ast.JoinedStr(values=values):
            found = [
                folded_text(one.value if isinstance(one, ast.FormattedValue) else one, names, depth + 1)
                for one in values
            ]
            return None if None in found else "".join(str(part) for part in found)[:MOST_TEXT]
        case ast.Subscript(value=value, slice=ast.Slice(lower=None, upper=None, step=ast.UnaryOp(op=ast.USub()))):
            forwards = folded_text(value, names, depth + 1)
            return forwards[::-1] if forwards is not None else None
        case ast.Call(func=ast.Attribute(value=mark, attr="join"), args=[ast.List(elts=parts) | ast.Tuple(elts=parts)]):
            return _joined(mark, parts, names, depth)
    return None


def _joined(mark: ast.expr, parts: list[ast.expr], names: Names, depth: int) -> str | None:
    between = folded_text(mark, names, depth + 1)
    found: Iterator[str | None] = (folded_text(one, names, depth + 1) for one in parts[:100])
    texts = list(found)
    return None if between is None or None in texts else between.join(str(one) for one in texts)[:MOST_TEXT]
