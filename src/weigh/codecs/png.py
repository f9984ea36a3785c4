"""The words in a PNG's text chunks: which keywords there are, and how many bytes each has."""

from __future__ import annotations

from weigh.core.source import Source

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_CHUNKS = 4096
MOST_KEYWORD = 80  # with its zero byte; PNG 1.2, section 4.2.3
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")


def text_keywords(source: Source) -> dict[str, int]:
    """Keywords in their order; nothing for what is no PNG. A chunk that breaks off ends the walk."""
    found: dict[str, int] = {}
    at = len(SIGNATURE) if source.read(0, 8) == SIGNATURE else source.size
    for _ in range(MOST_CHUNKS):
        head = source.read(at, 8 + MOST_KEYWORD)
        length = int.from_bytes(head[:4], "big")
        if len(head) < 12 or at + 12 + length > source.size:
            break
        keyword, zero, _ = head[8 : 8 + min(length, MOST_KEYWORD)].partition(b"\0")
        if head[4:8] in _TEXTS and zero and keyword:
            found[keyword.decode("latin-1")] = length
        at += 12 + length
    return found
