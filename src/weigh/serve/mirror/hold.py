"""What is held by a check or by the operator is not given away."""

from __future__ import annotations

from weigh.core.saying import Saying
from weigh.serve.mirror.library import Opened
from weigh.serve.mirror.refusal import Refusal


def pass_or_refuse(opened: Opened) -> None:
    """Raises Refusal for a held model."""
    judgement = opened.judgement
    if not judgement.is_held:
        return
    first = judgement.reasons[0] if judgement.reasons else None
    saying = Saying("mirror.held", id=opened.snapshot.place.id, path=first.path if first else ".", reason="")
    raise Refusal(403, "Held", saying, reason=first.rule if first else "operator")
