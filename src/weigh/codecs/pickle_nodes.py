"""What a pickle would build, as nodes that build nothing."""

from __future__ import annotations

from typing import Any

from weigh.codecs.pickle_opcodes import Blob
from weigh.core.errors import FormatError

# Those that read a pickle out of the bytes they are given.
LOADERS = frozenset({("torch.storage", "_load_from_bytes")})

# What stands on the symbolic stack: scalars, strings, Blobs, tuples, lists, and the nodes below.
Node = Any


class Global:
    """A name the pickle imports; `?` for one that is not a literal."""

    __slots__ = ("module", "name", "offset")

    def __init__(self, module: str, name: str, offset: int) -> None:
        self.module, self.name, self.offset = module, name, offset

    @property
    def path(self) -> str:
        """`module.name`."""
        return f"{self.module}.{self.name}"


class Loader(Global):
    """One of LOADERS: every use of it is counted, for it is harmless only where its bytes are seen."""

    __slots__ = ()


class Call:
    """Something called with arguments; what is later put into it is kept in `items` and `state`."""

    __slots__ = ("arguments", "function", "items", "state")

    def __init__(self, function: Node, arguments: Node) -> None:
        self.function, self.arguments = function, arguments
        self.items: tuple[tuple[Node, Node], ...] | list[tuple[Node, Node]] = ()
        self.state: Node = None


class Pairs:
    """A dict: its keys need not be hashable here."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: tuple[tuple[Node, Node], ...] | list[tuple[Node, Node]] = ()


class Persistent:
    """A reference to something outside the pickle; torch keeps storages so."""

    __slots__ = ("value",)

    def __init__(self, value: Node) -> None:
        self.value = value


class Stream:
    """One pickle as far as it could be followed: `value`, the names it imports and calls, `end` behind its STOP.

    `nested` are the bytes it hands to LOADERS, by offset; `loose` counts the uses of LOADERS whose bytes are not
    in the file as they are. `error` is what ended it early; what was seen until then stays.
    """

    __slots__ = (
        "calls", "end", "error", "extensions", "imports", "loose", "nested", "num_opcodes", "persistent", "protocol",
        "start", "value",
    )  # fmt: skip

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.value: Node = None
        self.protocol = 0
        self.num_opcodes = 0
        self.imports: dict[tuple[str, str], int] = {}
        self.calls: dict[tuple[str, str], int] = {}
        self.extensions: dict[int, int] = {}
        self.persistent: list[Node] = []
        self.nested: dict[int, Blob] = {}
        self.loose = 0
        self.error: FormatError | None = None
