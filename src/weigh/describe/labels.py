"""The quantisation a name states, held against the types of the tensors by bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from weigh.core.claim import Claim
from weigh.core.model import Model
from weigh.core.name import Name, Quant
from weigh.core.saying import Saying
from weigh.core.tensors import TensorInfo
from weigh.describe.claims import claim, verdict
from weigh.describe.merge import nominal_bits
from weigh.describe.weights import one_set
from weigh.knowledge.gguf_mixes import gguf_mixes
from weigh.knowledge.tolerances import tolerances

PLAIN = frozenset({"BF16", "F16", "F32", "F64"})
# One method's weights in another's layout: AutoRound writes GPTQ's and AWQ's, llm-compressor its own for all.
_LAYOUTS = {
    "GPTQ": {"AutoRound"},
    "AWQ": {"AutoRound"},
    "compressed-tensors": {"GPTQ", "AWQ", "AutoRound", "SmoothQuant"},
}
_BITS_A_WEIGHT = re.compile(r"^(\d+(?:\.\d+)?)bpw$")


def labels(name: Name, model: Model) -> Iterator[Claim]:
    """The claim of a quantisation, or of bits a weight where that is all the name says."""
    said, found = name.quant, model.quantisation
    if said is None:
        return
    words = (said.method if said.method != "none" else None, said.scheme)
    text = " ".join(dict.fromkeys(word for word in words if word))
    if found is None or model.dtypes is None or model.bits_per_weight is None:
        yield claim("quant", text, None, "cannot_tell", Saying("claim.quant.uncounted"))
        return
    bits = model.bits_per_weight.value
    if (stated := _BITS_A_WEIGHT.match(said.scheme or "")) is not None:
        fits = tolerances()["bits_per_weight"].allows(bits, float(stated[1]))
        because = Saying("claim.quant.bits" if fits else "claim.quant.other_bits", bits=bits)
        yield claim("bits_per_weight", text, f"{bits:.2f}", verdict(fits=fits), because)
        if said.method in (None, "GGUF", "none"):
            return
        said = Quant(method=said.method)
    main = next(iter(model.dtypes.value), "")
    if model.format is not None and model.format.value == "gguf" and said.scheme is not None:
        fits, because = _gguf_label(said, model, main)
    else:
        fits, because = _packed(said, found.value, bits)
    yield claim("quant", text, _shown(found.value, main), verdict(fits=fits), because)


def _shown(quant: Quant, main: str) -> str:
    words = (quant.method if quant.method not in ("none", "GGUF") else None, quant.scheme)
    return " ".join(dict.fromkeys(word for word in words if word)) or main


def _gguf_label(said: Quant, model: Model, main: str) -> tuple[bool, Saying]:
    """By the type that holds the most bytes of the blocks: a large vocabulary's table is packed by rules of its own.
    A label nobody tabled is held against its own digit.
    """
    bits = model.bits_per_weight.value if model.bits_per_weight is not None else 0.0
    label = (said.scheme or "").removeprefix("I1-")
    mix = gguf_mixes().get(label)
    if mix is not None:
        main, of_blocks = _of_blocks(model) or (main, bits)
        least, most = mix.bits_per_weight
        fits = main in mix.main and least <= of_blocks <= most
        return fits, Saying("claim.quant.main" if fits else "claim.quant.other_main", main=main, bits=bits)
    stated = said.bits if said.bits is not None else nominal_bits(label.removeprefix("UD-"))
    fits = stated is None or stated - 0.6 <= bits <= stated + 2.2
    return fits, Saying("claim.quant.bits" if fits else "claim.quant.other_bits", bits=bits)


def _of_blocks(model: Model) -> tuple[str, float] | None:
    """The type of the most bytes among the matrices of the blocks, and their bits a weight."""
    by_dtype: dict[str, int] = {}
    elements = 0
    for tensor in _matrices(model):
        by_dtype[tensor.dtype] = by_dtype.get(tensor.dtype, 0) + (tensor.nbytes or 0)
        elements += tensor.num_elements
    if not elements:
        return None
    return max(by_dtype, key=lambda dtype: by_dtype[dtype]), sum(by_dtype.values()) * 8 / elements


def _matrices(model: Model) -> Iterator[TensorInfo]:
    for file in one_set(model.files, None):
        for tensor in file.header.tensors if file.header is not None else ():
            if tensor.name.startswith(("blk.", "v.blk.", "enc.blk.", "dec.blk.")) and len(tensor.shape) > 1:
                yield tensor


def _packed(said: Quant, found: Quant, bits: float) -> tuple[bool, Saying]:
    """Method against method, bits against bits; what the name leaves open is not held against it."""
    if said.scheme in PLAIN and found.scheme in PLAIN:
        fits = said.scheme == found.scheme
    else:
        same_bits = said.bits is None or found.bits is None or abs(found.bits - said.bits) < 0.6
        fits = _same_method(said.method, found.method) and same_bits
    return fits, Saying("claim.quant.packed" if fits else "claim.quant.other_packed", bits=bits)


def _same_method(said: str | None, found: str | None) -> bool:
    if said is None or found is None or said.lower() == found.lower():
        return True
    return said in _LAYOUTS.get(found, ())
