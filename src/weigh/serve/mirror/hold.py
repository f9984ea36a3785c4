"""What is held by a check or by the operator is not given away."""

from __future__ import annotations

from weigh.core.saying import Saying
from weigh.serve.mirror.library import Opened
from weigh.serve.mirror.refusal import Code, Refusal


def pass_or_refuse(opened: Opened, code: Code = "Held") -> None:
    """Raises Refusal for a held model..

    `code`: transformers shows the reason of a gated repository, the command hf that of a plain 403.
    """
    judgement = opened.judgement
    if not judgement.is_held:
        return
    first = judgement.reasons[0] if judgement.reasons else None
    saying = Saying("mirror.held", id=opened.snapshot.place.id, path=first.path if first else ".", reason="")
    raise Refusal(403, code, saying, reason=first.rule if first else "operator")
