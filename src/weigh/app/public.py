"""The use cases as functions of Python, with plain values in and out."""

from __future__ import annotations

from collections.abc import Sequence

from weigh.core.model import Model
from weigh.core.report import Report


def inspect(reference: str) -> Model | None:
    """What the files of a path hold; None for a name alone. Raises nothing for bad files: see `check`."""
    from weigh.app.weigh import weigh

    return weigh(reference).model


def check(reference: str, *, allow: Sequence[str] = ()) -> Report:
    """Safe, whole, true to its name: behind the wall, in a child process with limits.

    `allow` are names that pickles may import. What could not be done is in `error`, never raised.
    """
    from weigh.app.wall import check as behind_the_wall
    from weigh.app.wall import prepare
    from weigh.app.wish import Wish

    prepare()

    return behind_the_wall(reference, Wish(allow=tuple(allow))).report
