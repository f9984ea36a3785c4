"""What ends the reading of a file on a server, through no fault of the file."""

from __future__ import annotations

from weigh.core.errors import SourceError


class NotFetched(SourceError):
    """Bytes that a server did not give: what they would have said is not known."""


class Refused(NotFetched):
    """The server wants to know who asks, or refuses them."""
