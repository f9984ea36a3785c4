"""What all the files together say: facts, each with who says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from weigh.core.architecture import Architecture
from weigh.core.facts import Fact
from weigh.core.header import Header
from weigh.core.name import Quant
from weigh.core.value import Value


class Tokenizer(Value, frozen=True, kw_only=True):
    """`model` as tokenizer.json or `tokenizer.ggml.model` spells it; `num_tokens` in its vocabulary."""

    model: str | None = None
    num_tokens: int | None = None


class ModelFile(Value, frozen=True, kw_only=True):
    """One file and its header; no header where it is no model file or could not be read."""

    path: str
    format: str
    nbytes: int
    header: Header | None = None


class ContentsPart(Value, frozen=True, kw_only=True):
    """One network among the tensors: `component` is a key under `component.`, `family` as its makers write it."""

    component: str
    family: str


class Contents(Value, frozen=True, kw_only=True):
    """What a set of tensors is, by their names and shapes. `family` is that of its main part, `variant` what that is"""

    kind: Literal["checkpoint", "component", "adapter", "embedding", "training-state"]
    family: str | None = None
    variant: str | None = None
    method: str | None = None
    parts: tuple[ContentsPart, ...] = ()
    beside: tuple[str, ...] = ()
    unquantised: tuple[str, ...] = ()


class Model(Value, frozen=True, kw_only=True):
    """Facts that nobody states are None. `dtypes` maps a dtype to stored bytes, largest first."""

    files: tuple[ModelFile, ...] = ()
    architecture: Architecture | None = None
    format: Fact[str] | None = None
    model_type: Fact[str] | None = None
    contents: Fact[Contents] | None = None
    num_parameters: Fact[int] | None = None
    num_active_parameters: Fact[int] | None = None
    num_tensors: Fact[int] | None = None
    bits_per_weight: Fact[float] | None = None
    dtypes: Fact[Mapping[str, int]] | None = None
    quantisation: Fact[Quant] | None = None
    context_length: Fact[int] | None = None
    tokenizer: Fact[Tokenizer] | None = None
    chat_template: Fact[str] | None = None
    modalities: Fact[tuple[str, ...]] | None = None
    licence: Fact[str] | None = None
    base_model: Fact[str] | None = None
    weight_nbytes: Fact[int] | None = None
    nbytes: Fact[int] | None = None
