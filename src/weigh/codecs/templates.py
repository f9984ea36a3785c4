"""The templates that were seen in files, each examined once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from weigh.core.observation import Observation
from weigh.core.rule import Evidence

if TYPE_CHECKING:
    from weigh.codecs.jinja import Seen

MOST_IN_ALL = 8 << 20


def templates_in(evidence: Evidence) -> Iterator[tuple[str, Observation, tuple[Seen, ...]]]:
    """Each template of the evidence once, where it was first seen, up to MOST_IN_ALL letters of them."""
    done: set[str] = set()
    letters = 0
    for file in (*evidence.files, *([evidence.folder] if evidence.folder else [])):
        for seen in file.observations:
            if seen.kind == "template" and seen.value not in done and letters < MOST_IN_ALL:
                from weigh.codecs.jinja import examine_template  # a parser that most files have nothing for

                done.add(seen.value)
                letters += len(seen.value)
                yield file.path, seen, examine_template(seen.value)
