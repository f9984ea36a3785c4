"""How a name says its weights are packed: labels by their grammar, and what several labels come to."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import msgspec

from weigh.core.name import Quant
from weigh.knowledge.naming import QuantLabel, quantisations
from weigh.names.tokens import Token

# Compiled when first asked for, as `re` keeps them: most names hold no label.
_FIRST = r"(?:i?q|tq|kq)([1-8])(?:_[0-9])*(?:_k(?:_[sml])?)?"
_REST = frozenset(["k", "s", "m", "l", "xl", "xs", "xxs", "xxl", "nl", "p", "r4", "r8", "0", "1", "hifi"])
_SHARE = r"[0-9]{2}(?:(?:i?q|tq)([1-8])|(?:b?f)(16|32)).*"
_CODEBOOK = r"[0-9]x[0-9]+"
_MIXED_TAIL = r"(?i)-mixed(?![a-z])"
_MIXED = r"int([2-8])mix"
_ALWAYS_PACKED = ("exl2",)
_SHOWN = ("MLX", "OpenVINO")  # loaders, of which a name speaks only where it spells them
_NUMBER_FORMATS = ("FP8-E4M3", "FP8-E5M2")  # how the eight bits are spent, not how weights are scaled
_LOADERS = ("GGML", "MLX", "EXL2", "EXL3")
_NO_FORMAT = "EXL3"


class Label(msgspec.Struct, frozen=True):
    """One label of a name, with the first and the last of its characters."""

    method: str | None
    scheme: str | None
    bits: float | None
    start: int
    end: int


def label_at(tokens: Sequence[Token], at: int, text: str) -> tuple[Label, int] | None:
    """A GGUF label that starts here, table or not, and how many tokens it takes: `UD-Q4_K_XL`, `Q4_0_4_4`, `KQ2`."""
    low = tokens[at].low
    follows = tokens[at + 1].low if at + 1 < len(tokens) else ""
    if low == "ud" and follows != "ud" and (found := label_at(tokens, at + 1, text) if follows else None) is not None:
        label, length = found
        return _label(text, tokens[at].start, label.end, label.bits), length + 1
    if (mixed := re.fullmatch(_MIXED, low)) is not None:
        scheme = text[tokens[at].start : tokens[at].end]
        return Label(None, scheme, float(mixed[1]), tokens[at].start, tokens[at].end), 1
    if (share := re.fullmatch(_SHARE, low)) is not None:
        last = _while(tokens, at, lambda token: re.fullmatch(_SHARE, token.low) is not None or token.before == "_")
        return _label(text, tokens[at].start, tokens[last].end, float(share[1] or share[2])), last - at + 1
    if (first := re.fullmatch(_FIRST, low)) is None:
        return None
    last = _while(tokens, at, lambda token: token.before in ("_", "-", "") and token.low in _REST)
    while last > at and tokens[last].before == "-" and tokens[at + 1].low != "k":
        last -= 1
    return _label(text, tokens[at].start, tokens[last].end, float(first[1])), last - at + 1


def _while(tokens: Sequence[Token], at: int, more: object) -> int:
    assert callable(more)
    last = at
    while last + 1 < len(tokens) and more(tokens[last + 1]):
        last += 1
    return last


def _label(text: str, start: int, end: int, bits: float | None) -> Label:
    return Label("GGUF", text[start:end].upper(), bits, start, end)


def label_of(row: QuantLabel, start: int, end: int) -> Label:
    """A label that the table spells."""
    scheme = row.method if row.method == "FP8" and row.scheme in _NUMBER_FORMATS else row.scheme
    method = row.method
    if method in _SHOWN and not row.id.lower().startswith(method.lower()):
        method = None
    return Label(method, scheme, row.bits, start, end)


@functools.cache
def real_bits() -> dict[str, float]:
    """What a weight takes on average, by scheme, where the table knows."""
    return {row.scheme: row.bits_per_weight for row in quantisations() if row.scheme and row.bits_per_weight}


def quant_of(
    labels: Sequence[Label], text: str, *, format: str | None, group: int | None, tagged: bool
) -> tuple[Quant | None, str | None]:
    """What the labels come to, and the format they show: `GPTQ-Int4`, `NVFP4-FP8`, `F16` of a GGUF."""
    if not labels:
        return (Quant(method=format.upper()), format) if format in _ALWAYS_PACKED else (None, format)
    methods = [label.method for label in labels if label.method not in (None, "none")]
    loader = next((method for method in _LOADERS if method in methods), None)
    if format is not None and format.upper() in _LOADERS:
        loader = format.upper()
    method = loader or (methods[0] if methods else None)
    main = _main(labels, text)
    in_gguf = method == "GGUF" or format == "gguf" or tagged
    if in_gguf and (main.method in ("none", "MXFP4", "NVFP4") or method is None):
        method = "GGUF" if main.scheme is not None else method
    if method is None and main.method == "none":
        method = "none"
    if format is None and method in _LOADERS and method != _NO_FORMAT:
        format = method.lower()
    scheme = text[main.start : main.end].upper() if method == "GGUF" and main.method == "none" else main.scheme
    return Quant(method=method, scheme=scheme, bits=_whole(main.bits), group=group), format


def _main(labels: Sequence[Label], text: str) -> Label:
    """The label with the scheme: a packed one before a plain one; two that stand together are one mixed scheme."""
    schemed = [label for label in labels if label.scheme is not None]
    packed = [label for label in schemed if label.method != "none"] or schemed
    if not packed:
        return labels[0]
    main = next(
        (label for label in packed if label.scheme is not None and re.fullmatch(_CODEBOOK, label.scheme)), packed[0]
    )
    if main is not packed[0]:
        return Label(main.method, main.scheme, packed[0].bits, main.start, main.end)
    if main.method != "GGUF" and (mixed := re.compile(_MIXED_TAIL).match(text, main.end)) is not None:
        return Label(main.method, f"{main.scheme}{mixed[0].lower()}", main.bits, main.start, mixed.end())
    if len(packed) > 1 and packed[1].start == main.end + 1 and main.method != "GGUF" and packed[1].bits != main.bits:
        between = text[main.start : packed[1].end]
        scheme = (main.scheme or "") + between[main.end - main.start :]
        return Label(main.method, scheme, main.bits, main.start, packed[1].end)
    return main


def _whole(bits: float | None) -> int | float | None:
    return int(bits) if bits is not None and bits == int(bits) else bits
