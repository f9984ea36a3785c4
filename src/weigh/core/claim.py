"""One thing the name says, held against what the files hold."""

from __future__ import annotations

from typing import Literal

from weigh.core.facts import Origin
from weigh.core.saying import Saying
from weigh.core.value import Value

Field = Literal[
    "family",
    "version",
    "size",
    "active_size",
    "quant",
    "bits_per_weight",
    "format",
    "function",
    "context",
    "modality",
    "language",
    "base_model",
    "weights",
    "shard",
]
Verdict = Literal["holds", "does_not_hold", "cannot_tell"]


class Claim(Value, frozen=True, kw_only=True):
    """`said` and `found` as people write them; `found` is None where nothing speaks to it."""

    field: Field
    said: str
    found: str | None = None
    verdict: Verdict
    said_by: Origin
    found_by: Origin | None = None
    because: Saying
