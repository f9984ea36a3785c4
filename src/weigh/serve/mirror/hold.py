"""What is held by a check or by the operator is not given away."""

from __future__ import annotations

import re

from weigh.core.saying import Saying
from weigh.serve.mirror.library import Opened
from weigh.serve.mirror.refusal import Code, Refusal

_COMMAND = re.compile(r"huggingface-cli/.*\bhf_hub/[1-9]")


def pass_or_refuse(opened: Opened, agent: str = "") -> None:
    """Raises Refusal for a held model, in the form whose reason this client shows."""
    judgement = opened.judgement
    if not judgement.is_held:
        return
    first = judgement.reasons[0] if judgement.reasons else None
    saying = Saying("mirror.held", id=opened.snapshot.place.id, path=first.path if first else ".", reason="")
    raise Refusal(403, form_for(agent), saying, reason=first.rule if first else "operator")


def form_for(agent: str) -> Code:
    """The command hf of huggingface_hub 1 and later shows the reason of a plain 403 alone; libraries, and the command
    before that, show the reason of a gated repository, and take a plain 403 for a connection that failed."""
    return "Held" if _COMMAND.search(agent) else "GatedRepo"
