"""A model's name taken apart: the JSON form of `weigh name --json`."""

from __future__ import annotations

from weigh.core.saying import Saying
from weigh.core.value import Value


class Part(Value, frozen=True, kw_only=True):
    """A stretch of the text: what kind of thing it says, its value, why we think so, how sure (0 to 1).

    The texts of a Name's parts, joined, are the Name's text again.
    """

    kind: str
    text: str
    value: str | None = None
    why: Saying | None = None
    confidence: float | None = None


class Size(Value, frozen=True, kw_only=True):
    """Numbers of parameters in billions, except `experts`, a count."""

    total_b: int | float | None = None
    active_b: int | float | None = None
    experts: int | None = None
    expert_b: int | float | None = None
    effective_b: int | float | None = None


class Quant(Value, frozen=True, kw_only=True):
    """How weights are packed: `GGUF` / `Q4_K_M` / 4 bits, `GPTQ` / `Int4` / 4 bits in groups of 128."""

    method: str | None = None
    scheme: str | None = None
    bits: int | float | None = None
    group: int | None = None


class Shard(Value, frozen=True, kw_only=True):
    """Number `index` (from 1) of `count` files."""

    index: int
    count: int


class Name(Value, frozen=True, kw_only=True):
    """What a name itself says. A field it does not support is None or empty."""

    name: str
    org: str | None = None
    family: str | None = None
    version: str | None = None
    size: Size | None = None
    tier: tuple[str, ...] = ()
    function: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    quant: Quant | None = None
    format: str | None = None
    context_tokens: int | None = None
    date: str | None = None
    training: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    shard: Shard | None = None
    kind: str
    notes: str | None = None
    confidence: float | None = None
    parts: tuple[Part, ...] = ()
    other_readings: tuple[Part, ...] = ()
