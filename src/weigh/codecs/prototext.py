"""Protocol Buffers written as text: `name: value` and `name { ... }`, within bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from weigh.core.errors import Malformed, OverBudget
from weigh.core.source import Source

MOST_BYTES = 16 << 20
MOST_FIELDS = 400_000
MOST_DEPTH = 64

_TOKEN = re.compile(
    r"""(?:[\s,;]|\#[^\n]*)*+(?:(?P<string>(?:"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'))|(?P<word>[\w.+\-/]+)"""
    r"""|(?P<mark>[:{}<>\[\]]))""",
    re.DOTALL,
)

Text: TypeAlias = "list[tuple[str, str | Text]]"  # fields in their order; a value is its text, a message a list


def texts(message: Text, name: str) -> Iterator[str]:
    """The plain values of this name."""
    return (value for key, value in message if key == name and isinstance(value, str))


def messages(message: Text, name: str) -> Iterator[Text]:
    """The messages of this name."""
    return (value for key, value in message if key == name and not isinstance(value, str))


def text_of(message: Text, name: str) -> str | None:
    """The last plain value of this name."""
    return next(reversed(list(texts(message, name))), None)


def nodes(graph: Text) -> Iterator[Text]:
    """The nodes of TensorFlow's GraphDef and of the functions in its library."""
    yield from messages(graph, "node")
    for library in messages(graph, "library"):
        for function in messages(library, "function"):
            yield from messages(function, "node_def")


def head(source: Source, names: frozenset[str], *, most: int = 1 << 16) -> Text | None:
    """The beginning as fields, if it is such text and every outermost field is of these names; cheap."""
    data = source.read(0, most)
    if b"\0" in data[:256] or not re.match(rb"(?:\s|#[^\n]*\n)*\w+\s*[:{]", data):
        return None
    if source.size > most:  # the last line may be cut
        data = data[: max(data.rfind(b"\n"), data.rfind(b"}"))]
    try:
        message = _parse(data.decode("utf-8", "replace"), source.path, whole=source.size <= most)
    except (Malformed, OverBudget):
        return None
    return message if message and all(name in names for name, _ in message) else None


def parse(source: Source) -> Text:
    """All of it. Raises Malformed for what is no such text, OverBudget for what is too long or too deep."""
    if source.size > MOST_BYTES:
        raise OverBudget("too_long", path=source.path, offset=0, what="text", length=source.size, most=MOST_BYTES)
    return _parse(source.read(0, source.size).decode("utf-8", "backslashreplace"), source.path, whole=True)


def _parse(text: str, path: str, *, whole: bool) -> Text:
    builder = _Builder(path)
    for count, (kind, token, at) in enumerate(_tokens(text)):
        if count > MOST_FIELDS:
            raise OverBudget("prototext_fields", path=path, offset=at, most=MOST_FIELDS)
        if kind == "mark":
            builder.mark(token, at)
        else:
            builder.value(token, at, kind)
    if whole and (len(builder.open) > 1 or builder.name is not None):
        raise Malformed("prototext", path=path, offset=len(text))
    return builder.open[0]


class _Builder:
    """The messages that are open, the name whose value is awaited, and whether a list of values is."""

    __slots__ = ("listed", "name", "open", "path")

    def __init__(self, path: str) -> None:
        self.open: list[Text] = [[]]
        self.name: str | None = None
        self.listed = False
        self.path = path

    def value(self, token: str, at: int, kind: str) -> None:
        """A name where none is awaited; else its value."""
        if self.name is not None:
            self.open[-1].append((self.name, token))
            self.name = self.name if self.listed else None
        elif kind == "word":
            self.name = token
        else:
            raise Malformed("prototext", path=self.path, offset=at)

    def mark(self, token: str, at: int) -> None:
        if token in "{<" and self.name is not None:
            self._enter(at)
        elif token in "}>" and len(self.open) > 1 and self.name is None:
            self.open.pop()
        elif token in "[]" and self.name is not None:
            self.listed = token == "["
            self.name = self.name if self.listed else None
        elif token != ":" or self.name is None:
            raise Malformed("prototext", path=self.path, offset=at)

    def _enter(self, at: int) -> None:
        if len(self.open) >= MOST_DEPTH:
            raise OverBudget("prototext_depth", path=self.path, offset=at, most=MOST_DEPTH)
        inner: Text = []
        self.open[-1].append((self.name or "", inner))
        self.open.append(inner)
        self.name, self.listed = None, False  # a list of messages, which hardly anybody writes, ends here


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    at = 0
    while (match := _TOKEN.match(text, at)) is not None:
        kind = match.lastgroup or ""
        token = match[kind]
        yield kind, token[1:-1] if kind == "string" else token, match.start(kind)
        at = match.end()
    if text[at:].strip(" \t\r\n,;") and not text[at:].lstrip().startswith("#"):
        yield "mark", "?", at
