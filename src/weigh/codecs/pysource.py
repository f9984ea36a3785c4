"""Python source by its syntax tree alone: what happens when the module is imported, and what it could do later."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from weigh.codecs.pysource_names import Names, dotted_name, folded_text
from weigh.core.value import Value
from weigh.knowledge.python_calls import Deed, deed_of

MOST_SOURCE = 2 << 20
MOST_NODES = 200_000
MOST_DEEDS = 50
LONG_LITERAL = 20_000
_FIRST = frozenset({"__init_subclass__", "__set_name__", "__prepare__", "__class_getitem__"})
_CALLED_BY_LOADERS = frozenset(
    {"__init__", "__new__", "__call__", "forward", "from_pretrained", "generate", "__setstate__"}
)
_TYPE_CHECKING = ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING")
_REACHES = frozenset({"__subclasses__", "__globals__"})  # by which any function of the process is found
_WRITERS = frozenset({"write_text", "write_bytes", "unlink", "rmdir", "touch", "symlink_to", "extractall"})
_COMMANDS = frozenset({"system", "popen", "Popen"})
_TAKES_TYPES = frozenset({"type", "ABCMeta", "EnumMeta"})


class Act(Value, frozen=True, kw_only=True):
    """`when`: as the module is imported, as its classes are made or used by a loader, or only when called by name."""

    when: str  # import, loader, later
    deed: Deed | str
    name: str
    line: int


class Module(Value, frozen=True, kw_only=True):
    """`imports` are the modules beside it that it imports (`.net` as `net`); `problem` is why there is no tree."""

    acts: tuple[Act, ...] = ()
    imports: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    problem: str | None = None


def read_source(data: bytes) -> Module:
    """What the source shows. Never raises: what cannot be parsed is a `problem`."""
    if len(data) > MOST_SOURCE:
        return Module(problem="budget")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return Module(problem="syntax")
    except (RecursionError, MemoryError):
        return Module(problem="budget")
    if sum(1 for _ in _walk(tree)) > MOST_NODES:
        return Module(problem="budget")
    walk = _Walk(tree)
    acts = list(dict.fromkeys(walk.acts()))[:MOST_DEEDS]
    return Module(acts=tuple(acts), imports=tuple(sorted(_imports(tree))), classes=tuple(walk.classes))


def _walk(root: ast.AST) -> Iterator[ast.AST]:
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(ast.iter_child_nodes(node))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in _walk(tree):
        match node:
            case ast.ImportFrom(module=str(module)):
                yield module
            case ast.ImportFrom(module=None, names=names):
                yield from (one.name for one in names)
            case ast.Import(names=names):
                yield from (one.name for one in names)


Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class _Walk:
    """One module: which of its functions run on import, and what is done in them and outside."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.names = Names(tree)
        self.functions: dict[str, list[Function]] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        for node in _walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions.setdefault(node.name, []).append(node)
            elif isinstance(node, ast.ClassDef):
                self.classes.setdefault(node.name, node)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self.functions.setdefault(target.id, []).append(node.value)

    def acts(self) -> Iterator[Act]:
        """What runs on import; what a loader calls; the rest."""
        done: set[int] = set()
        for when, roots in (("import", self.first()), ("loader", self.second()), ("later", self.rest())):
            pending = list(roots)
            while pending:
                root = pending.pop()
                if id(root) in done:
                    continue
                done.add(id(root))
                for node in self.run_by(root):
                    yield from self.deeds(node, when)
                    pending += self.called(node)

    def first(self) -> Iterator[ast.AST]:
        yield self.tree
        for name in _FIRST:
            yield from self.functions.get(name, ())
        for one in self.tree.body:
            if isinstance(one, ast.FunctionDef) and one.name in ("__getattr__", "__dir__"):
                yield one
        for made in self.classes.values():
            if any(isinstance(base, ast.Name) and base.id in _TAKES_TYPES for base in made.bases):
                yield from (one for one in made.body if isinstance(one, Function))

    def second(self) -> Iterator[ast.AST]:
        for name in sorted(_CALLED_BY_LOADERS):
            yield from self.functions.get(name, ())

    def rest(self) -> Iterator[ast.AST]:
        for functions in self.functions.values():
            yield from functions

    def run_by(self, root: ast.AST) -> Iterator[ast.AST]:
        """The nodes that run when `root` does: a function's body once it is called, but not those inside it."""
        pending: list[ast.AST] = (
            list(root.body) if isinstance(root, Function) and isinstance(root.body, list) else [root]
        )
        if isinstance(root, ast.Lambda):
            pending = [root.body]
        while pending:
            node = pending.pop()
            if isinstance(node, ast.If) and _is_script(node.test, self.names):
                pending += node.orelse
                continue
            yield node
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and node is not root:
                pending += [one for one in ast.iter_child_nodes(node) if not _is_body(node, one)]
            else:
                pending += ast.iter_child_nodes(node)

    def called(self, node: ast.AST) -> list[ast.AST]:
        """The module's own functions that this node calls, or hands on."""
        found: list[ast.AST] = []
        match node:
            case ast.Call(func=ast.Lambda() as inner):
                found.append(inner)
            case ast.Call(func=ast.Name(id=name)):
                found += self.functions.get(name, ())
                found += self.made(name)
            case ast.Call(func=ast.Attribute(attr=name)):
                found += self.functions.get(name, ())
            case ast.FunctionDef(decorator_list=marks) | ast.ClassDef(decorator_list=marks):
                for mark in marks:
                    if isinstance(mark, ast.Name):
                        found += [*self.functions.get(mark.id, ()), *self.made(mark.id)]
        if isinstance(node, ast.Call):
            handed = [*node.args, *(one.value for one in node.keywords)]
            found += [f for one in handed if isinstance(one, ast.Name) for f in self.functions.get(one.id, ())]
        return found

    def made(self, name: str) -> list[ast.AST]:
        """What making an object of this class runs."""
        if name not in self.classes:
            return []
        return [
            one
            for one in self.classes[name].body
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name.startswith("__")
        ]

    def deeds(self, node: ast.AST, when: str) -> Iterator[Act]:
        match node:
            case ast.Call():
                yield from self.call(node, when)
            case ast.Attribute(attr=name) if name in _REACHES and when == "import":
                yield Act(when=when, deed="computed", name=f"?.{name}", line=node.lineno)
            case ast.FunctionDef(decorator_list=marks) | ast.ClassDef(decorator_list=marks):
                for mark in marks:
                    yield from self.named(mark, when)
            case ast.Assign(value=value) | ast.keyword(value=value):
                yield from self.named(value, when)
            case ast.Constant(value=str(text)) | ast.Constant(value=bytes(text)) if len(text) > LONG_LITERAL:
                yield Act(when=when, deed="literal", name=str(len(text)), line=node.lineno)

    def named(self, node: ast.AST, when: str) -> Iterator[Act]:
        """A dangerous function handed on, not called here."""
        if isinstance(node, ast.Name | ast.Attribute):
            name = dotted_name(node, self.names)
            if name is not None and (deed := deed_of(name)) in ("commands", "code"):
                yield Act(when=when, deed=str(deed), name=name, line=node.lineno)

    def call(self, node: ast.Call, when: str) -> Iterator[Act]:
        name = dotted_name(node.func, self.names)
        for one in node.args:
            yield from self.named(one, when)
        if name is None:
            yield from self.odd(node, when)
            return
        deed: Deed | str | None = deed_of(name)
        if name in ("builtins.__import__", "importlib.import_module") and not _known(node, self.names):
            deed = "computed"
        if name in ("builtins.open", "io.open", "os.open", "codecs.open") and _writes(node):
            deed = "writes"
        if name.startswith("computed."):
            deed = "computed"
        if (
            deed is None
            and name.rpartition(".")[2] in _WRITERS
            and name.startswith(("pathlib.", "tarfile.", "zipfile."))
        ):
            deed = "writes"
        if deed is not None and deed != "harmless":
            yield Act(when=when, deed=deed, name=name[:200], line=node.lineno)

    def odd(self, node: ast.Call, when: str) -> Iterator[Act]:
        """A method of something nobody can name, yet with a name that says enough."""
        if isinstance(node.func, ast.Attribute):
            attribute = node.func.attr
            if attribute in _COMMANDS:
                yield Act(when=when, deed="commands", name=f"?.{attribute}", line=node.lineno)
            elif attribute in ("write_text", "write_bytes", "extractall"):
                yield Act(when=when, deed="writes", name=f"?.{attribute}", line=node.lineno)


def _is_body(function: ast.AST, node: ast.AST) -> bool:
    body = getattr(function, "body", None)
    return node is body or (isinstance(body, list) and any(node is one for one in body))


def _is_script(test: ast.AST, names: Names) -> bool:
    """`__name__ == "__main__"`, or what only type checkers see."""
    match test:
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]):
            return True
        case ast.Compare(left=ast.Constant(value="__main__"), ops=[ast.Eq()], comparators=[ast.Name(id="__name__")]):
            return True
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return "TYPE_CHECKING" not in names.values and dotted_name(test, names) in _TYPE_CHECKING
    return False


def _known(node: ast.Call, names: Names) -> bool:
    return bool(node.args) and folded_text(node.args[0], names) is not None


def _writes(node: ast.Call) -> bool:
    mode = node.args[1] if len(node.args) > 1 else next((k.value for k in node.keywords if k.arg == "mode"), None)
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and any(one in mode.value for one in "wax+")
