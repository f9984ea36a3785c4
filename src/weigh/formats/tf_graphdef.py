"""TensorFlow's graphs by themselves: GraphDef, frozen with its weights or as text, and MetaGraphDef, without them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from weigh.codecs import prototext
from weigh.codecs.protobuf import Message, Wire
from weigh.codecs.tf_graph import Account, is_graph, num_functions, observe
from weigh.codecs.tf_metagraph import described, is_meta_graph, observe_meta_graph
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source

_HEADS = (b"\x0a", b"\x12", b"\x18", b"\x1a", b"\x22", b"\x2a", b"\x32", b"\x3a")
_TEXT = frozenset(("node", "versions", "library", "version"))


def matches(source: Source) -> bool:
    """A GraphDef and nothing else, in bytes or as text."""
    if source.read(0, 1) in _HEADS and is_graph(Wire(source), (0, source.size)):
        return True
    return _is_text(source)


def _is_text(source: Source) -> bool:
    fields = prototext.head(source, _TEXT)
    node = next(prototext.messages(fields, "node"), None) if fields is not None else None
    return node is not None and {"name", "op"} <= {name for name, _ in node}


def matches_meta(source: Source) -> bool:
    """A MetaGraphDef and nothing else."""
    return source.read(0, 1) in _HEADS and is_meta_graph(Wire(source), (0, source.size))


def read(source: Source) -> Header:
    """Operations counted, and the tensors of constants; of a text the operations alone. Raises FormatError."""
    if _is_text(source):
        operators = Counter(prototext.text_of(node, "op") or "" for node in prototext.nodes(prototext.parse(source)))
        return Header(format="tf-graphdef", metadata={"encoding": "text", "operators": dict(operators.most_common())})
    graph = Wire(source).whole()
    return _header("tf-graphdef", graph, {"functions": num_functions(graph)} if num_functions(graph) else {})


def read_meta(source: Source) -> Header:
    """The same, with what is served from it. Raises FormatError."""
    whole = Wire(source).whole()
    return _header("tf-metagraph", whole.message(2), described(whole))


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Every operation, inside functions and strings too; of a text those of its graph and functions."""
    operators = header.metadata.get("operators")
    if header.metadata.get("encoding") == "text" and isinstance(operators, Mapping):
        for name in operators:
            yield Observation(kind="operator", value=name)
    else:
        yield from observe(Wire(source).whole())


def examine_meta(source: Source, header: Header) -> Iterator[Observation]:
    """The same, and files it wants beside it."""
    yield from observe_meta_graph(Wire(source).whole())


def _header(name: str, graph: Message | None, metadata: dict[str, Meta]) -> Header:
    account = Account()
    version = None
    if graph is not None:
        account.add(graph)
        versions = graph.message(4)
        version = versions.whole(1) if versions is not None else graph.whole(3)
    return Header(
        format=name,
        version=str(version) if version is not None else None,
        metadata={**metadata, "operators": account.counted},
        tensors=tuple(account.tensors),
        problems=tuple(account.problems),
    )


FORMAT = Format(
    name="tf-graphdef",
    suffixes=(".pb", ".pbtxt"),
    matches=matches,
    read=read,
    examine=examine,
    not_covered=("graph_text",),
)
META = Format(name="tf-metagraph", suffixes=(".meta",), matches=matches_meta, read=read_meta, examine=examine_meta)
