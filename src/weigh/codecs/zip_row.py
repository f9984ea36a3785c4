"""Archives that stand one behind the other in one file, as torch's distributed checkpoints keep their items."""

from __future__ import annotations

from weigh.codecs.zip import Window, is_zip, read_directory
from weigh.core.errors import FormatError
from weigh.core.source import Source

MOST_IN_A_ROW = 10_000


def archives_before(source: Source) -> tuple[Source, ...]:
    """Those before the archive that the file ends with, in order; none unless they fill all that stands before it."""
    try:
        at = read_directory(source).before
        found: list[Source] = []
        while at and len(found) < MOST_IN_A_ROW:
            until = Window(source, 0, at, path=source.path)
            if not is_zip(until) or (directory := read_directory(until)).after:
                return ()
            found.append(Window(source, directory.before, at - directory.before, path=source.path))
            at = directory.before
    except FormatError:
        return ()
    whole = not at and all(one.read(0, 4) == b"PK\x03\x04" for one in found)
    return tuple(reversed(found)) if whole else ()
