"""What was asked for and what is chosen: steps, choices with their reasons, and what was left out."""

from __future__ import annotations

from typing import Literal

from weigh.core.fit import Fit
from weigh.core.report import Failure
from weigh.core.saying import Saying
from weigh.core.value import Value

Origin = Literal["option", "words", "script", "machine", "usual"]
Leave = Literal["yes", "no", "conditional"]


class Heard(Value, frozen=True, kw_only=True):
    """One thing that was understood: `what` is task, kind, language ..., `words` those that told it."""

    what: str
    value: str
    origin: Origin
    words: str | None = None


class Ids(Value, frozen=True, kw_only=True):
    """The model's id on each hub that has it."""

    hf: str | None = None
    ms: str | None = None


class Terms(Value, frozen=True, kw_only=True):
    """A licence by its id in the catalogue; None where nobody says under which."""

    id: str | None = None
    commercial: Leave | None = None


class Choice(Value, frozen=True, kw_only=True):
    """A model to take: `id` as a reference, `file` what of it to load, `commands` in the order to run them."""

    id: str
    name: str
    family: str
    kind: str
    task: str
    why: tuple[Saying, ...]
    score: float
    superseded_by: tuple[str, ...] = ()
    licence: Terms
    repo_ids: Ids
    size: str | None = None
    quantisation: str | None = None
    file: str
    fit: Fit
    commands: tuple[str, ...]


class Left(Value, frozen=True, kw_only=True):
    """How many models were left out for one reason."""

    reason: str
    count: int


class Step(Value, frozen=True, kw_only=True):
    """One model's part in what was asked for."""

    task: str
    kind: str
    why: Saying


class Chosen(Value, frozen=True, kw_only=True):
    """The answer to `weigh choose`; nothing understood gives nothing chosen."""

    schema: int
    query: str | None = None
    need: tuple[Heard, ...] = ()
    kinds: tuple[Step, ...] = ()
    choices: tuple[Choice, ...] = ()
    excluded: tuple[Left, ...] = ()
    error: Failure | None = None
