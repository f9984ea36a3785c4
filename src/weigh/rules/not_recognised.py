"""A file whose content no format of ours recognises was not looked at."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Skip
from weigh.core.rule import Evidence, Examined, Rule
from weigh.core.saying import Saying


def check(evidence: Evidence) -> Iterator[Skip]:
    """A Skip for each; an empty or unreadable file has its finding already."""
    for file in evidence.files:
        if file.format == "unknown" and not file.problems:
            yield Skip(rule=RULE.id, path=file.path, reason="not-recognised", detail=_known(file), matters=True)


def _known(file: Examined) -> Saying | None:
    """Which it is, where it has a name all the same."""
    metadata = file.header.metadata if file.header is not None else {}
    own = metadata.get("private")
    if isinstance(own, dict):
        id, tool = str(own["id"]), own.get("tool")
        return Saying("skip.private_tool", id=id, tool=str(tool)) if tool else Saying("skip.private", id=id)
    like, kind = metadata.get("looks_like"), metadata.get("kind")
    if not isinstance(like, str):
        return None
    return Saying(f"skip.closed.{kind}", id=like, tool=str(metadata.get("tool", "-")))


RULE = Rule(id="not-recognised", check=check)
