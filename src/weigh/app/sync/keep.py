"""The kept file in the user's data folder: read whole or not at all, written whole or not at all."""

from __future__ import annotations

import os
import tempfile

import msgspec

from weigh.core.errors import OverBudget, SourceError
from weigh.knowledge.synced import Synced, parse_synced
from weigh.sources.file import FileSource

MOST_BYTES = 64 << 20


def read_kept(path: str) -> Synced | None:
    """What was kept, None where nothing is. Raises SourceError, OverBudget, TableError."""
    if not os.path.lexists(path):
        return None
    with FileSource(path) as source:
        if source.size > MOST_BYTES:
            raise OverBudget("too_long", path=path, offset=0, what="catalog.json", length=source.size, most=MOST_BYTES)
        return parse_synced(source.read(0, MOST_BYTES), path=path)


def write_kept(path: str, synced: Synced) -> None:
    """In one step: a file beside it is written, flushed and renamed. Raises SourceError."""
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=".catalog-", suffix=".json", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(synced))
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as error:
        raise SourceError("sync.not_written", path=path, reason=error.strerror or type(error).__name__) from error
