"""Chat templates parsed with Jinja's own parser and judged by their syntax tree; never rendered, never compiled."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from weigh.codecs.jinja_fold import Folded, fold
from weigh.codecs.jinja_words import sentences_under_conditions
from weigh.core.value import Value
from weigh.knowledge.template_names import template_names

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

MOST_TEXT = 1 << 20
MOST_NODES = 60_000
MOST_TRAITS = 20
MOST_SPACES = 2000  # in a row: what scrolls the rest of a template out of sight

# What a template shows: reaches for the interpreter, by a name put together, loads another file, uses what no chat
# needs; is not a template; is too much; hides letters, pads, points elsewhere, adds sentences where a word is met.
Trait = Literal[
    "internals", "computed", "load", "object", "syntax", "budget", "invisible", "padding", "script", "link",
    "conditional", "instruction",
]  # fmt: skip

_INSIDE = re.compile(r"__\w+__|_[A-Z]\w*__\w+")
_BY_FORMAT = re.compile(r"\{[^{}]*[.\[]_\w*[^{}]*\}")
_TEXT_OF_CODE = re.compile(r"__(?:class|globals|builtins|subclasses|init|import|mro|base|bases|getattribute|dict)__")
_INVISIBLE = re.compile("[\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
_SPACES = re.compile(rf"\s{{{MOST_SPACES},}}")
_LINK = re.compile(r"https?://[\w.-]+", re.I)
_SCRIPT = re.compile(r"<script\b|javascript:|\bcurl\s+-|\bwget\s+http", re.I)
_INSTRUCTION = re.compile(
    r"(?:ignore|disregard|forget)\s+(?:all\s+|any\s+)?(?:previous|prior|above|earlier)\s+(?:instructions|messages)"
    r"|(?:do\s+not|don't|never|without)\s+(?:tell|inform|reveal|mention|alert|notify)\w*\b[^.]{0,60}\buser",
    re.I,
)
_BY_ATTRIBUTE = frozenset({"map", "selectattr", "rejectattr", "groupby", "sum", "sort", "unique", "min", "max", "attr"})
_COMPOUND = frozenset({"Concat", "Add", "Mul", "Mod", "Filter", "Call", "Getitem", "CondExpr"})
_LOADS = frozenset({"Import", "FromImport", "Include", "Extends"})


class Seen(Value, frozen=True, kw_only=True):
    """One trait: its kind, the name or text it is about, the line it stands on."""

    trait: Trait
    value: str
    line: int | None = None


@functools.lru_cache(maxsize=64)
def examine_template(text: str) -> tuple[Seen, ...]:
    """What the template shows, the first of each kind and value; never raises for what it cannot parse."""
    if len(text) > MOST_TEXT:
        return (Seen(trait="budget", value=str(len(text))), *_by_text(text[:MOST_TEXT]))
    return tuple(dict.fromkeys((*_by_letters(text), *_by_tree(text))))[:MOST_TRAITS]


def _by_tree(text: str) -> Iterator[Seen]:
    from jinja2.exceptions import TemplateError

    try:
        root = _environment().parse(text)
    except TemplateError as error:
        yield Seen(trait="syntax", value=str(error.message)[:200], line=getattr(error, "lineno", None))
        yield from _by_text(text)
        return
    except (RecursionError, ValueError, OverflowError, MemoryError):
        yield Seen(trait="budget", value=str(len(text)))
        yield from _by_text(text)
        return
    order = _flat(root)
    if len(order) > MOST_NODES:
        yield Seen(trait="budget", value=str(len(order)))
        yield from _by_text(text)
        return
    folded = fold(order)
    for node in order:
        yield from _by_node(node, folded)
    for sentence, line in sentences_under_conditions(order, folded):
        yield Seen(trait="conditional", value=sentence, line=line)


@functools.cache
def _environment() -> Environment:
    """With the tags that chat templates use beyond Jinja's own: break, continue, generation."""
    from jinja2 import Environment, nodes
    from jinja2.ext import Extension
    from jinja2.parser import Parser

    class Generation(Extension):
        tags = {"generation"}  # noqa: RUF012 - as Jinja wants it

        def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body, lineno=line)

    return Environment(extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do", Generation])


def _flat(root: nodes.Node) -> list[nodes.Node]:
    """Every node before its children, without recursion."""
    order: list[nodes.Node] = []
    pending = [root]
    while pending and len(order) <= MOST_NODES:
        node = pending.pop()
        order.append(node)
        pending.extend(reversed(list(node.iter_child_nodes())))
    return order


def _by_letters(text: str) -> Iterator[Seen]:
    if (found := _INVISIBLE.search(text)) is not None:
        yield Seen(trait="invisible", value=f"U+{ord(found[0]):04X}", line=text.count("\n", 0, found.start()) + 1)
    if (found := _SPACES.search(text)) is not None:
        yield Seen(trait="padding", value=str(len(found[0])), line=text.count("\n", 0, found.start()) + 1)


def _by_text(text: str) -> Iterator[Seen]:
    """Where there is no tree: the names that only code needs."""
    for found in _TEXT_OF_CODE.finditer(text):
        yield Seen(trait="internals", value=found[0], line=text.count("\n", 0, found.start()) + 1)
        return


def _by_node(node: nodes.Node, folded: Folded) -> Iterator[Seen]:
    kind, fields = type(node).__name__, dict(node.iter_fields())
    line = node.lineno
    if kind in _LOADS:
        target = next(folded.texts(fields.get("template")), "?")
        yield Seen(trait="load", value=target[:200], line=line)
    if kind == "Name" and fields["name"] in _names("object"):
        yield Seen(trait="object", value=str(fields["name"]), line=line)
    if kind == "Getattr":
        yield from _name(str(fields["attr"]), line)
    if kind == "Getitem":
        yield from _item(fields["arg"], folded, line)
        if _is_bare(fields["node"]) and not folded.of(fields["arg"]) and type(fields["arg"]).__name__ != "Slice":
            yield Seen(trait="computed", value="[]", line=line)
    if kind == "Filter":
        yield from _filter(fields, folded, line)
    for text in folded.texts(node):
        yield from _text(text, line)


def _is_bare(node: nodes.Node) -> bool:
    """A text or nothing at all: what is looked up in it by a name unknown beforehand is none of its letters."""
    fields = dict(node.iter_fields())
    match type(node).__name__:
        case "Const":
            return isinstance(fields["value"], str)
        case "List" | "Tuple" | "Dict":
            return not fields["items"]
    return False


def _name(name: str, line: int) -> Iterator[Seen]:
    if name in _names("internal") or (name.startswith("_") and "__" in name):
        yield Seen(trait="internals", value=name[:200], line=line)
    elif name.startswith("_"):
        yield Seen(trait="object", value=name[:200], line=line)


def _item(at: nodes.Node, folded: Folded, line: int) -> Iterator[Seen]:
    texts = list(folded.texts(at))
    for text in texts:
        yield from _name(text, line)
    if all(one is None for one in folded.of(at)) and folded.is_literal(at) and type(at).__name__ in _COMPOUND:
        yield Seen(trait="computed", value="[]", line=line)


def _filter(fields: dict[str, object], folded: Folded, line: int) -> Iterator[Seen]:
    """Those that look up an attribute by a text."""
    name, args, keywords = str(fields["name"]), fields["args"], fields["kwargs"]
    if name not in _BY_ATTRIBUTE:
        return
    assert isinstance(args, list) and isinstance(keywords, list)
    texts = [text for one in (*args, *(pair.value for pair in keywords)) for text in folded.texts(one)]
    for text in texts:
        for word in text.split("."):
            yield from _name(word, line)
    if args and name == "attr" and not any(True for _ in folded.texts(args[0])):
        yield Seen(trait="computed", value="attr", line=line)


def _text(text: str, line: int) -> Iterator[Seen]:
    """A constant, as it stands or as it comes out."""
    if any(_INSIDE.fullmatch(word) for word in text.split(".")):
        yield Seen(trait="internals", value=text[:200], line=line)
    if (found := _BY_FORMAT.search(text)) is not None and _INSIDE.search(found[0]):
        yield Seen(trait="internals", value=found[0][:200], line=line)
    if (found := _INVISIBLE.search(text)) is not None:
        yield Seen(trait="invisible", value=f"U+{ord(found[0]):04X}", line=line)
    for trait, pattern in _SENTENCES:
        if (found := pattern.search(text)) is not None:
            yield Seen(trait=trait, value=found[0][:200], line=line)


@functools.cache
def _names(kind: str) -> frozenset[str]:
    return frozenset(row.id for row in template_names().values() if row.kind == kind)


_SENTENCES: tuple[tuple[Trait, re.Pattern[str]], ...] = (
    ("script", _SCRIPT),
    ("link", _LINK),
    ("instruction", _INSTRUCTION),
)
