"""What the source of a TorchScript program calls beyond tensors, by its text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from weigh.codecs.zip import Member, open_member
from weigh.core.errors import FormatError
from weigh.core.observation import Observation
from weigh.core.source import Source

MOST_SOURCE = 4 << 20
MOST_IN_ALL = 32 << 20

_CALL = r"\b((?:torch|ops)(?:\.\w+)+)\s*\("
_STRINGS = r'"(?:[^"\\\n]|\\.)*+"|\'(?:[^\'\\\n]|\\.)*+\'|#[^\n]*'


def observe_source(source: Source, members: tuple[Member, ...]) -> Iterator[Observation]:
    """Each function once, with the member it first stands in; text in quotes and comments is none."""
    seen: set[str] = set()
    left = MOST_IN_ALL
    for member in members:
        if not member.name.endswith(".py") or member.nbytes > min(MOST_SOURCE, left):
            continue
        left -= member.nbytes
        try:
            content = open_member(source, member)
            text = content.read(0, content.size).decode("utf-8", "replace")
        except FormatError:
            continue
        for found in re.finditer(_CALL, re.sub(_STRINGS, "''", text)):
            if found[1] not in seen:
                seen.add(found[1])
                yield Observation(kind="operator", value=found[1], where=member.name, offset=member.offset)
