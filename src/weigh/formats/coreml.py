"""Core ML: a model as protobuf (`.mlmodel`), alone or in a package with its weights, or compiled.

Field numbers are those of https://github.com/apple/coremltools/tree/main/mlmodel/format.
"""

from __future__ import annotations

import math
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from itertools import islice

from weigh.codecs.coreml_layers import weights_of
from weigh.codecs.cursor import Cursor
from weigh.codecs.external_path import leaves
from weigh.codecs.protobuf import Message, Span, Wire
from weigh.codecs.protobuf_shape import Kind, first, fits
from weigh.core.errors import Malformed, OverBudget
from weigh.core.format import FolderFormat, Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Listing, Source
from weigh.core.tensors import TensorInfo
from weigh.knowledge.coreml_fields import coreml_layers, coreml_models
from weigh.knowledge.dtypes import dtypes
from weigh.knowledge.element_types import dtype_name

MOST_DEPTH = 16  # models in pipelines, networks in layers, blocks in operations
MOST_TENSORS = 200_000
MOST_BLOBS = 100_000
MOST_LISTED = 256
MOST_VERSION = 100
_NETWORKS, _PIPELINES, _PIPELINE = (303, 403, 500), (200, 201), 202
_PROGRAM, _CUSTOM_MODEL, _CUSTOM_LAYER = 502, 555, 500
_INNER = {605: (1, 2), 615: (3, 4)}  # branch, loop: the networks inside
_BLOB = 0xDEADBEEF
_BLOB_HEADER, _BLOB_ENTRY = 64, 64
_BLOB_TYPES = ("F16", "F32", "U8", "I8", "BF16", "I16", "U16", "I4", "U1", "U2", "U4", "U3", "U6", "I32", "U32")
_MIL = re.compile(rb"\s*program\s*\(\s*\d+(?:\.\d+)?\s*\)\s*[\[{]")
_MANIFEST, _COMPILED = "Manifest.json", "coremldata.bin"

_DESCRIPTION: Mapping[int, Kind] = {
    1: "message",  # input
    10: "message",  # output
    11: "text",  # predictedFeatureName
    12: "text",  # predictedProbabilitiesName
    13: "message",  # state
    20: "message",  # functions
    21: "text",  # defaultFunctionName
    50: "message",  # trainingInput
    100: "message",  # metadata
}
_FUNCTION: Mapping[int, Kind] = {1: "text", **dict.fromkeys((2, 3, 6), "message"), 4: "text", 5: "text"}
_FEATURE: Mapping[int, Kind] = {1: "text", 2: "bytes", 3: "message"}
_KINDS_OF_FEATURE = {
    1: "int64",
    2: "double",
    3: "string",
    4: "image",
    5: "array",
    6: "dictionary",
    7: "sequence",
    8: "state",
}


def matches(source: Source) -> bool:
    """A specification version, a description of inputs and outputs, and one kind of model; or a part of a package."""
    head = source.read(0, 128)
    if head[:1] == b"\x08":
        return _is_model(source)
    return _is_blob(head) or _MIL.match(head) is not None or _is_compiled(head)


def _is_model(source: Source) -> bool:
    wire, whole = Wire(source), (0, source.size)
    kinds = coreml_models()
    shape: dict[int, Kind] = {1: "varint", 2: "message", 10: "varint", **dict.fromkeys(kinds, "message")}
    seen = fits(wire, whole, shape)
    version = source.read(1, 1)
    description = first(wire, whole, 2) if seen is not None and 1 in seen else None
    if seen is None or description is None or version > bytes([MOST_VERSION]):
        return False
    if not seen & kinds.keys() and not _is_cut(wire, whole, description):
        return False
    return _describes(wire, description) or (description[0] == description[1] and bool(seen & kinds.keys()))


def _is_cut(wire: Wire, whole: Span, description: Span) -> bool:
    """The file ends inside the description, or inside the model behind it, which is its last field."""
    return description[1] == whole[1] or any(first(wire, whole, number) is not None for number in coreml_models())


def _describes(wire: Wire, description: Span) -> bool:
    """Fields of a description only, and a first input or output that has a name."""
    if not fits(wire, description, _DESCRIPTION):
        return False
    feature = first(wire, description, 1) or first(wire, description, 10)
    if feature is None:
        function = first(wire, description, 20)
        return function is not None and 1 in (fits(wire, function, _FUNCTION) or frozenset())
    return 1 in (fits(wire, feature, _FEATURE) or frozenset())


def _is_blob(head: bytes) -> bool:
    """A file of weights: a count, version 2, then the first entry's mark."""
    if len(head) < _BLOB_HEADER + 4 or head[4:8] != b"\2\0\0\0":
        return False
    return int.from_bytes(head[_BLOB_HEADER : _BLOB_HEADER + 4], "little") == _BLOB and not any(head[8:_BLOB_HEADER])


def _is_compiled(head: bytes) -> bool:
    """What a compiled model keeps beside its program: the kind of model, the version and the loader; or counts."""
    kind, version = (int.from_bytes(head[at : at + 4], "little") for at in (0, 4))
    if head[36:43] == b"generic" and 0 < version < 256:
        return kind in coreml_models()
    return head[:33] == (25).to_bytes(8, "little") + b"NeuralNetworkModelDetails"


def read(source: Source) -> Header:
    """Inputs, outputs, layers or operations counted, and their weights. Raises FormatError."""
    head = source.read(0, 128)
    if _is_blob(head):
        return Header(format="coreml", metadata={"part": "weights"}, tensors=tuple(_blobs(source)))
    if _is_compiled(head):
        kind = coreml_models().get(int.from_bytes(head[:4], "little"))
        return Header(format="coreml", metadata={"part": "compiled", **({"type": kind} if kind else {})})
    if _MIL.match(head):
        return Header(format="coreml", metadata={"part": "program text"})
    model = Wire(source).whole()
    operators: Counter[str] = Counter()
    tensors: list[TensorInfo] = []
    for kind, _, part in _parts(model):
        operators[kind] += 1
        tensors += part
        if len(tensors) > MOST_TENSORS:
            raise OverBudget("tensors", path=source.path, most=MOST_TENSORS)
    return Header(
        format="coreml",
        version=str(model.whole(1)),
        metadata={**_metadata(model), "operators": dict(operators.most_common())},
        tensors=tuple(tensors),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Kinds of layers and operations, classes of the app's own that it wants, files it reads weights from."""
    if "part" in header.metadata or source.read(0, 1) != b"\x08":
        return
    seen: set[str] = set()
    paths: set[str] = set()
    for kind, name, tensors in _parts(Wire(source).whole()):
        if kind.startswith("custom"):
            yield Observation(kind="layer", value=kind, where=name)
        elif kind not in seen:
            seen.add(kind)
            yield Observation(kind="operator", value=kind, where=name)
        for path in (one.storage for one in tensors if one.storage is not None):
            if path not in paths:
                paths.add(path)
                if leaves(path.removeprefix("@model_path/")):
                    yield Observation(kind="external_path", value=path, where=name)


_Part = tuple[str, str, list[TensorInfo]]  # the kind of layer, operation or custom class; its name; its weights


def _parts(model: Message) -> Iterator[_Part]:
    """Every layer and operation of the model, and of the models and networks in it."""
    pending: deque[tuple[Message, str, int]] = deque([(model, "", 0)])
    while pending:
        one, stem, depth = pending.popleft()
        if depth > MOST_DEPTH:
            raise OverBudget("coreml.depth", path=model.wire.source.path, offset=one.span[0], most=MOST_DEPTH)
        for number in _NETWORKS:
            for network in one.messages(number):
                yield from _network(network, stem)
        for program in one.messages(_PROGRAM):
            yield from _program(program, stem)
        for custom in one.messages(_CUSTOM_MODEL):
            yield f"custom {custom.text(10) or ''}", stem, []
        pending.extend((inner, f"{stem}{name}/", depth + 1) for name, inner in _pipelined(one))


def _pipelined(model: Message) -> Iterator[tuple[str, Message]]:
    """The models of a pipeline by name."""
    holders = [holder for number in _PIPELINES for holder in model.messages(number)]
    pipelines = [pipeline for holder in holders for pipeline in holder.messages(1)]
    for pipeline in [*pipelines, *model.messages(_PIPELINE)]:
        names = pipeline.texts(2)
        for number, inner in enumerate(pipeline.messages(1)):
            yield names[number] if number < len(names) else str(number), inner


def _network(network: Message, stem: str) -> Iterator[_Part]:
    """Layers, and those of the networks inside them."""
    pending: deque[tuple[Message, str, int]] = deque([(network, stem, 0)])
    kinds = coreml_layers()
    while pending:
        one, stem, depth = pending.popleft()
        if depth > MOST_DEPTH:
            raise OverBudget("coreml.depth", path=one.wire.source.path, offset=one.span[0], most=MOST_DEPTH)
        for layer in one.messages(1):
            number = next((number for number in layer.numbers if number in kinds), 0)
            name = stem + (layer.text(1) or "")
            told = layer.message(number)
            kind = kinds.get(number, str(number))
            if number == _CUSTOM_LAYER and told is not None:
                kind = f"custom {told.text(10) or ''}"
            yield kind, name, list(weights_of(layer, number, name))
            if number in _INNER and told is not None:
                pending.extend(
                    (inner, f"{name}/", depth + 1) for field in _INNER[number] for inner in told.messages(field)
                )


def _program(program: Message, stem: str) -> Iterator[_Part]:
    """Operations of each function's block, and of the blocks inside them."""
    pending: deque[tuple[Message, str, int]] = deque()
    for name, function in program.table(2).items():
        label = stem if name == "main" else f"{stem}{name}/"
        pending.extend((block, label, 0) for block in function.table(3).values())
    while pending:
        block, label, depth = pending.popleft()
        if depth > MOST_DEPTH:
            raise OverBudget("coreml.depth", path=block.wire.source.path, offset=block.span[0], most=MOST_DEPTH)
        for operation in block.messages(3):
            output = next(operation.messages(3), None)
            name = label + ((output.text(1) if output is not None else None) or "")
            yield operation.text(1) or "", name, list(_constants(operation, name))
            pending.extend((inner, f"{name}/", depth + 1) for inner in operation.messages(4))


def _constants(operation: Message, name: str) -> Iterator[TensorInfo]:
    """What an operation keeps in its attributes: in the file of weights, or floats in place."""
    for attribute, value in operation.table(5).items():
        blob, type = value.message(5), value.message(2)
        tensor = type.message(1) if type is not None else None
        if tensor is None:
            continue
        shape = tuple(_dimension(one) for one in tensor.messages(3))
        dtype = dtype_name("mil", tensor.unsigned(1) or 0)
        if math.prod(shape) >= 1 << 63:
            raise Malformed("tensor_shape", path=value.wire.source.path, offset=value.span[0], name=name)
        label = name if attribute == "val" else f"{name}/{attribute}"
        known = dtypes().get(dtype)
        nbytes = known.nbytes(math.prod(shape)) if known is not None else None
        if blob is not None:
            yield TensorInfo(
                name=label,
                dtype=dtype,
                shape=shape,
                nbytes=nbytes,
                offset=blob.unsigned(2) or 0,
                storage=blob.text(1) or "",
            )
        elif known is not None and known.kind == "float" and shape:
            yield TensorInfo(name=label, dtype=dtype, shape=shape, nbytes=nbytes, offset=value.span[0])


def _dimension(dimension: Message) -> int:
    fixed = dimension.message(1)
    return (fixed.unsigned(1) or 0) if fixed is not None else 0


def _metadata(model: Message) -> dict[str, Meta]:
    description = model.message(2)
    kind = next((name for number, name in coreml_models().items() if number in model), None)
    found: dict[str, Meta] = {"type": kind, "updatable": bool(model.unsigned(10)) or None}
    if description is None:
        return {key: value for key, value in found.items() if value is not None}
    about = description.message(100)
    functions = [one.text(1) or "" for one in islice(description.messages(20), MOST_LISTED)]
    found |= {
        "inputs": tuple(_feature(one) for one in islice(description.messages(1), MOST_LISTED)),
        "outputs": tuple(_feature(one) for one in islice(description.messages(10), MOST_LISTED)),
        "functions": tuple(functions),
    }
    if about is not None:
        names = {1: "description", 2: "version", 3: "author", 4: "license"}
        found |= {name: about.text(number) for number, name in names.items() if about.text(number)}
        found["user_defined"] = {one.text(1) or "": one.text(2) for one in islice(about.messages(100), MOST_LISTED)}
    return {key: value for key, value in found.items() if value not in (None, (), {})}


def _feature(feature: Message) -> dict[str, Meta]:
    """An input or output: what it is, and for arrays and pictures how large."""
    type = feature.message(3)
    found: dict[str, Meta] = {"name": feature.text(1)}
    if type is None:
        return found
    number = next((number for number in _KINDS_OF_FEATURE if number in type), 0)
    found["type"] = _KINDS_OF_FEATURE.get(number)
    told = type.message(number) if number else None
    if number == 5 and told is not None:
        found |= {"dtype": dtype_name("coreml", told.unsigned(2) or 0), "shape": tuple(told.wholes(1))}
    if number == 4 and told is not None:
        found["shape"] = (told.whole(2) or 0, told.whole(1) or 0)
    return found


def _blobs(source: Source) -> Iterator[TensorInfo]:
    """The entries of a file of weights, each led by its type, its bytes and where they lie; names are in the model."""
    cursor = Cursor(source)
    count = cursor.count(cursor.u32("count"), at_least=_BLOB_ENTRY, what="count")
    if count > MOST_BLOBS:
        raise OverBudget("tensors", path=source.path, offset=0, most=MOST_BLOBS)
    cursor.skip(_BLOB_HEADER - 4, "header")
    for _ in range(count):
        at = cursor.offset
        if cursor.u32("sentinel") != _BLOB:
            raise Malformed("coreml.blob", path=source.path, offset=at)
        number = cursor.u32("mil_dtype")
        nbytes, offset = cursor.u64("sizeInBytes"), cursor.u64("offset")
        dtype = _BLOB_TYPES[number - 1] if 0 < number <= len(_BLOB_TYPES) else f"MIL_{number}"
        known = dtypes().get(dtype)
        elements = nbytes * known.block // known.block_bytes if known is not None else nbytes
        yield TensorInfo(name=str(at), dtype=dtype, shape=(elements,), nbytes=nbytes, offset=offset)
        cursor = Cursor(source, offset=offset)
        cursor.skip(nbytes, f"blob at {at}")
        if cursor.left:
            cursor.align(_BLOB_ENTRY, "next blob")


def matches_folder(listing: Listing) -> bool:
    """A package with its manifest and a model in it, or a compiled model."""
    paths = {entry.path for entry in listing.entries}
    if _COMPILED in paths and any(path.startswith("model.") or path == "metadata.json" for path in paths):
        return True
    return _MANIFEST in paths and any(path.startswith("Data/") and path.endswith(".mlmodel") for path in paths)


def read_folder(listing: Listing) -> Header:
    """What the model's file says; of a compiled model, that it is one. Raises FormatError."""
    paths = [entry.path for entry in listing.entries]
    model = next((path for path in paths if path.startswith("Data/") and path.endswith(".mlmodel")), None)
    if model is None:
        return Header(format="coreml-package", metadata={"compiled": True, "files": tuple(paths[:MOST_LISTED])})
    header = read(listing.open(model))
    weights = tuple(path for path in paths if "/weights/" in path)
    return Header(
        format="coreml-package",
        version=header.version,
        metadata={**header.metadata, "index": {"files": (model,)}, "weights": weights[:MOST_LISTED]},
        problems=header.problems,
    )


def examine_folder(listing: Listing, header: Header) -> Iterator[Observation]:
    """Nothing: each file is examined by its own format."""
    return iter(())


FORMAT = Format(
    name="coreml", suffixes=(".mlmodel", ".mil"), matches=matches, read=read, examine=examine, not_covered=("mil_text",)
)
PACKAGE = FolderFormat(name="coreml-package", matches=matches_folder, read=read_folder, examine=examine_folder)
