"""What a command does, as a function of Python that goes by the user's environment as the command does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from weigh.app.pull import Pulled, pulled_by
from weigh.app.pull import pull as carry_out
from weigh.app.pull_plan import Asked


def pull(
    reference: str,
    *,
    to: str | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    also: Sequence[str] = (),
    prefer: Literal["hf", "ms"] | None = None,
    lock: str | None = None,
    allow: Sequence[str] = (),
    offline: bool = False,
) -> Pulled:
    """Fetch a model: resumed, verified, checked, and only then where loaders find it, or in the folder `to`.

    `include` and `exclude` are patterns of paths; `also` are references to the same repository elsewhere, `prefer` the
    hub whose bytes are taken first; `lock` is where to write down every hash; `allow` are names that pickles may
    import. Without a network where `offline`. What is held is told by its status; raises WeighError for what cannot be
    fetched or has another hash.
    """
    from weigh.cli.pull import gate_of, planned, ways_of
    from weigh.cli.stores import stores

    asked = Asked(
        reference=reference,
        include=tuple(include),
        exclude=tuple(exclude),
        also=tuple(also),
        prefer=prefer,
        folder=to,
        lock=lock,
    )
    ways, roots = ways_of(4, None, offline=offline), stores()
    try:
        plan = planned(asked, None, ways.client, roots)
        return pulled_by(plan, carry_out(plan, roots, gate_of(None, tuple(allow), is_open=False), ways))
    finally:
        if ways.client is not None:
            ways.client.close()
