"""XML as a bounded run of elements: no document types, no entities, nothing fetched."""

from __future__ import annotations

from collections.abc import Callable
from xml.parsers import expat

from weigh.core.errors import Malformed, OverBudget
from weigh.core.source import Source

MOST_BYTES = 64 << 20
MOST_ELEMENTS = 600_000
MOST_DEPTH = 64
_STEP = 1 << 16

Begin = Callable[[tuple[str, ...], dict[str, str]], None]  # the names from the root down to this one, its attributes


def walk(source: Source, begin: Begin) -> None:
    """Call `begin` for each element in turn. Raises Malformed for what is no XML, or has a document type."""
    if source.size > MOST_BYTES:
        raise OverBudget("too_long", path=source.path, offset=0, what="XML", length=source.size, most=MOST_BYTES)
    parser = expat.ParserCreate()
    elements = _Elements(parser, source.path, begin)
    parser.StartDoctypeDeclHandler = elements.refuse
    parser.EntityDeclHandler = elements.refuse
    parser.StartElementHandler = elements.start
    parser.EndElementHandler = elements.end
    try:
        for at in range(0, source.size, _STEP):
            parser.Parse(source.read(at, _STEP), at + _STEP >= source.size)
    except expat.ExpatError as error:
        raise Malformed("xml.syntax", path=source.path, offset=parser.ErrorByteIndex) from error
    except (ValueError, LookupError) as error:  # a text in an encoding that nobody knows
        raise Malformed("xml.syntax", path=source.path, offset=parser.CurrentByteIndex) from error


class _Elements:
    """The elements that are open, and how many there were."""

    __slots__ = ("begin", "count", "open", "parser", "path")

    def __init__(self, parser: expat.XMLParserType, path: str, begin: Begin) -> None:
        self.parser = parser
        self.path = path
        self.begin = begin
        self.open: list[str] = []
        self.count = 0

    def refuse(self, *_: object) -> None:
        raise Malformed("xml.doctype", path=self.path, offset=self.parser.CurrentByteIndex)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.open.append(name)
        self.count += 1
        if len(self.open) > MOST_DEPTH or self.count > MOST_ELEMENTS:
            raise OverBudget("xml.elements", path=self.path, offset=self.parser.CurrentByteIndex, most=MOST_ELEMENTS)
        self.begin(tuple(self.open), attributes)

    def end(self, name: str) -> None:
        self.open.pop()
