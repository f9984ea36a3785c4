"""Signs that end a text, looked for in the text itself: an engine misses one that lies within a longer token."""

from __future__ import annotations

import msgspec

from weigh.core.work import Delta, Event
from weigh.engines.spoken import overlap


class Stopping:
    """Takes what comes, and holds back only what may still turn out to be a sign.

    >>> stopping = Stopping(("之后，",))
    >>> said = stopping.take(Delta(text="过秤之"))
    >>> said.text, stopping.take(Delta(text="后，才知道"))
    ('过秤', None)
    >>> stopping.stopped_by
    '之后，'
    """

    def __init__(self, stop: tuple[str, ...]) -> None:
        self.stopped_by: str | None = None
        self._stop = tuple(sign for sign in stop if sign)
        self._held = ""

    def take(self, event: Event) -> Event | None:
        """What of it may be said by now; nothing once it is over."""
        if not self._stop or not isinstance(event, Delta):
            return event
        if self.stopped_by is not None:
            return None
        text = self._held + event.text
        found = [(at, sign) for sign in self._stop if (at := text.find(sign)) >= 0]
        if found:
            at, self.stopped_by = min(found)
            self._held = ""
        else:
            at = len(text) - max(overlap(text, sign) for sign in self._stop)
            self._held = text[at:]
        said = msgspec.structs.replace(event, text=text[:at])
        return said if said != Delta() else None

    def rest(self) -> str:
        """What was held back for nothing."""
        return self._held
