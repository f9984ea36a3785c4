"""TensorFlow's SavedModel: graphs with their signatures in one file, its variables in a checkpoint beside it.

Keras leaves its own account of the layers, and a fingerprint, as further files of the same folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from weigh.codecs import prototext
from weigh.codecs.protobuf import Message, Span, Wire
from weigh.codecs.protobuf_shape import Kind, first, fits
from weigh.codecs.tf_graph import Account
from weigh.codecs.tf_metagraph import described, is_meta_graph, layers, observe_meta_graph
from weigh.core.errors import Malformed
from weigh.core.format import FolderFormat, Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Listing, Source

MODEL = "saved_model.pb"
INDEX = "variables/variables.index"
MOST_META_GRAPHS = 64
_TEXT = frozenset(("saved_model_schema_version", "meta_graphs"))
MOST_FINGERPRINT = 256
_SAVED_MODEL: Mapping[int, Kind] = {1: "varint", 2: "message"}
_KERAS: Mapping[int, Kind] = {1: "message"}
_KERAS_NODE: Mapping[int, Kind] = {1: "message", 2: "varint", 3: "text", 4: "text", 5: "text", 6: "message"}
_FINGERPRINT: Mapping[int, Kind] = {
    **dict.fromkeys((1, 2, 3, 4, 5), "varint"),
    6: "message",
    7: "text",
}


def matches(source: Source) -> bool:
    """A schema version and meta graphs, in bytes or as text; or a file that Keras or TensorFlow lays beside it."""
    head = source.read(0, 1)
    if head in (b"s", b"m"):
        return _is_text(source)
    if head not in (b"\x08", b"\x0a", b"\x12", b"\x10", b"\x18", b"\x20", b"\x28", b"\x32"):
        return False
    wire, whole = Wire(source), (0, source.size)
    if _is_fingerprint(wire, whole):
        return True
    if _is_keras(wire, whole):
        return True
    seen = fits(wire, whole, _SAVED_MODEL)
    meta_graph = first(wire, whole, 2) if seen is not None and head != b"\x0a" else None
    return meta_graph is not None and is_meta_graph(wire, meta_graph)


def _is_text(source: Source) -> bool:
    fields = prototext.head(source, _TEXT)
    return fields is not None and any(
        {name for name, _ in one} & {"meta_info_def", "graph_def"} for one in prototext.messages(fields, "meta_graphs")
    )


def _is_fingerprint(wire: Wire, span: Span) -> bool:
    """Most of its five sums, and a version; the fields stand in any order."""
    seen = fits(wire, span, _FINGERPRINT) if span[1] <= MOST_FINGERPRINT else None
    return seen is not None and 6 in seen and len(seen & {1, 2, 3, 4, 5}) >= 3


def _is_keras(wire: Wire, span: Span) -> bool:
    node = first(wire, span, 1) if fits(wire, span, _KERAS) else None
    if node is None or not {3, 4, 5} <= (fits(wire, node, _KERAS_NODE) or frozenset()):
        return False
    kind = first(wire, node, 4)
    return kind is not None and wire.text(kind, most=10).startswith("_tf_keras_")


def read(source: Source) -> Header:
    """Each meta graph, its operations counted, and the tensors of constants. Raises FormatError."""
    if _is_text(source):
        return _read_text(source)
    wire, whole = Wire(source), (0, source.size)
    if _is_keras(wire, whole):
        return Header(format="tf-savedmodel", metadata={"part": "keras_metadata", **_keras(wire)})
    model = wire.whole()
    if _is_fingerprint(wire, whole):
        return Header(format="tf-savedmodel", metadata={"part": "fingerprint"})
    account = Account()
    meta_graphs = []
    for meta_graph in _meta_graphs(model):
        graph, said = meta_graph.message(2), described(meta_graph)
        if graph is not None:
            account.add(graph, f"{_tags(said)}/" if len(model.spans(2)) > 1 else "")
        meta_graphs.append(said)
    return Header(
        format="tf-savedmodel",
        version=str(model.whole(1) or 0),
        metadata={
            "generation": 2 if any(7 in one for one in _meta_graphs(model)) else 1,
            "meta_graphs": tuple(meta_graphs),
            "operators": account.counted,
        },
        tensors=tuple(account.tensors),
        problems=tuple(account.problems),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Every operation, inside functions and strings too; layers with code; files it wants beside it."""
    operators = header.metadata.get("operators")
    if header.metadata.get("encoding") == "text" and isinstance(operators, Mapping):
        yield from (Observation(kind="operator", value=name) for name in operators)
        return
    wire = Wire(source)
    if _is_keras(wire, (0, source.size)):
        for node in wire.whole().messages(1):
            if (text := node.span_of(5)) is not None:
                yield from layers(wire, text, node.text(3) or "")
        return
    for meta_graph in _meta_graphs(wire.whole()):
        yield from observe_meta_graph(meta_graph)


def _read_text(source: Source) -> Header:
    model = prototext.parse(source)
    operators: Counter[str] = Counter()
    for meta_graph in prototext.messages(model, "meta_graphs"):
        for graph in prototext.messages(meta_graph, "graph_def"):
            operators.update(prototext.text_of(node, "op") or "" for node in prototext.nodes(graph))
    return Header(
        format="tf-savedmodel",
        version=prototext.text_of(model, "saved_model_schema_version"),
        metadata={"encoding": "text", "operators": dict(operators.most_common())},
    )


def _meta_graphs(model: Message) -> Iterator[Message]:
    if len(model.spans(2)) > MOST_META_GRAPHS:
        raise Malformed("tf.meta_graphs", path=model.wire.source.path, count=len(model.spans(2)), most=MOST_META_GRAPHS)
    return model.messages(2)


def _tags(said: Mapping[str, Meta]) -> str:
    tags = said.get("tags")
    return "+".join(map(str, tags)) if isinstance(tags, tuple) else ""


def _keras(wire: Wire) -> dict[str, Meta]:
    kinds: dict[str, Meta] = {}
    for node in wire.whole().messages(1):
        kind = node.text(4) or ""
        count = kinds.get(kind)
        kinds[kind] = (count if isinstance(count, int) else 0) + 1
    return {"objects": kinds}


def matches_folder(listing: Listing) -> bool:
    """The model's file at the root, without what makes it a repository of another kind."""
    paths = {entry.path for entry in listing.entries}
    return MODEL in paths and "config.json" not in paths


def read_folder(listing: Listing) -> Header:
    """What the model's file says, and whether its variables are beside it. Raises FormatError."""
    paths = [entry.path for entry in listing.entries]
    header = read(listing.open(MODEL))
    shards = tuple(path for path in paths if path.startswith("variables/variables.data-"))
    wanted = {path.rpartition("-of-")[2] for path in shards}
    count = int(next(iter(wanted))) if len(wanted) == 1 and next(iter(wanted)).isdigit() else len(shards)
    problems = header.problems
    if INDEX in paths and len(shards) < max(count, 1):
        detail = Saying("problem.tf.shards", here=len(shards), count=max(count, 1))
        problems += (Problem(kind="missing-shard", detail=detail),)
    return Header(
        format="tf-savedmodel",
        version=header.version,
        metadata={**header.metadata, **({"index": {"files": (INDEX, *shards)}} if shards else {})},
        problems=problems,
    )


def examine_folder(listing: Listing, header: Header) -> Iterator[Observation]:
    """Nothing: each file is examined by its own format."""
    return iter(())


FORMAT = Format(
    name="tf-savedmodel",
    suffixes=(".pb", ".pbtxt"),
    matches=matches,
    read=read,
    examine=examine,
    not_covered=("graph_text",),
)
FOLDER = FolderFormat(name="tf-savedmodel", matches=matches_folder, read=read_folder, examine=examine_folder)
