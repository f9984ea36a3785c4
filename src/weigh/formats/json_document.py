"""JSON: one document; a list of records is a data set as well."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from weigh.codecs.json import decode
from weigh.codecs.plain_text import head_of_text
from weigh.codecs.records import sample_of
from weigh.codecs.text_observations import observe_json
from weigh.core.errors import FormatError
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.source import Source

MOST_JSON = 1 << 20  # a larger one is known by its head
MOST_RECORDS = 500
LEAST_RECORDS = 20  # a shorter list of objects is as often a list of settings
_BEGINS = re.compile(rb'\s*(?:\{\s*["}]|\[\s*[\[{"\]\d-])')


def matches(source: Source) -> bool:
    """A document that can be decoded; of a large one, text that begins so."""
    head = head_of_text(source)
    if head is None or _BEGINS.match(head.removeprefix(b"\xef\xbb\xbf")) is None:
        return False
    if source.size > MOST_JSON:
        return True
    return _document(source) is not None


def read(source: Source) -> Header:
    """Rows and columns where it is a list of records; nothing is said here of other documents."""
    records = _records(source)
    if not records or not all(isinstance(record, dict) for record in records):
        return Header(format="json")
    whole = source.size <= MOST_JSON
    sample = sample_of(records[:MOST_RECORDS])
    rows = len(records) if whole else round(source.size / (MOST_JSON / len(records)))
    if sample.schema is None and rows < LEAST_RECORDS:
        return Header(format="json")
    metadata: dict[str, Meta] = {"rows": rows, "is_estimate": not whole, "sampled": sample.seen}
    return Header(format="json", metadata=metadata | sample.metadata())


def _document(source: Source) -> object | None:
    try:
        return decode(source.read(0, MOST_JSON).removeprefix(b"\xef\xbb\xbf"), path=source.path)[0] or 0
    except FormatError:
        return None


def _records(source: Source) -> list[object]:
    if source.size <= MOST_JSON:
        value = _document(source)
        return value if isinstance(value, list) else []
    return list(_leading(source.read(0, MOST_JSON).decode("utf-8", "replace")))


def _leading(text: str) -> Iterator[object]:
    """The elements of a list whose end is not in sight, one after another."""
    decoder = json.JSONDecoder()
    at = len(text) - len(text.lstrip())
    if text[at : at + 1] != "[":
        return
    try:
        while text[at : at + 1] in ("[", ","):
            at = _past_space(text, at + 1)
            value, at = decoder.raw_decode(text, at)
            yield value
            at = _past_space(text, at)
    except (ValueError, RecursionError):
        return


def _past_space(text: str, at: int) -> int:
    match = re.compile(r"\s*").match(text, at)
    return match.end() if match is not None else at


FORMAT = Format(name="json", suffixes=(".json",), matches=matches, read=read, examine=observe_json, is_model=False)
