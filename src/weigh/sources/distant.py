"""Sources whose bytes are far away: what a reader may ask and tell them, so that few requests are made."""

from __future__ import annotations

from typing import Protocol

from weigh.core.source import Source


class Distant(Protocol):
    """A Source over a network: bytes in a row are cheap, each jump costs a request."""

    def at_hand(self, offset: int) -> int:
        """How many bytes from `offset` on are here already."""

    def expect(self, offset: int, length: int) -> None:
        """About so many bytes from `offset` on will be read next: one request may bring them all."""


def distant(source: Source) -> Distant | None:
    """The source's far side; None for one whose every byte is near."""
    found: Distant | None = getattr(source, "distant", None)
    return found
