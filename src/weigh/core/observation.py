"""What an examination of a file came upon: seen, not yet judged."""

from __future__ import annotations

from typing import Literal

from weigh.core.value import Value

Kind = Literal[
    "import",  # a global a pickle names: value is "module qualname"
    "call",  # a global a pickle calls or builds with
    "extension",  # a copyreg extension code, whose global is not in the file
    "persistent_id",
    "stream_error",  # the bytes stop being a valid pickle here
    "bomb",  # a pickle that takes its loader's memory or time: value is a key under `finding.pickle-bomb.`
    "operator",
    "layer",
    "template",
    "external_path",
    "embedded",  # another format inside, before or behind this one
    "gap",  # bytes that nothing refers to
    "code",
    "declared_total",  # a total the file declares: "total_size 12345"
    "pointer",  # a Git LFS pointer: value is its size field
    "html",  # a page where a model was expected
]


class Observation(Value, frozen=True, kw_only=True):
    """`where` is the member, key or tensor; `offset` is in the file or, for a member, in its content."""

    kind: Kind
    value: str
    where: str | None = None
    offset: int | None = None
