"""Rows of a table, and lines of JSON, as texts: one Line a row."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import msgspec

from weigh.codecs.passages import Line, Text, prose

_DELIMITERS = ",;\t|"


def table_lines(text: Text) -> Iterator[Line]:
    """`column: value` of each row, as the first row calls them; the lines as they are of what is no table."""
    try:
        yield from list(_rows(text))
    except csv.Error:
        yield from prose(text)


def _rows(text: Text) -> Iterator[Line]:
    lines = _Lines(text)
    head = text.text[: text.text.find("\n") + 1] or text.text
    reader = csv.reader(lines, delimiter=max(_DELIMITERS, key=head.count))
    columns: list[str] | None = None
    first, offset = 1, text.start
    for cells in reader:
        if columns is None:
            columns = cells
        elif cells:
            names = (*columns, *("" for _ in cells[len(columns) :]))
            said = (f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=False) if cell)
            yield Line("\n".join(said), first, reader.line_num, offset, True)
        first, offset = reader.line_num + 1, lines.offset


class _Lines:
    """Lines with their ends, and the bytes before the one that comes next."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._at = 0
        self.offset = text.start

    def __iter__(self) -> Iterator[str]:
        while self._at < len(self._text.text):
            end = self._text.text.find("\n", self._at) + 1 or len(self._text.text)
            line = self._text.text[self._at : end]
            self._at = end
            self.offset += self._text.nbytes(line)
            yield line


def json_lines(text: Text) -> Iterator[Line]:
    """The strings of each line's value, in their order; a line that is no JSON as it is."""
    for line in prose(text):
        yield line._replace(text=_strings(line.text), opens=True)


def _strings(line: str) -> str:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return line
    found: list[str] = []
    pending = [value]
    while pending:
        match pending.pop():
            case str(said):
                found.append(said)
            case dict() as table:
                pending += reversed(table.values())
            case list() as items:
                pending += reversed(items)
    return "\n".join(found)
