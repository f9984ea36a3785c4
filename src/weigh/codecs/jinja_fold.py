"""What the expressions of a template come to where they are made of constants; nothing is rendered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import nodes

MOST_CANDIDATES = 8  # a name may be set more than once
MOST_LENGTH = 1024
MOST_ITEMS = 64
PASSES = 4  # how often a constant may go from one name to the next

Constant = str | int | float | bool | tuple["Constant", ...] | None
Candidates = tuple[Constant, ...]


class Folded:
    """Each expression's constants, by node; `literal` are those made of constants alone; `names` what is set."""

    __slots__ = ("found", "literal", "names")

    def __init__(self) -> None:
        self.found: dict[int, Candidates] = {}
        self.literal: set[int] = set()
        self.names: dict[str, set[Constant]] = {}

    def of(self, node: nodes.Node | None) -> Candidates:
        return self.found.get(id(node), ())

    def texts(self, node: nodes.Node | None) -> Iterator[str]:
        return (one for one in self.of(node) if isinstance(one, str))

    def is_literal(self, node: nodes.Node | None) -> bool:
        return id(node) in self.literal


def fold(order: list[nodes.Node]) -> Folded:
    """`order` has every node before its children, so that backwards the children are known first."""
    folded = Folded()
    for _ in range(PASSES):
        before = sum(len(values) for values in folded.names.values())
        for node in reversed(order):
            _visit(folded, node)
        if sum(len(values) for values in folded.names.values()) == before:
            break
    return folded


def _visit(folded: Folded, node: nodes.Node) -> None:
    kind = type(node).__name__
    step = _EXPRESSIONS.get(kind)
    if step is not None:
        found = tuple(dict.fromkeys(one for one in step(folded, node) if _is_small(one)))[:MOST_CANDIDATES]
        folded.found[id(node)] = found
        inner = list(node.iter_child_nodes())
        if kind != "Name" and all(folded.is_literal(child) for child in inner) and (inner or kind == "Const"):
            folded.literal.add(id(node))
    elif kind in ("Slice", "Keyword", "Pair", "Operand"):
        if all(folded.is_literal(child) for child in node.iter_child_nodes()):
            folded.literal.add(id(node))
    else:
        _bind(folded, node, kind)


def _is_small(value: Constant) -> bool:
    match value:
        case str():
            return len(value) <= MOST_LENGTH
        case tuple():
            return len(value) <= MOST_ITEMS
        case int():
            return abs(value) < 1 << 63
    return True


def _bind(folded: Folded, node: nodes.Node, kind: str) -> None:
    """What statements put under a name."""
    fields = dict(node.iter_fields())
    match kind:
        case "Assign":
            _set(folded, fields["target"], folded.of(fields["node"]))
            _fill(folded, fields["target"], fields["node"])
        case "For":
            _set(folded, fields["target"], [one for value in folded.of(fields["iter"]) for one in _items(value)])
        case "With":
            for target, value in zip(fields["targets"], fields["values"], strict=False):
                _set(folded, target, folded.of(value))
        case "Macro":
            args, defaults = fields["args"], fields["defaults"]
            for target, value in zip(args[len(args) - len(defaults) :], defaults, strict=False):
                _set(folded, target, folded.of(value))
            folded.names.setdefault(f"{fields['name']}()", set()).update(one.name for one in args)
        case "AssignBlock":
            _set(folded, fields["target"], _written(folded, fields["body"]))


def _fill(folded: Folded, target: nodes.Node, value: nodes.Node) -> None:
    """`namespace(a=...)` under a name: what its parts are."""
    name = dict(target.iter_fields()).get("name")
    for pair in dict(value.iter_fields()).get("kwargs", ()) if type(value).__name__ == "Call" else ():
        folded.names.setdefault(f"{name}.{pair.key}", set()).update(folded.of(pair.value))


def _items(value: Constant) -> Iterable[Constant]:
    return value if isinstance(value, tuple | str) else ()


def _written(folded: Folded, body: list[nodes.Node]) -> Candidates:
    """What a block writes, if that is all constant."""
    parts: list[nodes.Node] = [part for output in body for part in output.iter_child_nodes()]
    return _joined([folded.of(part) for part in parts[:MOST_ITEMS]], lambda values: "".join(map(str, values)))


def _set(folded: Folded, target: nodes.Node, values: Iterable[Constant]) -> None:
    fields = dict(target.iter_fields())
    match type(target).__name__:
        case "Name":
            name = str(fields["name"])
        case "NSRef":
            name = f"{fields['name']}.{fields['attr']}"
        case "Tuple":
            for place, one in enumerate(fields["items"]):
                _set(folded, one, [v[place] for v in values if isinstance(v, tuple) and place < len(v)])
            return
        case _:
            return
    known = folded.names.setdefault(name, set())
    for value in values:
        if len(known) < MOST_CANDIDATES:
            known.add(value)


def _joined(parts: list[Candidates], put: Callable[[list[Constant]], Constant]) -> Candidates:
    """Every way to take one candidate of each part, up to MOST_CANDIDATES."""
    ways: list[list[Constant]] = [[]]
    for part in parts:
        ways = [[*way, one] for way in ways for one in part][:MOST_CANDIDATES]
    done: list[Constant] = []
    for way in ways:
        try:
            done.append(put(way))
        except (TypeError, ValueError, IndexError, KeyError, ArithmeticError, AttributeError):
            continue
    return tuple(done)


def _constant(folded: Folded, node: nodes.Node) -> Candidates:
    value = dict(node.iter_fields()).get("value", dict(node.iter_fields()).get("data"))
    return (value,) if isinstance(value, str | int | float | bool) or value is None else ()


def _name(folded: Folded, node: nodes.Node) -> Candidates:
    return tuple(sorted(folded.names.get(str(dict(node.iter_fields())["name"]), ()), key=str))


def _add(left: Constant, right: Constant) -> Constant:
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, tuple) and isinstance(right, tuple):
        return left + right
    return left + right  # type: ignore[operator]


def _times(left: Constant, right: Constant) -> Constant:
    text, count = (left, right) if isinstance(left, str | tuple) else (right, left)
    if isinstance(text, str | tuple) and isinstance(count, int):
        return text * count if len(text) * count <= MOST_LENGTH else None
    return left * right  # type: ignore[operator]


def _percent(left: Constant, right: Constant) -> Constant:
    if isinstance(left, str):
        return _formatted(left, right if isinstance(right, tuple) else (right,))
    return left % right  # type: ignore[operator]


def _formatted(pattern: str, values: tuple[Constant, ...]) -> str:
    """`%s`, `%c`, `%d`, `%%` alone: widths could be made endless."""
    pieces, rest = pattern.split("%"), list(values)
    out = pieces[0]
    at = 1
    while at < len(pieces):
        piece = pieces[at]
        if piece == "" and at + 1 < len(pieces):
            out += "%" + pieces[at + 1]
            at += 2
            continue
        value = rest.pop(0)
        out += (chr(value) if piece[:1] == "c" and isinstance(value, int) else str(value)) + piece[1:]
        at += 1
    return out


def _two(put: Callable[[Constant, Constant], Constant]) -> Callable[[Folded, nodes.Node], Candidates]:
    def step(folded: Folded, node: nodes.Node) -> Candidates:
        fields = dict(node.iter_fields())
        return _joined([folded.of(fields["left"]), folded.of(fields["right"])], lambda way: put(way[0], way[1]))

    return step


def _concat(folded: Folded, node: nodes.Node) -> Candidates:
    parts = [folded.of(one) for one in list(node.iter_child_nodes())[:MOST_ITEMS]]
    return _joined(parts, lambda way: "".join(map(str, way)))


def _tuple(folded: Folded, node: nodes.Node) -> Candidates:
    parts = [folded.of(one) for one in list(node.iter_child_nodes())[:MOST_ITEMS]]
    return _joined(parts, tuple)


def _either(folded: Folded, node: nodes.Node) -> Candidates:
    return tuple(value for child in node.iter_child_nodes() for value in folded.of(child))


def _attribute(folded: Folded, node: nodes.Node) -> Candidates:
    fields = dict(node.iter_fields())
    owner = dict(fields["node"].iter_fields()).get("name")
    return tuple(sorted(folded.names.get(f"{owner}.{fields['attr']}", ()), key=str))


def _item(folded: Folded, node: nodes.Node) -> Candidates:
    fields = dict(node.iter_fields())
    whole, at = fields["node"], fields["arg"]
    if type(at).__name__ == "Slice":
        ends = [folded.of(at_part) if at_part is not None else (None,) for at_part in (at.start, at.stop, at.step)]
        return _joined([folded.of(whole), *ends], lambda way: way[0][slice(*way[1:])])  # type: ignore[index,arg-type]
    if type(whole).__name__ == "Dict":
        pairs = [(folded.of(pair.key), folded.of(pair.value)) for pair in dict(whole.iter_fields())["items"]]
        return tuple(one for keys, values in pairs if set(keys) & set(folded.of(at)) for one in values)
    return _joined([folded.of(whole), folded.of(at)], lambda way: way[0][way[1]])  # type: ignore[index]


def _called(folded: Folded, node: nodes.Node) -> Candidates:
    """A method of a constant, or a macro: its parameters take what it is given."""
    fields = dict(node.iter_fields())
    function, args = fields["node"], fields["args"]
    inner = dict(function.iter_fields())
    if type(function).__name__ == "Getattr":
        return _method(folded, str(inner["attr"]), inner["node"], args)
    if type(function).__name__ == "Name" and f"{inner['name']}()" in folded.names:
        for name, value in zip(sorted(folded.names[f"{inner['name']}()"], key=str), args, strict=False):
            folded.names.setdefault(str(name), set()).update(folded.of(value))
    if type(function).__name__ == "Name" and inner["name"] == "namespace":
        return ()
    return ()


def _filtered(folded: Folded, node: nodes.Node) -> Candidates:
    fields = dict(node.iter_fields())
    name, whole, args = str(fields["name"]), fields["node"], fields["args"]
    if name == "format":
        parts = [folded.of(one) for one in (whole, *args)]
        return _joined(parts, lambda way: _formatted(str(way[0]), tuple(way[1:])))
    if name == "join":
        parts = [folded.of(whole), folded.of(args[0]) if args else ("",)]
        return _joined(parts, lambda way: str(way[1]).join(map(str, way[0])))  # type: ignore[arg-type]
    return _method(folded, name, whole, args)


def _method(folded: Folded, name: str, whole: nodes.Node | None, args: list[nodes.Node]) -> Candidates:
    step = _METHODS.get(name)
    if step is None or whole is None:
        return ()
    return _joined([folded.of(whole), *map(folded.of, args[:4])], lambda way: step(way[0], *way[1:]))


def _braces(pattern: Constant, *values: Constant) -> Constant:
    """`{}` and `{0}` alone; what reaches into an object by a format is told by its text."""
    out = str(pattern)
    for place, value in enumerate(values):
        out = out.replace(f"{{{place}}}", str(value)).replace("{}", str(value), 1)
    return out


def _replace(text: Constant, old: Constant, new: Constant, *count: Constant) -> Constant:
    if not isinstance(text, str) or not isinstance(old, str) or not isinstance(new, str) or len(new) > MOST_ITEMS:
        return None
    return text.replace(old, new)


def _join(mark: Constant, values: Constant = ()) -> Constant:
    return str(mark).join(map(str, values)) if isinstance(values, tuple | str) else None


_METHODS: Mapping[str, Callable[..., Constant]] = {
    "capitalize": lambda text: text.capitalize(),
    "first": lambda text: text[0],
    "format": _braces,
    "join": _join,
    "last": lambda text: text[-1],
    "list": lambda text: tuple(text),
    "lower": lambda text: text.lower(),
    "lstrip": lambda text, *marks: text.lstrip(*marks),
    "replace": _replace,
    "reverse": lambda text: text[::-1],
    "rstrip": lambda text, *marks: text.rstrip(*marks),
    "safe": lambda text: text,
    "split": lambda text, *marks: tuple(text.split(*marks)),
    "string": lambda text: str(text),
    "strip": lambda text, *marks: text.strip(*marks),
    "swapcase": lambda text: text.swapcase(),
    "title": lambda text: text.title(),
    "trim": lambda text, *marks: text.strip(*marks),
    "upper": lambda text: text.upper(),
}
_EXPRESSIONS: Mapping[str, Callable[[Folded, nodes.Node], Candidates]] = {
    "Add": _two(_add),
    "And": _either,
    "Call": _called,
    "Compare": lambda folded, node: (),
    "Concat": _concat,
    "CondExpr": _either,
    "Const": _constant,
    "Dict": lambda folded, node: (),
    "Filter": _filtered,
    "Getattr": _attribute,
    "Getitem": _item,
    "List": _tuple,
    "Mod": _two(_percent),
    "Mul": _two(_times),
    "Name": _name,
    "Neg": lambda folded, node: tuple(
        -one for one in folded.of(dict(node.iter_fields())["node"]) if isinstance(one, int)
    ),
    "Or": _either,
    "Sub": _two(lambda left, right: left - right),  # type: ignore[operator]
    "TemplateData": _constant,
    "Test": lambda folded, node: (),
    "Tuple": _tuple,
}
