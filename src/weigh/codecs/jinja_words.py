"""Sentences that a template adds only where the conversation holds a certain word, or the day is right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from weigh.codecs.jinja_fold import Folded

if TYPE_CHECKING:
    from jinja2 import nodes

LEAST_WORDS = 5
_WORD = re.compile(r"[^\W\d_]{2,}")
_MARKUP = re.compile(r"<[^<>]*>|\[[A-Z_/]+\]|[|{}\[\]<>/\\#`*]")
_PROBE = re.compile(r"^[^\W\d_][\w\s'.,@-]{2,}$")  # what people write; markup and switches begin otherwise
_CONTENT = frozenset({"content", "text", "prompt", "reasoning_content"})
_SEARCHES = frozenset({"find", "index", "count", "startswith", "endswith", "rfind", "contains", "search", "match"})
_CLOCK = frozenset({"strftime_now", "now", "today"})


def sentences_under_conditions(order: list[nodes.Node], folded: Folded) -> Iterator[tuple[str, int]]:
    """Each such sentence and its line; `order` has every node before its children."""
    tainted = _tainted(order)
    for node in order:
        if type(node).__name__ not in ("If", "CondExpr"):
            continue
        fields = dict(node.iter_fields())
        if not any(_asks(inner, folded, tainted) for inner in _below(fields["test"])):
            continue
        body = fields.get("body", [fields.get("expr1")])
        text = " ".join(_literals(body, folded))
        words = _WORD.findall(_MARKUP.sub(" ", text))
        if len(words) >= LEAST_WORDS or _counts_as_long(text):
            yield " ".join(text.split())[:200], node.lineno


def _counts_as_long(text: str) -> bool:
    """Scripts without spaces between words."""
    return sum("\u3040" <= letter <= "\u9fff" for letter in text) >= 3 * LEAST_WORDS


def _below(*roots: nodes.Node | None) -> Iterator[nodes.Node]:
    pending = [root for root in roots if root is not None]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(node.iter_child_nodes())


def _literals(body: list[nodes.Node], folded: Folded) -> Iterator[str]:
    """What the branch writes as it stands; branches inside it that ask about something else count too."""
    for node in _below(*body):
        if type(node).__name__ in ("TemplateData", "Const"):
            yield from folded.texts(node)


def _tainted(order: list[nodes.Node]) -> frozenset[str]:
    """Names that hold what the user wrote, or the time."""
    names: set[str] = set()
    for _ in range(3):
        for node in order:
            if type(node).__name__ == "Assign":
                fields = dict(node.iter_fields())
                target = dict(fields["target"].iter_fields()).get("name")
                if target is not None and any(_is_content(one, names) for one in _below(fields["node"])):
                    names.add(str(target))
            if type(node).__name__ == "For":
                fields = dict(node.iter_fields())
                called = type(fields["iter"]).__name__ in ("Call", "Filter")
                target = dict(fields["target"].iter_fields()).get("name")
                if called and target is not None and any(_is_content(one, names) for one in _below(fields["iter"])):
                    names.add(str(target))
    return frozenset(names)


def _is_content(node: nodes.Node, names: set[str] | frozenset[str]) -> bool:
    fields = dict(node.iter_fields())
    match type(node).__name__:
        case "Getattr":
            return fields["attr"] in _CONTENT
        case "Getitem":
            return getattr(fields["arg"], "value", None) in _CONTENT
        case "Name":
            return fields["name"] in names
    return False


def _asks(node: nodes.Node, folded: Folded, tainted: frozenset[str]) -> bool:
    """Does this part of a condition look for a word in what was written, or compare the time?"""
    kind, fields = type(node).__name__, dict(node.iter_fields())
    if kind == "Compare":
        inner = list(_below(node))
        if any(_is_clock(one) for one in inner):
            return True
        return any(_is_content(one, tainted) for one in inner) and any(_is_probe(one, folded) for one in inner)
    if kind == "Call" and type(fields["node"]).__name__ == "Getattr":
        attribute = dict(fields["node"].iter_fields())
        return (
            attribute["attr"] in _SEARCHES
            and any(_is_content(one, tainted) for one in _below(attribute["node"]))
            and any(_is_probe(one, folded) for one in fields["args"])
        )
    if kind == "Test" and fields["name"] in ("in", "contains", "equalto", "eq"):
        inner = list(_below(node))
        return any(_is_content(one, tainted) for one in inner) and any(_is_probe(one, folded) for one in inner)
    return False


def _is_clock(node: nodes.Node) -> bool:
    fields = dict(node.iter_fields())
    return type(node).__name__ == "Call" and dict(fields["node"].iter_fields()).get("name") in _CLOCK


def _is_probe(node: nodes.Node, folded: Folded) -> bool:
    values = folded.of(node)
    texts = [one for value in values for one in (value if isinstance(value, tuple) else (value,))]
    return any(isinstance(text, str) and _PROBE.match(text) is not None for text in texts)
