"""Tokens into text as they come: a character is told when all its bytes are there."""

from __future__ import annotations

from collections.abc import Callable

MOST_KEPT = 64  # tokens that are decoded again with each new one, up to the next end of a line


class Decoding:
    """`decode` turns token ids into text.

    >>> decoding = Decoding(lambda ids: bytes(ids).decode("utf-8", "replace"))
    >>> [decoding.feed(byte) for byte in "过a".encode()], decoding.flush()
    (['', '', '过', 'a'], '')
    """

    def __init__(self, decode: Callable[[list[int]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._said = ""

    def feed(self, token: int) -> str:
        """What the token adds; nothing while the rest of a character is still to come."""
        self._ids.append(token)
        text = self._decode(self._ids)
        if text.endswith("\ufffd"):
            return ""
        piece, self._said = text[len(self._said) :], text
        if len(self._ids) > MOST_KEPT and piece.endswith("\n"):
            self._ids, self._said = [], ""
        return piece

    def flush(self) -> str:
        """What is left when nothing more comes: half a character."""
        return self._decode(self._ids)[len(self._said) :] if self._ids else ""
