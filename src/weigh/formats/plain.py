"""What lies beside models and holds no weights: texts, tables, pages, pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from weigh.codecs.json import decode
from weigh.codecs.text_observations import observe_json, observe_python, observe_text
from weigh.core.errors import FormatError
from weigh.core.format import Format
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.core.source import Source

HEAD = 1 << 12
MOST_JSON = 1 << 20  # a larger one is known by its head
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*")
_PAGE = re.compile(
    rb"\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|\?xml[^>]*>\s*<!doctype\s+html)\b", re.I | re.S
)
_ERROR_PAGE = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?<(?:error|html)\b", re.I)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_PYTHON = re.compile(rb"^(?:from [\w.]+ import |import \w|def \w+\(|class \w+|#!.*python)", re.M)


def _text(source: Source) -> bytes | None:
    """The head, if it is text in UTF-8."""
    head = source.read(0, HEAD)
    if not head or _CONTROL.search(head):
        return None
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3 or source.size <= HEAD:  # a letter cut by the window's edge is no fault
            return None
    return head


def _is_json(source: Source) -> bool:
    head = _text(source)
    if head is None or head.lstrip()[:1] not in (b"{", b"["):
        return False
    if source.size > MOST_JSON:
        return re.match(rb'\s*(?:\{\s*"|\[\s*[\[{"\d-])', head) is not None
    try:
        decode(source.read(0, MOST_JSON), path=source.path)
    except FormatError:
        return False
    return True


def _is_jsonl(source: Source) -> bool:
    head = _text(source)
    if head is None or b"\n" not in head:
        return False
    try:
        values = [decode(line, path=source.path)[0] for line in head.split(b"\n")[:-1][:3] if line.strip()]
    except FormatError:
        return False
    return bool(values) and all(isinstance(value, dict) for value in values)


def _is_csv(source: Source) -> bool:
    head = _text(source)
    if head is None:
        return False
    lines = [line for line in head.split(b"\n")[:-1][:8] if line.strip()]
    return any(
        len(lines) >= 2 and lines[0].count(mark) >= 1 and len({line.count(mark) for line in lines}) == 1
        for mark in (b",", b"\t", b";")
    )


def _is_page(source: Source) -> bool:
    head = source.read(0, HEAD)
    return _PAGE.match(head) is not None or (_text(source) is not None and _ERROR_PAGE.match(head) is not None)


def _is_python(source: Source) -> bool:
    head = _text(source)
    return head is not None and _PYTHON.search(head) is not None


def _is_picture(source: Source) -> bool:
    head = source.read(0, 12)
    return head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def _is_pdf(source: Source) -> bool:
    return source.read(0, 5) == b"%PDF-"


def _is_text(source: Source) -> bool:
    return _text(source) is not None


def _nothing(source: Source, header: Header) -> Iterator[Observation]:
    return iter(())


def _a_page(source: Source, header: Header) -> Iterator[Observation]:
    yield from observe_text(source, header)
    yield Observation(kind="html", value=source.read(0, HEAD).decode("utf-8", "backslashreplace")[:200])


def _format(
    name: str,
    suffixes: tuple[str, ...],
    matches: Callable[[Source], bool],
    examine: Callable[[Source, Header], Iterator[Observation]] = _nothing,
) -> Format:
    return Format(
        name=name,
        suffixes=suffixes,
        matches=matches,
        read=lambda source: Header(format=name),
        examine=examine,
        is_model=False,
    )


HTML = _format("html", (".html", ".htm"), _is_page, _a_page)
IMAGE = _format("image", (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tiff"), _is_picture)
PDF = _format("pdf", (".pdf",), _is_pdf)
JSON = _format("json", (".json",), _is_json, observe_json)
JSONL = _format("jsonl", (".jsonl", ".ndjson"), _is_jsonl)
PYTHON = _format("python", (".py",), _is_python, observe_python)
CSV = _format("csv", (".csv", ".tsv"), _is_csv, observe_text)
TEXT = _format("text", (".txt", ".md", ".yaml", ".yml", ".toml", ".jinja"), _is_text, observe_text)
