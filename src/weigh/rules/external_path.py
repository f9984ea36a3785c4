"""A file makes its loader open something outside the folder."""

from __future__ import annotations

import re
from collections.abc import Iterator

from weigh.core.finding import Finding
from weigh.core.observation import Observation
from weigh.core.rule import Evidence, Rule
from weigh.core.saying import Saying

MOST_OF_A_FILE = 10
# Of an archive archive-slip tells; a link saved as text is opened by nobody.
NOT_ASKED = frozenset(("zip", "tar", "7z", "gzip", "bzip2", "xz", "lzma", "zlib", "lz4", "zstd", "link-text"))
_ADDRESS = re.compile(r"[\"']?[a-z][a-z0-9+.-]*://", re.I)
_CACHE = re.compile(r"(?:\.\./)+blobs/[0-9a-f]{40,64}")  # how the Hugging Face cache is laid out


def check(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each path that is absolute, climbs, names a drive or an address; each path of a file once."""
    told: set[tuple[str, str]] = set()
    for file in (*evidence.files, *([evidence.folder] if evidence.folder else [])):
        if file.format in NOT_ASKED:
            continue
        number = 0
        for seen in file.observations:
            if seen.kind != "external_path" or not leaves(seen.value) or number == MOST_OF_A_FILE:
                continue
            if ((seen.where or "").partition(" ")[0], seen.value) in told:
                continue
            told.add(((seen.where or "").partition(" ")[0], seen.value))
            number += 1
            yield _finding(file.path, seen)


def leaves(path: str) -> bool:
    """Absolute, upwards, of a drive or a network share, of a home, or an address."""
    plain = path.strip("\"' ").replace("\\", "/")
    return (
        plain.startswith(("/", "~"))
        or re.match(r"[A-Za-z]:", plain) is not None
        or _ADDRESS.match(plain) is not None
        or (".." in plain.split("/") and not _CACHE.fullmatch(plain))
    )


def _finding(path: str, seen: Observation) -> Finding:
    link = seen.where == "link"
    address = _ADDRESS.match(seen.value) is not None and not seen.value.strip("\"'").lower().startswith("file:")
    return Finding(
        rule=RULE.id,
        severity="medium" if link else "high",
        confidence="likely",
        path=path,
        offset=seen.offset,
        verdict="suspicious" if address or link else "malicious",
        detail=Saying(
            "finding.external-path.address" if address else "finding.external-path.path",
            value=seen.value,
            where=seen.where or path,
        ),
    )


RULE = Rule(id="external-path", check=check)
