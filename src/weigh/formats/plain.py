"""What lies beside models and holds no weights: texts, tables, pages, pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from weigh.codecs.plain_text import HEAD, head_of_text
from weigh.codecs.png import text_keywords
from weigh.codecs.text_observations import observe_python, observe_text
from weigh.core.format import Format
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.core.source import Source

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
_PAGE = re.compile(
    rb"\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|\?xml[^>]*>\s*<!doctype\s+html)\b", re.I | re.S
)
_ERROR_PAGE = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?<(?:error|html)\b", re.I)
_PYTHON = re.compile(rb"^(?:from [\w.]+ import |import \w|def \w+\(|class \w+|#!.*python)", re.M)


def _is_page(source: Source) -> bool:
    head = source.read(0, HEAD)
    return _PAGE.match(head) is not None or (head_of_text(source) is not None and _ERROR_PAGE.match(head) is not None)


def _is_python(source: Source) -> bool:
    """By what lines begin with; by the name too, for Python imports by the name and takes other encodings."""
    head = head_of_text(source)
    if head is not None and _PYTHON.search(head) is not None:
        return True
    return source.size > 0 and source.path.endswith(".py")


def _is_picture(source: Source) -> bool:
    head = source.read(0, 12)
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return True
    return head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def _read_picture(source: Source) -> Header:
    """Programs that draw keep what they drew by in a PNG's text: ComfyUI its `workflow` and `prompt`."""
    words = text_keywords(source)
    return Header(format="image", metadata={"text": words} if words else {})


def _is_pdf(source: Source) -> bool:
    return source.read(0, 5) == b"%PDF-"


def _is_text(source: Source) -> bool:
    return head_of_text(source) is not None


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
IMAGE = Format(
    name="image",
    suffixes=(".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tiff"),
    matches=_is_picture,
    read=_read_picture,
    examine=_nothing,
    is_model=False,
)
PDF = _format("pdf", (".pdf",), _is_pdf)
PYTHON = _format("python", (".py",), _is_python, observe_python)
TEXT = _format("text", (".txt", ".md", ".yaml", ".yml", ".toml", ".jinja"), _is_text, observe_text)
