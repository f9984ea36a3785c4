"""Findings that are known and accepted, by their fingerprints, in a file beside the project."""

from __future__ import annotations

import json
from collections.abc import Iterable

from weigh.core.errors import SourceError, TableError
from weigh.core.finding import fingerprint
from weigh.core.report import Report


def read_baseline(path: str) -> frozenset[str]:
    """Raises SourceError for a file that cannot be read, TableError for one that is no baseline."""
    try:
        with open(path, "rb") as file:
            table = json.load(file)
    except OSError as error:
        raise SourceError("cannot_read", path=path, reason=error.strerror or str(error)) from error
    except ValueError as error:
        raise TableError("baseline", path=path) from error
    match table:
        case {"fingerprints": list(known)} if all(isinstance(one, str) for one in known):
            return frozenset(known)
    raise TableError("baseline", path=path)


def write_baseline(path: str, reports: Iterable[Report]) -> None:
    """All findings of these reports, sorted. Raises SourceError."""
    known = sorted({fingerprint(finding) for report in reports for finding in report.findings})
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(json.dumps({"fingerprints": known}, indent=1) + "\n")
    except OSError as error:
        raise SourceError("cannot_write", path=path, reason=error.strerror or str(error)) from error
