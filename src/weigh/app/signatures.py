"""The signatures.toml that holds, read from a file."""

from __future__ import annotations

from weigh.core.errors import OverBudget
from weigh.knowledge.signatures import Signature, parse_signatures
from weigh.sources.file import FileSource

MOST_BYTES = 1 << 20


def read_signatures(path: str) -> tuple[Signature, ...]:
    """A company's own formats. Raises SourceError for a file that cannot be read, TableError for one that is wrong."""
    with FileSource(path) as source:
        if source.size > MOST_BYTES:
            raise OverBudget(
                "too_long", path=path, offset=0, what="signatures.toml", length=source.size, most=MOST_BYTES
            )
        return parse_signatures(source.read(0, MOST_BYTES), path=path)
