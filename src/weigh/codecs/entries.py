"""Names in an archive that lead out of the folder it is unpacked to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from weigh.core.header import Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying

MOST_NAME = 1000
MOST_TOLD = 100  # of one archive

_DRIVE = re.compile(r"^[A-Za-z]:")


def leads_out(name: str, *, base: str = "") -> bool:
    """Absolute, on a drive, over a NUL, or up past the root; `base` is the folder that a link's target starts from."""
    if ".." not in name and ":" not in name and "\0" not in name and name[:1] not in ("/", "\\"):
        return False  # nearly all names
    plain = name.replace("\\", "/")
    if plain.startswith("/") or _DRIVE.match(plain) or "\0" in name:
        return True
    depth = 0
    for word in [*base.split("/"), *plain.split("/")]:
        depth += -1 if word == ".." else 0 if word in ("", ".") else 1
        if depth < 0:
            return True
    return False


def slips(names: Iterable[tuple[str, str | None, int]]) -> Iterator[tuple[Observation, Problem]]:
    """Of (name, a link's target or None, offset): what unpacking would write or read outside, seen and told."""
    told = 0
    for name, link, offset in names:
        if told == MOST_TOLD:
            return
        if leads_out(name):
            told += 1
            yield _told(Saying("problem.archive.slip", name=name[:MOST_NAME]), name, name, offset)
        elif link is not None and leads_out(link, base=name.rpartition("/")[0]):
            told += 1
            detail = Saying("problem.archive.link", name=name[:MOST_NAME], leads=link[:MOST_NAME])
            yield _told(detail, name, link, offset)


def _told(detail: Saying, name: str, leads: str, offset: int) -> tuple[Observation, Problem]:
    observation = Observation(kind="external_path", value=leads[:MOST_NAME], where=name[:MOST_NAME], offset=offset)
    return observation, Problem(kind="slip", detail=detail, offset=offset)
