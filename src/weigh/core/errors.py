"""Every error this program raises on purpose.

WeighError
|-- BadReference        a reference that cannot be read as one
|-- SourceError         bytes that cannot be had: missing, no permission, a loop of links
|-- FormatError         bytes that are not what they should be
|   |-- Malformed       against the format's own rules
|   |-- Truncated       fewer bytes than the file itself says
|   `-- OverBudget      within the rules, but more than this program is willing to walk
|-- EngineError         an engine that is missing, does not load its model or went away
`-- TableError          a row of our own tables, or of a user's, that does not hold
"""

from __future__ import annotations

from weigh.core.saying import Hole, Saying


class WeighError(Exception):
    """What went wrong (`saying`, a key under `error.`), in which file, at which byte offset."""

    def __init__(self, key: str, /, *, path: str | None = None, offset: int | None = None, **values: Hole) -> None:
        self.saying = Saying(f"error.{key}", **values)
        self.path = path
        self.offset = offset
        super().__init__(key)

    def __str__(self) -> str:
        place = f" in {self.path!r}" if self.path is not None else ""
        offset = f" at byte {self.offset}" if self.offset is not None else ""
        holes = ", ".join(f"{name}={value!r}" for name, value in self.saying.values.items())
        return f"{self.saying.key.removeprefix('error.')}{place}{offset}" + (f" ({holes})" if holes else "")


class BadReference(WeighError):
    """A reference that cannot be read as one."""


class SourceError(WeighError):
    """Bytes that cannot be had."""


class FormatError(WeighError):
    """Bytes that are not what they should be."""


class Malformed(FormatError):
    """Against the format's own rules."""


class Truncated(FormatError):
    """Fewer bytes than the file itself says."""


class OverBudget(FormatError):
    """Within the rules, but more than this program is willing to walk."""


class EngineError(WeighError):
    """An engine that is missing, does not load its model or went away."""


class TableError(WeighError):
    """A row of a table that does not hold."""
