"""OpenVINO's IR: a network as XML, its numbers in a `.bin` beside it that nothing else describes."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from weigh.codecs.xml import walk
from weigh.core.errors import Malformed, OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.knowledge.dtypes import dtypes

MOST_TENSORS = 100_000
MOST_LISTED = 256
MOST_RUNTIME_INFO = 256
WEIGHTS = ".bin"
_HEAD = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<net\s[^>]*\bversion\s*=[^>]*>\s*(?:<!--.*?-->\s*)*"
    rb"<(?:layers|input|meta_data|pre-process)\b",
    re.DOTALL,
)
_NUMBER = re.compile(r"\d{1,19}\Z")
_TYPES = {
    "f64": "F64", "f32": "F32", "f16": "F16", "bf16": "BF16", "i64": "I64", "i32": "I32", "i16": "I16", "i8": "I8",
    "i4": "I4", "u64": "U64", "u32": "U32", "u16": "U16", "u8": "U8", "u4": "U4", "u2": "U2", "boolean": "BOOL",
    "string": "STRING", "f8e4m3": "F8_E4M3", "f8e5m2": "F8_E5M2", "f8e8m0": "F8_E8M0", "f4e2m1": "F4",
    "FP32": "F32", "FP16": "F16", "FP64": "F64", "BF16": "BF16", "I64": "I64", "I32": "I32", "I8": "I8", "U8": "U8",
}  # fmt: skip


def matches(source: Source) -> bool:
    """A `net` element with a version, and layers in it."""
    head = source.read(0, 4096)
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" and _HEAD.match(head) is not None


def read(source: Source) -> Header:
    """Layers counted by type, inputs and outputs, constants with their place in the `.bin`. Raises FormatError."""
    net = _Net(source)
    walk(source, net.begin)
    metadata: dict[str, Meta] = {
        "name": net.name,
        "inputs": tuple(net.ends["Parameter"][:MOST_LISTED]),
        "outputs": tuple(net.ends["Result"][:MOST_LISTED]),
        "edges": net.edges,
        "operators": dict(net.operators.most_common()),
        "rt_info": net.runtime,
    }
    return Header(
        format="openvino",
        version=net.version,
        metadata={key: value for key, value in metadata.items() if value},
        tensors=tuple(net.tensors),
        problems=tuple(net.problems[:100]),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Operators; those of no operator set of OpenVINO's own need a library that the loader is told to load."""
    operators = header.metadata.get("operators")
    for name in operators if isinstance(operators, Mapping) else ():
        yield Observation(kind="operator", value=name)


class _Net:
    """What the elements say, gathered while they pass."""

    __slots__ = ("edges", "ends", "layer", "name", "operators", "problems", "runtime", "source", "tensors", "version")

    def __init__(self, source: Source) -> None:
        self.source = source
        self.name: str | None = None
        self.version: str | None = None
        self.operators: Counter[str] = Counter()
        self.ends: dict[str, list[str]] = {"Parameter": [], "Result": []}
        self.layer: dict[str, str] = {}
        self.tensors: list[TensorInfo] = []
        self.problems: list[Problem] = []
        self.runtime: dict[str, Meta] = {}
        self.edges = 0

    def begin(self, path: tuple[str, ...], attributes: dict[str, str]) -> None:
        match path:
            case ("net",):
                self.name, self.version = attributes.get("name"), attributes.get("version")
            case (*_, "layers", "layer"):
                self._layer(attributes)
            case (*_, "layer", "data") if self.layer.get("type") == "Const":
                self._constant(self.layer.get("name", ""), attributes, attributes.get("element_type", ""))
            case (*_, "layer", "blobs", kind) | (*_, "layer", "biases" | "weights" as kind):  # version 7 and before
                precision = attributes.get("precision") or self.layer.get("precision", "")
                self._constant(f"{self.layer.get('name', '')}.{kind}", attributes, precision)
            case (*_, "edges", "edge"):
                self.edges += 1
            case ("net", "rt_info", *rest) if rest and "value" in attributes and len(self.runtime) < MOST_RUNTIME_INFO:
                self.runtime[".".join(rest)] = attributes["value"][:1000]

    def _layer(self, attributes: dict[str, str]) -> None:
        self.layer = attributes
        kind, version = attributes.get("type", ""), attributes.get("version", "")
        if kind == "Const":
            return
        own = version and not version.startswith("opset")
        self.operators[f"{version}.{kind}" if own else kind] += 1
        if kind in self.ends:
            self.ends[kind].append(attributes.get("name", ""))
        elif kind == "Input":
            self.ends["Parameter"].append(attributes.get("name", ""))

    def _constant(self, name: str, attributes: dict[str, str], type: str) -> None:
        """Its place in the file beside it; before version 10 only how many bytes."""
        dtype = _TYPES.get(type, type.upper())
        nbytes, offset = (_number(attributes.get(key)) for key in ("size", "offset"))
        known = dtypes().get(dtype)
        words = [word.strip() for word in attributes.get("shape", "").split(",") if word.strip()]
        lengths = [_number(word) for word in words]
        shape = tuple(length for length in lengths if length is not None)
        if len(shape) != len(words) or nbytes is None or offset is None or math.prod(shape) >= 1 << 63:
            raise Malformed("tensor_shape", path=self.source.path, name=name)
        if "shape" not in attributes:
            shape = (
                (nbytes * known.block // known.block_bytes,) if known is not None and known.block_bytes else (nbytes,)
            )
        if len(self.tensors) >= MOST_TENSORS:
            raise OverBudget("tensors", path=self.source.path, most=MOST_TENSORS)
        self.tensors.append(
            TensorInfo(name=name, dtype=dtype, shape=shape, nbytes=nbytes, offset=offset, storage=WEIGHTS)
        )
        needed = known.nbytes(math.prod(shape)) if known is not None and known.block_bytes else nbytes
        if needed != nbytes:
            detail = Saying("problem.span", name=name, nbytes=nbytes, needed=needed)
            self.problems.append(Problem(kind="malformed", detail=detail))


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.match(text) else None


FORMAT = Format(name="openvino", suffixes=(".xml",), matches=matches, read=read, examine=examine)
